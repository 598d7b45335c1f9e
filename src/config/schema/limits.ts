/** Bounds that hold for all endpoints together. */

import { networks } from "../addresses.ts";
import { duration, integer } from "../kinds.ts";
import { type Section, setting } from "../setting.ts";

/** The `[limits]` table. */
export const serverLimits = {
  connections: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "10000",
    doc:
      "Connections of IMAP at once, over all endpoints. For one more the oldest without a login goes, " +
      "of the address or network that has most of these; without any it is turned away with BYE. " +
      "Each may need three open files (`LimitNOFILE=` of the unit).",
  }),
  address_connections: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "100",
    doc:
      "Connections of IMAP at once from one IPv4 address, or one IPv6 network of 64 bits; more are " +
      "turned away with BYE.",
  }),
  user_connections: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "40",
    doc:
      "Connections of one account at once from one such address or network; a login above it is " +
      "answered by NO. Mail programs open up to a dozen each.",
  }),
  penalty: setting(duration({ atLeast: "0s", atMost: "1h" }), {
    default: '"2s"',
    doc: "Pause before a failed login is answered, doubled by each further failure from the same " +
      "address (or IPv6 network of 64 bits) or at the same user. In the time of a pause one attempt " +
      "from there is looked at, or ten at users with whom nobody failed lately, ten at one user " +
      "from everywhere, and a hundred from 48 bits of IPv6 or 24 of IPv4. Who logged in well from " +
      "an address within a week is not kept waiting there by what others do. `0s`: there are no " +
      "pauses.",
  }),
  longest_penalty: setting(duration({ atLeast: "0s", atMost: "1h" }), {
    default: '"15s"',
    doc:
      "The longest pause, also where `penalty` is longer. Who would have to wait for more than two " +
      "of them is refused.",
  }),
  penalty_lifetime: setting(duration({ atLeast: "1s", atMost: "7d" }), {
    default: '"1h"',
    doc: "Time after which a failed login is forgotten.",
  }),
  trusted: setting(networks(), {
    default: '["unix", "127.0.0.0/8", "::1"]',
    doc:
      'Addresses, subnets, and `"unix"` for unix sockets, from which logins are neither slowed ' +
      "down nor counted by address: those of webmail and of proxies that send no PROXY header, " +
      "behind which are many users. What stands here has to slow down guessing by itself. Where a " +
      "PROXY header comes, the client's address in it counts.",
  }),
} satisfies Section;
