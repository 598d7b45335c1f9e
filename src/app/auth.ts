/** Makes authenticators from their configs. */

import type { Authenticator } from "../auth/auth.ts";
import { CachedPasswords } from "../auth/cached_passwords.ts";
import { DovecotSasl } from "../auth/dovecot/dovecot_sasl.ts";
import { External } from "../auth/external/external.ts";
import { FirstOf } from "../auth/first_of.ts";
import { IntrospectionCheck } from "../auth/oauth2/introspection.ts";
import { OAuth2 } from "../auth/oauth2/oauth2.ts";
import { Pam } from "../auth/pam/pam.ts";
import { PassTable } from "../auth/pass_table.ts";
import { PlainSeparate } from "../auth/plain_separate.ts";
import { Shadow } from "../auth/shadow/shadow.ts";
import type { AuthConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import type { Tables } from "./tables.ts";

/** Opens each module once, however many refer to it. */
export class Authenticators {
  readonly #opened = new Map<AuthConfig, Promise<Authenticator>>();

  constructor(private readonly tables: Tables, private readonly log: Log) {}

  /** One that asks all of `configs` in order. @throws {Error} when a module cannot be opened */
  async open(configs: readonly AuthConfig[]): Promise<Authenticator> {
    const members: Authenticator[] = [];
    for (const config of configs) {
      let opened = this.#opened.get(config);
      if (opened === undefined) {
        opened = this.#make(config);
        this.#opened.set(config, opened);
      }
      members.push(await opened);
    }
    return members.length === 1 ? members[0] : new FirstOf(members);
  }

  async close(): Promise<void> {
    for (const auth of this.#opened.values()) await (await auth.catch(() => undefined))?.close();
  }

  async #make(config: AuthConfig): Promise<Authenticator> {
    const { tables, log } = this;
    switch (config.module) {
      case "pass_table": {
        const table = await tables.open(config.table);
        return await PassTable.open({ ...config, table, log });
      }
      case "plain_separate": {
        const users = await Promise.all(config.user?.map((table) => tables.open(table)) ?? []);
        return new PlainSeparate({ users, passwords: await this.open(config.pass), log });
      }
      case "dovecot_sasl":
        return cached(new DovecotSasl({ ...config, log }), config);
      case "external":
        return cached(new External({ ...config, log }), config);
      case "ldap":
        return cached(await openLdap(config, log), config);
      case "oauth2":
        return await openOAuth2(config, log);
      case "pam":
        return cached(Pam.open({ service: config.service, log }), config);
      case "shadow":
        return await Shadow.open({ ...config, log });
    }
  }
}

function cached(auth: Authenticator, { cache }: { readonly cache: number }): Authenticator {
  return cache === 0 ? auth : new CachedPasswords(auth, cache);
}

type ConfigOf<M extends AuthConfig["module"]> = Extract<AuthConfig, { module: M }>;

async function openLdap(config: ConfigOf<"ldap">, log: Log): Promise<Authenticator> {
  const { dnTemplate, baseDn = "", filter = "", tlsClient, ...connection } = config;
  const users = dnTemplate === undefined ? { baseDn, filter } : { dnTemplate };
  // Its library is loaded only where it is used.
  const { Ldap } = await import("../auth/ldap/ldap.ts");
  return await Ldap.open({ ...connection, tls: tlsClient, users, log });
}

async function openOAuth2(config: ConfigOf<"oauth2">, log: Log): Promise<Authenticator> {
  const { introspectionUri: uri, clientId = "", clientSecret = "", issuer = "" } = config;
  const { audience = [], usernameClaim, scope, timeout } = config;
  const check = uri === undefined
    // Its library is loaded only where it is used.
    ? new (await import("../auth/oauth2/jwt.ts")).JwtCheck({ ...config, issuer, audience })
    : new IntrospectionCheck({ ...config, uri, clientId, clientSecret, audience });
  return new OAuth2({ check, usernameClaim, scope, timeout, log });
}
