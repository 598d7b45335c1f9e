/** What is told of a client's connection to whoever administrates the server. */

/** One client's connection. */
export interface SessionInfo {
  /** The field `conn` of its log lines. */
  readonly id: string;
  /** An IP address, or "unix". */
  readonly remote: string;
  readonly state: "not-authenticated" | "authenticated" | "selected" | "logout";
  /** The account, once logged in. */
  readonly user?: string;
  /** The mailbox that is selected. */
  readonly mailbox?: string;
  readonly secure: boolean;
  /** When it connected, in milliseconds since 1970. */
  readonly since: number;
  /** Octets of the protocol, which TLS makes some more. */
  readonly octetsIn: number;
  readonly octetsOut: number;
  readonly commands: number;
  /** Name and version by the command ID. */
  readonly client?: string;
}
