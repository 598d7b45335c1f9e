/** The rows of `imapd penalty …`. */

import type { Command } from "./command.ts";
import { config, json } from "./options.ts";
import { penaltyClear, penaltyList } from "./penalty.ts";

/** Failed logins that slow down others, in a running server. */
export const PENALTY_COMMANDS: readonly Command[] = [
  {
    name: "penalty list",
    operands: [],
    summary:
      "List the addresses, networks and users of failed logins, and how long the next one waits.",
    options: { config, json },
    run: penaltyList,
  },
  {
    name: "penalty clear",
    operands: [],
    summary: "Forget failed logins: all, or those of an address or a user.",
    options: {
      config,
      address: {
        value: "IP",
        doc: "Those from this IP address, or from a network as the list has it.",
      },
      user: { value: "NAME", doc: "Those of this user." },
    },
    run: penaltyClear,
  },
];
