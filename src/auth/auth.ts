/** The contract of authentication: who may log in, and as whom. */

/** What a provider says of one attempt. */
export type AuthResult =
  | {
    readonly ok: true; /** The name that the account is looked up by. */
    readonly username: string;
  }
  | {
    readonly ok:
      false; /** `bad-credentials`: NO [AUTHENTICATIONFAILED]; `unavailable`: NO [UNAVAILABLE] */
    readonly reason: "bad-credentials" | "unavailable"; /** For the log, never for the client. */
    readonly detail: string;
  };

/** What an authenticator may want to know of the connection. */
export interface ClientInfo {
  /** The client's IP address, "unix" for a unix socket. */
  readonly remote: string;
  /** Nobody can listen in. */
  readonly secure: boolean;
  /** The field `conn` of the connection's log lines. */
  readonly id: string;
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

/** What an authenticator can check; decides which SASL mechanisms are offered. */
export interface Checks {
  readonly password: boolean;
  readonly scram: readonly ScramHash[];
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
  /** What most users' keys were made with: what an unknown user is told must not stand out. */
  readonly scramIterations?: number;
  /** Only where {@link can} has tokens. @param username whom the client claims to be, or "" */
  checkToken?(token: string, username: string, client: ClientInfo): Promise<AuthResult>;
  close(): Promise<void>;
}
