/** For how long modules remember whom they let in. */

import { duration } from "../kinds.ts";
import { setting } from "../setting.ts";

/** For how long it is remembered which passwords were right, where hashing them takes the time. */
export const hashCache = setting(duration({ atLeast: "0s", atMost: "1d" }), {
  default: '"5m"',
  doc:
    "For how long a password that was right is not hashed again, so that clients which connect all " +
    "day do not cost a hash each time. Passwords and users that are changed count at once all the " +
    "same. Neither passwords nor hashes are kept, but HMACs by a secret of the process; nothing is " +
    "remembered of who was refused. `0s` hashes at each login.",
});

/** For how long it is remembered which passwords were right, where somebody else knows them. */
export const loginCache = setting(duration({ atLeast: "0s", atMost: "1d" }), {
  default: '"0s"',
  doc:
    "For how long a client that was let in is let in again by the same name and password, from the " +
    "same address, without anybody being asked; `0s` asks at each login. For that long **a password " +
    "that was changed and a user who was removed count on**; a reload forgets all. Nothing is " +
    "remembered of who was refused.",
});
