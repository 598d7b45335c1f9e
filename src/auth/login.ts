/** How clients of one endpoint log in, whatever mechanism they choose. */

import type { Log } from "../log.ts";
import {
  type Authenticator,
  type AuthFailure,
  type AuthResult,
  type Checks,
  type ClientInfo,
  type Login,
  NO_PENALTIES,
  type Penalties,
  type ScramHash,
  type ScramOffer,
} from "./auth.ts";
import { keysOfNobody } from "./keys_of_nobody.ts";
import type { LoginNames } from "./login_names.ts";

export interface EndpointLoginOptions {
  readonly auth: Authenticator;
  readonly names: LoginNames;
  /** Why no account can have a name, as the end of "the name …"; undefined if one can. */
  readonly accountFault: (name: string) => string | undefined;
  /** What the salts of unknown users are made from. */
  readonly secret: Uint8Array;
  readonly log: Log;
  /** Those of the whole server; absent: there are none. */
  readonly penalties?: Penalties;
}

/** The one place where a client's name becomes that of a user and that of an account. */
export class EndpointLogin implements Login {
  readonly #options: EndpointLoginOptions;
  readonly penalties: Penalties;
  /** A name that no user has. */
  readonly #nobody = `nobody-${crypto.randomUUID()}`;

  constructor(options: EndpointLoginOptions) {
    this.#options = options;
    this.penalties = ofEachUser(options);
  }

  get can(): Checks {
    return this.#options.auth.can;
  }

  async password(name: string, password: string, client: ClientInfo): Promise<AuthResult> {
    const { auth, names } = this.#options;
    if (isTooLong(name)) return TOO_LONG;
    try {
      const username = await names.forAuth(name);
      // A name without a user takes as long as one with a user. But nobody is asked about the name
      // itself: how long the answer takes could tell the password of whom the map leaves out.
      const result = await auth.checkPassword(username ?? this.#likeNobody(name), password, client);
      if (username === undefined) return NO_USER;
      return result.ok ? await this.#account(name) : result;
    } catch (error) {
      return this.#unavailable(error, client);
    }
  }

  async token(token: string, name: string, client: ClientInfo): Promise<AuthResult> {
    const { auth, names } = this.#options;
    if (isTooLong(name)) return TOO_LONG;
    try {
      const username = name === "" ? "" : await names.forAuth(name);
      if (username === undefined) return NO_USER;
      const result = await auth.checkToken?.(token, username, client, names.normalForAuth) ??
        NO_TOKENS;
      return result.ok ? await this.#account(name || result.username) : result;
    } catch (error) {
      return this.#unavailable(error, client);
    }
  }

  async scramKeys(name: string, hash: ScramHash): Promise<ScramOffer | AuthFailure> {
    const { auth, names } = this.#options;
    if (isTooLong(name)) return TOO_LONG;
    try {
      const username = await names.forAuth(name);
      const keys = await auth.scramKeys?.(username ?? name, hash);
      if (keys !== undefined && username !== undefined) return { ok: true, keys, known: true };
      // The same for each spelling, as a user's are.
      const spelling = username ?? names.ruledForAuth(name) ?? name;
      const { scramSettings = [] } = auth;
      const none = await keysOfNobody(spelling, hash, scramSettings, this.#options.secret);
      return { ok: true, keys: none, known: false };
    } catch (error) {
      return this.#unavailable(error);
    }
  }

  async proven(name: string): Promise<AuthResult> {
    try {
      // Also for EXTERNAL, which asks no module: who is not in auth_map is no user.
      if (await this.#options.names.forAuth(name) === undefined) return NO_USER;
      return await this.#account(name);
    } catch (error) {
      return this.#unavailable(error);
    }
  }

  async #account(name: string): Promise<AuthResult> {
    const { names, accountFault, log } = this.#options;
    const account = await names.forStorage(name);
    if (account === undefined) return refused("no account for this name");
    const fault = accountFault(account);
    if (fault === undefined) return { ok: true, username: account };
    log.warn("login refused: no account can have this name", { username: account, fault });
    return refused(`the name ${fault}`);
  }

  /** In the domain of `name`, since authenticators may care for some domains only. */
  #likeNobody(name: string): string {
    return this.#nobody + (name.match(/@[^@]*$/)?.[0] ?? "");
  }

  #unavailable(error: unknown, client?: ClientInfo): AuthFailure {
    const detail = error instanceof Error ? error.message : String(error);
    this.#options.log.error("login cannot be checked now", { conn: client?.id, error: detail });
    return { ok: false, reason: "unavailable", detail };
  }
}

/**
 * All names that a rule makes one user's have the same penalty, else each would have to be guessed
 * at only once. Names that a list makes so have not: a pause would tell that both are in it.
 */
function ofEachUser({ names, penalties = NO_PENALTIES }: EndpointLoginOptions): Penalties {
  const unruled = (name: string) => name === "" || isTooLong(name);
  const ruled = (name: string) => unruled(name) ? name : names.ruledForAuth(name) || name;
  return { guess: (name, remote) => penalties.guess(ruled(name), remote) };
}

/**
 * Characters of a name. Addresses have 254 at most; a name takes time to be brought into one form
 * and to be looked up, and who sends it need not be anybody's friend.
 */
const LONGEST_NAME = 1024;

function isTooLong(name: string): boolean {
  return name.length > LONGEST_NAME;
}

const TOO_LONG = refused("the name is too long");
const NO_USER = refused("no user for this name");
const NO_TOKENS = refused("no module checks tokens");

function refused(detail: string): AuthFailure {
  return { ok: false, reason: "bad-credentials", detail };
}
