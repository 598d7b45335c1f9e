/** Settings of modules that keep mail. */

import { boolean, choice, integer, mapOf, pathTemplate, size, string } from "../kinds.ts";
import { table } from "../modules.ts";
import { optional, type Section, setting } from "../setting.ts";
import { normalization } from "./names.ts";
import { tableReference } from "./tables.ts";

/** Special uses of mailboxes as the config spells them. @see RFC 6154 §2 */
export const SPECIAL_USES = [
  "all",
  "archive",
  "drafts",
  "flagged",
  "junk",
  "sent",
  "trash",
] as const;

function isFolderName(name: string): boolean {
  return isMailboxName(name) && name.toUpperCase() !== "INBOX";
}

function isMailboxName(name: string): boolean {
  return name.split("/").every((level) => level !== "") && !/\p{Cc}/u.test(name);
}

/** What an account may hold. */
const quota = {
  storage: optional(size({ atLeast: "1 KiB", atMost: "1000000 GiB" }), {
    sample: '"1 GiB"',
    doc: "Octets of all messages together.",
  }),
  messages: optional(integer({ atLeast: 1, atMost: 1_000_000_000 }), {
    sample: "100000",
    doc: "Messages in all mailboxes together.",
  }),
  mailboxes: optional(integer({ atLeast: 1, atMost: 1_000_000 }), {
    sample: "1000",
    doc: "Mailboxes, INBOX and special folders among them.",
  }),
  map: optional(tableReference, {
    sample: '["file", "quotas"]',
    doc: "The table from an account's name to its limits, such as `storage=2GiB messages=1000 " +
      "mailboxes=none`. What it leaves out is as the settings beside it say. It is asked once a " +
      "minute at most; limits that an admin set for the account come first.",
  }),
  soft: setting(boolean(), {
    default: "false",
    doc:
      "Whether what passes a limit is taken in all the same, and IMAP clients are only told so " +
      "(RFC 9208).",
  }),
} satisfies Section;

/** Modules that keep mail. */
export const storageModules = {
  maildir: {
    path: setting(pathTemplate(["account", "local", "domain"], ["account", "local"]), {
      default: '"{state_dir}/mail/{account}"',
      doc:
        "Maildir of an account. `{account}` is its name; `{local}` and `{domain}` are the parts " +
        "before and after its last `@`. Where `{domain}` is used, names without one are refused.",
    }),
    special_folders: setting(
      mapOf("names of mailboxes other than INBOX", isFolderName, choice(SPECIAL_USES)),
      {
        default: '{ Drafts = "drafts", Sent = "sent", Junk = "junk", Trash = "trash", ' +
          'Archive = "archive" }',
        doc:
          "Mailboxes that a new account gets and subscribes to, each with its special use (RFC 6154). " +
          "`{}` makes none.",
      },
    ),
    appendlimit: optional(size({ atLeast: "1 KiB", atMost: "4095 MiB" }), {
      sample: '"25 MiB"',
      doc: "Largest message that APPEND takes into these Maildirs, where that is less than " +
        "`limits.append` of the endpoint.",
    }),
    appendlimits: setting(
      mapOf("names of mailboxes", isMailboxName, size({ atLeast: "0 B", atMost: "4095 MiB" })),
      {
        default: "{}",
        sample: '{ Drafts = "10 MiB", "Lists/Announce" = "0 B" }',
        doc:
          "Largest message that APPEND takes into some mailboxes, where that is less than elsewhere; " +
          "`0 B` lets no client add any. STATUS tells it for each mailbox (RFC 7889). What is copied, " +
          "moved or delivered is not limited.",
      },
    ),
    quota: optional(table(quota), {
      sample: '{ storage = "1 GiB", messages = 100000 }',
      doc:
        "What an account may hold, unless it was given limits of its own. What would pass a limit " +
        "is refused: APPEND, COPY, CREATE and deliveries by this program. What other programs put into the " +
        "Maildir is always taken over. Without a setting there is no limit.",
    }),
    disable_recent: setting(boolean(), {
      default: "false",
      doc: "Whether no message is ever `\\Recent`, which clients are told of messages that no " +
        "session has seen yet.",
    }),
    delivery_map: setting(tableReference, {
      default: '"identity"',
      doc:
        "The table from a recipient's address to the account that its mail is delivered to, by " +
        "`[[lmtp]]` and by `imapd deliver`. Who is not in it is unknown.",
    }),
    delivery_normalize: setting(normalization, {
      default: '"precis_casefold_email"',
      doc:
        "The form that an address gets before it is looked up in `delivery_map`; the words are " +
        "those of the top-level `auth_map_normalize`. With the default, an address without a domain " +
        "is unknown, but for `postmaster`.",
    }),
    delivery_separator: setting(string("at most one character", (text) => [...text].length < 2), {
      default: '"+"',
      doc:
        "What stands between a user's name and a mailbox in `user+mailbox@example.org`. The whole " +
        "address is looked up first; then the mail goes to that mailbox of `user@example.org` if it " +
        'exists (in whatever case, its levels separated by `/` or `.`), else to INBOX. `""` ' +
        "turns it off.",
    }),
    delivery_over_quota: setting(choice(["defer", "reject"]), {
      default: '"defer"',
      doc:
        "What becomes of mail for an account that is over its quota: the MTA tries again later " +
        "(452 4.2.2), or returns it to its sender (552 5.2.2).",
    }),
    search_index: setting(boolean(), {
      default: "true",
      doc:
        "Whether messages are indexed in the background, so that SEARCH for texts need not read all " +
        "of them. The index of an account is `imapd-search.sqlite` in its Maildir, and takes about an " +
        "eighth of what its mail does. It may be removed while the server does not run; it is made " +
        "anew from the messages.",
    }),
    search_index_limit: setting(size({ atLeast: "1 KiB", atMost: "1 GiB" }), {
      default: '"4 MiB"',
      doc:
        "Text that a message may have to be indexed; attachments without text do not count. What " +
        "has more is read by each SEARCH for texts.",
    }),
    memory_budget: setting(size({ atLeast: "1 MiB", atMost: "64 GiB" }), {
      default: '"64 MiB"',
      doc: "Memory for the indexes of mailboxes that nobody has open, so that they open faster.",
    }),
  },
} satisfies Record<string, Section>;
