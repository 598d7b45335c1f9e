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

/** A place that knows passwords. */
export interface Authenticator {
  /**
   * Checks one password. Never blocks the event loop, and takes as long for an unknown name as
   * for a wrong password.
   */
  checkPassword(username: string, password: string): Promise<AuthResult>;
  close(): Promise<void>;
}
