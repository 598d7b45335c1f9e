/** What becomes of the name that a client logs in with. */

import type { Log } from "../log.ts";
import type { Normalization } from "../names/normalization.ts";
import type { Table } from "../tables/table.ts";
import type { Authenticator, AuthResult } from "./auth.ts";

/** The two independent ways of a name. Each throws an error when its table cannot be read. */
export interface LoginNames {
  /** The name that authenticators know; undefined: nobody may log in by this name. */
  forAuth(name: string): Promise<string | undefined>;
  /** The account's name; undefined: there is none. */
  forStorage(name: string): Promise<string | undefined>;
}

/** One way: the name is brought into one form, then looked up. */
export interface NameMap {
  readonly normalize: Normalization;
  readonly table: Table;
}

/** Makes {@link LoginNames} of the two ways. */
export function mappedNames(auth: NameMap, storage: NameMap): LoginNames {
  return {
    forAuth: (name) => mapped(name, auth),
    forStorage: (name) => mapped(name, storage),
  };
}

async function mapped(name: string, { normalize, table }: NameMap): Promise<string | undefined> {
  const key = normalize(name);
  return key === undefined ? undefined : await table.lookup(key);
}

/** What is to be known of an endpoint to let users log in by the names that they type. */
export interface NamedLoginOptions {
  readonly auth: Authenticator;
  readonly names: LoginNames;
  /** Why no account can have a name, as the end of "the name …"; undefined if one can. */
  readonly accountFault: (name: string) => string | undefined;
  readonly log: Log;
}

/** Lets `auth` check the passwords of `names`; the result has the account's name. */
export function namedLogin(options: NamedLoginOptions): Authenticator {
  const { auth, names, log } = options;
  return {
    can: { password: auth.can.password, scram: [], token: false },
    async checkPassword(name, password, client): Promise<AuthResult> {
      try {
        const username = await names.forAuth(name);
        // Checked in any case: a name without a user must not be told by the time it takes.
        const result = await auth.checkPassword(username ?? name, password, client);
        if (username === undefined) return refused("no user for this name");
        return result.ok ? await accountOf(name, options) : result;
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        log.error("names cannot be looked up", { error: detail });
        return { ok: false, reason: "unavailable", detail };
      }
    },
    close: () => auth.close(),
  };
}

async function accountOf(
  name: string,
  { names, accountFault, log }: NamedLoginOptions,
): Promise<AuthResult> {
  const username = await names.forStorage(name);
  if (username === undefined) return refused("no account for this name");
  const fault = accountFault(username);
  if (fault === undefined) return { ok: true, username };
  log.warn("login refused: no account can have this name", { username, fault });
  return refused(`the name ${fault}`);
}

function refused(detail: string): AuthResult {
  return { ok: false, reason: "bad-credentials", detail };
}
