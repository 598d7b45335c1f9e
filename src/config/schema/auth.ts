/** Settings of modules that know passwords. */

import { boolean, choice, list, wordOr } from "../kinds.ts";
import { type Chosen, moduleReference, moduleReferences } from "../modules.ts";
import { type Kind, optional, required, type Section, setting } from "../setting.ts";
import { tableModules } from "./tables.ts";

const tableModule = moduleReference("table", () => tableModules);

/** Modules that refer to no other authenticators. */
const plainModules = {
  pass_table: {
    table: required(tableModule, {
      inline: true,
      doc: "The table with a password hash for each user, as `imapd hash` prints it: `argon2:…`, " +
        "`bcrypt:…` or `{SCRAM-SHA-256}…`. Also taken are `sha256:SALT:HASH` and hashes of other " +
        "programs: `{ARGON2ID}…`, `{BLF-CRYPT}…`, `{SHA512-CRYPT}…`, `{SHA256-CRYPT}…`, `{CRYPT}…`, " +
        "`{SCRAM-SHA-1}…`, and `$2y$…`, `$6$…`, `$5$…`, `$argon2id$…` without a scheme.",
      example: '{ module = "file", path = "/etc/imapd/users" }',
    }),
    allow_plain: setting(boolean(), {
      default: "false",
      doc:
        "Whether the table may hold passwords in the clear, as `{PLAIN}…` or `{CLEARTEXT}…`. **Who " +
        "reads the table has all passwords.**",
    }),
    scram: setting(wordOr("auto", list(choice(["SHA-1", "SHA-256"]))), {
      default: '"auto"',
      doc:
        "Hashes of SCRAM (RFC 5802, RFC 7677) that are offered. `auto` offers the one of which all " +
        "users of the table have keys, and none if some have other hashes: many clients take SCRAM " +
        "wherever it is offered, and then users without keys cannot log in. A table that cannot " +
        "tell all its values needs the list.",
    }),
  },
} satisfies Record<string, Section>;

type TableModule = Chosen<"module", typeof tableModules>;

/** One authenticator of a config. Written out, since it may have others inside. */
export type AuthModule = Chosen<"module", typeof plainModules> | {
  readonly module: "plain_separate";
  readonly blockName?: string;
  readonly user?: readonly TableModule[];
  readonly pass: readonly AuthModule[];
};

/** A module that knows who may log in. */
export const authModule: Kind<AuthModule> = moduleReference("auth", () => authModules);

/** Modules that know passwords. */
export const authModules = {
  ...plainModules,
  plain_separate: {
    user: optional(moduleReferences(tableModule), {
      doc:
        "Tables of users: who is a key of one of them may log in. The default is everybody who " +
        "has a password.",
    }),
    pass: required(moduleReferences(authModule), {
      doc: "The modules that check the passwords, tried in order.",
    }),
  },
} satisfies Record<string, Section>;
