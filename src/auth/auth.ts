/** The contract of authentication: who may log in, and as whom. */

/**
 * Why somebody may not log in. `expired` and `not-authorized` are only for who has proven who they
 * are: to others they would tell too much.
 *
 * @see RFC 5530 §3
 */
export type AuthFailureReason = "bad-credentials" | "unavailable" | "expired" | "not-authorized";

/** Who may not log in. */
export interface AuthFailure {
  readonly ok: false;
  readonly reason: AuthFailureReason;
  /** For the log, never for the client. */
  readonly detail: string;
}

/** What a provider says of one attempt. */
export type AuthResult =
  | {
    readonly ok: true; /** The name that the account is looked up by. */
    readonly username: string;
  }
  | AuthFailure;

/** Whose turn an attempt takes among those that wait for a check. */
export interface Standing {
  /** What has turns of its own, such as an IP address or an IPv6 network. */
  readonly place: string;
  /** Somebody trusted, or who logged in well by that name from there lately. */
  readonly known: boolean;
}

/** The standing of attempts of which nothing is known. */
export const NO_STANDING: Standing = { place: "", known: false };

/** What an authenticator may want to know of the connection. */
export interface ClientInfo {
  /** The client's IP address, "unix" for a unix socket. */
  readonly remote: string;
  /** Nobody can listen in. */
  readonly secure: boolean;
  /** The field `conn` of the connection's log lines. */
  readonly id: string;
  /** Absent: {@link NO_STANDING}. */
  readonly standing?: Standing;
}

/** What the connection itself tells of its two ends. */
export interface SaslChannel {
  /** Hash of the server's certificate, where there is TLS. @see RFC 5929 §4 */
  readonly serverEndPoint?: Uint8Array;
  /** Whom the client's certificate names, where it showed one that is trusted. */
  readonly certificateNames?: readonly string[];
}

/** Hashes that SCRAM is specified with. @see RFC 5802, RFC 7677 */
export type ScramHash = "SHA-1" | "SHA-256";

/** What a server keeps for a user of SCRAM. @see RFC 5802 §3 */
export interface ScramKeys {
  readonly hash: ScramHash;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** What keys of some users were made with, which everybody is told who asks for them. */
export interface ScramSettings {
  readonly hash: ScramHash;
  readonly iterations: number;
  readonly saltOctets: number;
  /** How many have such keys. */
  readonly users: number;
}

/** What an authenticator can check; decides which SASL mechanisms are offered. */
export interface Checks {
  readonly password: boolean;
  readonly scram: readonly ScramHash[];
  /** The config asks for `scram` although not all users may have keys. */
  readonly scramAnyway?: boolean;
  /** Bearer tokens. */
  readonly token: boolean;
}

/** A place that knows who may log in. */
export interface Authenticator {
  readonly can: Checks;
  /**
   * Checks one password. Never blocks the event loop, and takes as long for an unknown name as
   * for a wrong password.
   */
  checkPassword(username: string, password: string, client: ClientInfo): Promise<AuthResult>;
  /**
   * Only where {@link can} has the hash; undefined where the user has no such keys.
   *
   * @throws {Error} when they cannot be looked up now
   */
  scramKeys?(username: string, hash: ScramHash): Promise<ScramKeys | undefined>;
  /** Those of all users: what an unknown user is told must not stand out. */
  readonly scramSettings?: readonly ScramSettings[];
  /**
   * Only where {@link can} has tokens.
   *
   * @param username whom the client claims to be, or ""
   * @param normal the form that `username` has, which the token's own name may not have
   */
  checkToken?(
    token: string,
    username: string,
    client: ClientInfo,
    normal?: (name: string) => string | undefined,
  ): Promise<AuthResult>;
  close(): Promise<void>;
}

/** What an exchange of SCRAM goes on with. */
export interface ScramOffer {
  readonly ok: true;
  /** Such as nobody has, where they are not known: the exchange must look like any other. */
  readonly keys: ScramKeys;
  readonly known: boolean;
}

/** Makes guessing slow. */
export interface Penalties {
  /**
   * Begins an attempt to log in.
   *
   * @param name whom somebody claims to be: anybody's or nobody's
   * @param remote the client's IP address
   */
  guess(name: string, remote: string): Guess;
}

/** One attempt to log in, which may be a guess. */
export interface Guess {
  /** As it is now. */
  readonly standing: Standing;
  /** Whether it may be checked now. */
  ask(): Admission;
  /**
   * Notes that somebody was not who they claimed to be.
   *
   * @param secret what was wrong, where that is known: the same again is no further guess
   * @returns milliseconds until they are told
   */
  failed(secret?: string): number;
  /** Notes that they were. */
  succeeded(): void;
  /** Notes that nothing was guessed. */
  withdraw(): void;
  /**
   * Notes that nobody could tell whether they were: no failure, but it makes no room for others.
   *
   * @returns milliseconds until they are told
   */
  unchecked(): number;
}

/** When an attempt may be checked; "never": it would have to wait for too long. */
export type Admission = "now" | "never" | Wait;

/** Until when to wait before asking again. */
export interface Wait {
  readonly milliseconds: number;
  /** Where to leave what is to be called if it may be worth it sooner. */
  readonly wakers: Set<() => void>;
}

/** A guess that nobody has to wait for. */
export const FREE_GUESS: Guess = {
  standing: NO_STANDING,
  ask: () => "now",
  failed: () => 0,
  succeeded() {},
  withdraw() {},
  unchecked: () => 0,
};

/** Never makes anybody wait. */
export const NO_PENALTIES: Penalties = { guess: () => FREE_GUESS };

/** How clients of one endpoint log in: its authenticators, and what becomes of a client's name. */
export interface Login {
  readonly can: Checks;
  /** For names as clients write them. */
  readonly penalties: Penalties;
  /** @returns the account's name */
  password(name: string, password: string, client: ClientInfo): Promise<AuthResult>;
  /** @param name whom the client claims to be, or "" */
  token(token: string, name: string, client: ClientInfo): Promise<AuthResult>;
  scramKeys(name: string, hash: ScramHash): Promise<ScramOffer | AuthFailure>;
  /** For who has shown otherwise to be `name`. @returns the account's name */
  proven(name: string): Promise<AuthResult>;
}
