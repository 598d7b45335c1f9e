/** Passwords that an LDAP directory checks. */

import type { Log } from "../../log.ts";
import type { Authenticator, AuthResult, ClientInfo } from "../auth.ts";
import { checkRemotely, refused } from "../remote_check.ts";
import { LdapConnection, type LdapConnectionOptions, readTls } from "./connection.ts";
import { fillDn, fillFilter } from "./escaping.ts";
import { LdapPool } from "./pool.ts";

/** How a user's entry is found; `{username}` stands for the name. */
export type LdapUsers =
  | { readonly dnTemplate: string }
  | { readonly baseDn: string; readonly filter: string };

export interface LdapOptions extends LdapConnectionOptions {
  readonly users: LdapUsers;
  readonly log: Log;
}

/** Binds as the user with the user's password. @see RFC 4513 §5.1.3 */
export class Ldap implements Authenticator {
  readonly can = { password: true, scram: [], token: false };
  readonly #users: LdapUsers;
  readonly #log: Log;
  readonly #pool: LdapPool;

  private constructor(options: LdapOptions) {
    this.#users = options.users;
    this.#log = options.log;
    this.#pool = new LdapPool((closing) => LdapConnection.open(options, closing));
  }

  /**
   * @throws {Error} when a PEM file cannot be read, or this Deno cannot do StartTLS; whether a
   * server is there is seen later
   */
  static async open(options: LdapOptions): Promise<Ldap> {
    if (options.starttls && !hasStartTls(Deno.version.deno)) {
      throw new Error(
        `ldap: starttls needs Deno 2.7.13 or newer, this is ${Deno.version.deno}: use ldaps://`,
      );
    }
    await readTls(options.tls);
    return new Ldap(options);
  }

  checkPassword(username: string, password: string, client?: ClientInfo): Promise<AuthResult> {
    return checkRemotely(
      "ldap",
      this.#log,
      username,
      password,
      () =>
        this.#pool.use(
          (connection) => this.#check(connection, username, password),
          client?.standing,
        ),
    );
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #check(
    connection: LdapConnection,
    username: string,
    password: string,
  ): Promise<AuthResult> {
    const users = this.#users;
    if ("dnTemplate" in users) {
      const dn = fillDn(users.dnTemplate, username);
      const good = await connection.isPasswordOf(dn, password);
      return good ? { ok: true, username } : refused("unknown user or wrong password");
    }
    const [dn, ...others] = await connection.find(
      users.baseDn,
      fillFilter(users.filter, username),
    );
    // An unknown name makes as many round trips as a known one.
    const asked = others.length > 0 ? undefined : dn;
    const good = await connection.isPasswordOf(asked ?? `cn=unknown,${users.baseDn}`, password);
    if (others.length > 0) {
      this.#log.warn("more than one entry of the directory fits a name", { username });
      return refused("more than one entry");
    }
    if (dn === undefined) return refused("unknown user");
    return good ? { ok: true, username } : refused("wrong password");
  }
}

/** Older ones never finish the handshake over a socket that was used before. */
function hasStartTls(deno: string): boolean {
  const [major, minor, patch] = deno.split(".").map((part) => parseInt(part));
  return major > 2 || (major === 2 && (minor > 7 || (minor === 7 && patch >= 13)));
}
