/** EXTERNAL: the client's certificate tells who it is. @see RFC 4422 appendix A */

import { NO_CHALLENGE, type SaslMechanism, textOf, unauthorizedAttempt } from "./mechanism.ts";

/** `[authzid]`; an empty one means whom the certificate names first. */
export const external: SaslMechanism = {
  name: "EXTERNAL",
  offered: ({ channel: { certificateNames: names = [] } }) => names.length > 0,
  async *begin(initial, { login, channel: { certificateNames: names = [] } }) {
    const authzid = textOf(initial ?? (yield NO_CHALLENGE), "a user name");
    const name = authzid === "" ? names[0] : names.find((each) => each === authzid);
    if (name === undefined) return unauthorizedAttempt(authzid, "no certificate has this name");
    return { name, result: await login.proven(name) };
  },
};
