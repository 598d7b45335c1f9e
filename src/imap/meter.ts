/** What the server wants to know of its work, for whoever watches it. */

/** How a command ended. */
export type CommandResult = "OK" | "NO" | "BAD";

/** How a login ended; "unavailable" if nobody could tell. */
export type LoginResult = "ok" | "failed" | "unavailable";

/** Why a connection was not served. */
export type RefusedConnection = "too many" | "TLS" | "PROXY";

/** Is told of each event; must be cheap, and must not throw. */
export interface ImapMeter {
  /** Seconds on a clock that is never set back, for {@link command}. */
  now(): number;
  /**
   * @param name of a row of the table; undefined for an unknown command
   * @param seconds that the server took for it; undefined where the client decided on them
   */
  command(name: string | undefined, result: CommandResult, seconds: number | undefined): void;
  /** @param mechanism of SASL, or "LOGIN" also for the command */
  login(mechanism: string, result: LoginResult, remote: string): void;
  received(octets: number): void;
  sent(octets: number): void;
  accepted(): void;
  refused(why: RefusedConnection): void;
}

/** Wants to know nothing. */
export const NO_IMAP_METER: ImapMeter = {
  now: () => 0,
  command() {},
  login() {},
  received() {},
  sent() {},
  accepted() {},
  refused() {},
};
