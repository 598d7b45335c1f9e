/** Settings of modules that know passwords. */

import { boolean, choice, duration, hostname, list, path, string, wordOr } from "../kinds.ts";
import { type Chosen, moduleReference, moduleReferences, type Variants } from "../modules.ts";
import { type Kind, optional, required, type Section, setting, wrong } from "../setting.ts";
import { hashCache, loginCache } from "./auth_cache.ts";
import { ldapModule } from "./auth_ldap.ts";
import { oauth2Module } from "./auth_oauth2.ts";
import { type TableConfig, tableModules, tableReference } from "./tables.ts";

/** Where Dovecot listens. */
type DovecotEndpoint =
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

function dovecotEndpoint(): Kind<DovecotEndpoint> {
  const expected = '"unix:///PATH" or "tcp://HOST:PORT"';
  return {
    name: "endpoint",
    expected,
    read(value, key, reading) {
      const read = value.type === "string" ? endpointOf(value.value) : undefined;
      return read ?? wrong(reading, value, key, expected);
    },
  };
}

function endpointOf(text: string): DovecotEndpoint | undefined {
  const unix = text.match(/^unix:\/\/(\/[^\0]+)$/);
  if (unix !== null) return { path: unix[1] };
  const tcp = text.match(/^tcp:\/\/(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/);
  if (tcp === null) return undefined;
  const port = Number(tcp[3]);
  return port > 0 && port < 65536 ? { host: tcp[1] ?? tcp[2], port } : undefined;
}

/** Modules that refer to no other authenticators. */
const plainModules = {
  pass_table: {
    table: required(tableReference, {
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
        "wherever it is offered, and then users without keys cannot log in. So it also offers none in " +
        "a list of modules where another one checks passwords without keys. A table that cannot " +
        "tell all its values needs the list.",
    }),
    cache: hashCache,
  },
  dovecot_sasl: {
    endpoint: required(dovecotEndpoint(), {
      inline: true,
      doc:
        "An `auth-client` socket of Dovecot's auth service, which lists it as a `unix_listener` " +
        "or an `inet_listener`. Over `tcp://` **passwords travel in the clear**. Dovecot is told " +
        "the service `imap`, the client's address, and whether nobody can listen in. The account is " +
        "that of the name that the client logs in with, whatever name Dovecot answers with.",
      example: '"unix:///run/dovecot/auth-client"',
    }),
    connect_timeout: setting(duration({ atLeast: "1ms", atMost: "10m" }), {
      default: '"10s"',
      doc: "Time to connect and to agree on the protocol.",
    }),
    request_timeout: setting(duration({ atLeast: "1ms", atMost: "10m" }), {
      default: '"1m"',
      doc: "Time that Dovecot has for one answer. It delays that a wrong password was wrong.",
    }),
    cache: loginCache,
  },
  external: {
    socket: required(path(), {
      inline: true,
      doc:
        "A unix socket behind which a program checks passwords. For each login the server connects " +
        "to it, sends a line with the name and a line with the password, shuts its half of the " +
        "connection, and reads a line with a status: `0` is yes, `1` a wrong name or password, " +
        "anything else a failure of the program. [authentication.md](authentication.md) shows how " +
        "any program gets behind a socket.",
      example: '"/run/imapd/auth.sock"',
    }),
    perdomain: setting(boolean(), {
      default: "false",
      doc:
        "Whether the program is told whole addresses. Otherwise it is told what is before the `@`.",
    }),
    domains: setting(list(hostname()), {
      default: "[]",
      doc:
        "Domains of the names that the program is asked about. A name with an `@` and any other " +
        "domain is refused; one without an `@` is refused where `perdomain` is true.",
    }),
    timeout: setting(duration({ atLeast: "1ms", atMost: "10m" }), {
      default: '"1m"',
      doc: "Time that the program may take.",
    }),
    cache: loginCache,
  },
  ldap: ldapModule,
  oauth2: oauth2Module,
  pam: {
    service: setting(string('a name such as "imapd"', (name) => /^[\w][\w.-]*$/.test(name)), {
      inline: true,
      default: '"imapd"',
      doc:
        "The PAM service: the name of the file in /etc/pam.d with the modules to ask. They run as " +
        "the user that the server runs as: pam_unix can check the passwords of other users only as " +
        "root or in the group that may read /etc/shadow. Only questions for a password are " +
        "answered.",
    }),
    cache: loginCache,
  },
  shadow: {
    path: setting(path(), {
      inline: true,
      default: '"/etc/shadow"',
      doc:
        "The file with the hashes of the system's users, which the server has to be allowed to " +
        "read. All schemes that the system's libcrypt knows are taken. Locked accounts, accounts " +
        "and passwords that are expired, and empty passwords are refused.",
    }),
    cache: hashCache,
  },
} satisfies Record<string, Section>;

/** One authenticator of a config. Written out, since it may have others inside. */
export type AuthModule = Chosen<"module", typeof plainModules> | {
  readonly module: "plain_separate";
  readonly blockName?: string;
  readonly user?: readonly TableConfig[];
  readonly pass: readonly AuthModule[];
};

/** A module that knows who may log in. */
export const authModule: Kind<AuthModule> = moduleReference("auth", () => authModules);

/** Modules that know passwords. */
export const authModules = {
  ...plainModules,
  plain_separate: {
    user: optional(moduleReferences(tableReference, () => tableModules), {
      sample: '"&names"',
      doc:
        "Tables of users: who is a key of one of them may log in. The default is everybody who " +
        "has a password.",
    }),
    pass: required(moduleReferences(authModule, (): Variants => authModules), {
      sample: '["&local_authdb", "pam"]',
      doc: "The modules that check the passwords, tried in order.",
    }),
  },
} satisfies Record<string, Section>;
