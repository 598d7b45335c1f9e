/** What administration can do: each operation is a row of a table, run by the server or by the CLI. */

import type { Delivery } from "../delivery/delivery.ts";
import type { Log } from "../log.ts";
import type { SessionInfo } from "../net/session_info.ts";
import { type Store, StoreError } from "../store/store.ts";

/** What an operation works with. */
export interface AdminContext {
  /**
   * The store of a `[storage.NAME]` block; without a name, that of the first endpoint.
   *
   * @throws {AdminError} when the config has none of that name
   */
  storage(name?: string): Store;
  /**
   * Delivers into {@link storage} of that name.
   *
   * @throws {AdminError} when the config has none of that name
   * @throws {Error} when its `delivery_map` cannot be read
   */
  delivery(storage?: string): Promise<OpenDelivery>;
  /** Octets of a message that a client may append. @throws {AdminError} as {@link storage} does */
  appendLimit(storage?: string): number;
  /** Clients that are connected; absent where no server runs. */
  readonly sessions?: Sessions;
  /** Failed logins that slow down others; absent where no server runs. */
  readonly penalties?: PenaltyTable;
  /** Whether a server runs here, in which logins go on meanwhile. */
  readonly running: boolean;
  readonly log: Log;
  /** Octets that an account takes on disk. @throws {AdminError} as {@link storage} does */
  diskUsage(account: string, storage?: string): Promise<DiskUsage>;
  /** Looks at what the server needs around it. */
  examineServer(): AsyncIterable<Finding>;
  /** Looks at how an account is kept. @throws the reason of `gone` once nobody wants to know */
  examineAccount(
    account: string,
    options: ExaminationOptions,
    storage: string | undefined,
    gone: AbortSignal,
  ): AsyncIterable<Finding>;
}

/** Octets on disk. */
export interface DiskUsage {
  /** By the mailbox's name. */
  readonly mailboxes: ReadonlyMap<string, number>;
  /** What belongs to no mailbox. */
  readonly rest: number;
}

/** How an account is to be looked at. */
export interface ExaminationOptions {
  /** Mend what can be mended. */
  readonly repair?: boolean;
  /** Read all messages. */
  readonly thorough?: boolean;
}

/** One thing that was looked at. */
export interface Finding {
  readonly level: "ok" | "warning" | "failed" | "mended";
  /** What was looked at, such as "certificate" or "account ann". */
  readonly subject: string;
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
  /** The kind of problem, of accounts; it does not change between versions. */
  readonly code?: string;
  readonly mailbox?: string;
  /** The first thousand. */
  readonly uids?: readonly number[];
  /** The first thousand. */
  readonly paths?: readonly string[];
}

/** A {@link Delivery} with tables of its own. */
export interface OpenDelivery extends Delivery {
  /** Octets of a message. */
  readonly limit: number;
  close(): Promise<void>;
}

/** The connections of a running server. */
export interface Sessions {
  list(): readonly SessionInfo[];
  /** Ends those that match, with a BYE that tells the reason. @returns how many there were */
  kick(matches: (session: SessionInfo) => boolean, reason: string): number;
}

/** Failed logins from one address or network, or of one user. */
export interface Penalty {
  readonly kind: "address" | "network" | "user";
  /** An IPv4 address or an IPv6 network; a wider one; the name of a user, who need not exist. */
  readonly name: string;
  readonly failures: number;
  /** Milliseconds since the last. */
  readonly age: number;
  /** Milliseconds of the pause after it. */
  readonly pause: number;
}

/** The failed logins that a running server remembers. */
export interface PenaltyTable {
  /** The newest first. */
  list(): readonly Penalty[];
  /** Forgets those of an address, of a user, or all. @returns how many there were */
  clear(which: { readonly address?: string; readonly user?: string }): number;
}

/**
 * One thing that can be done. `run` yields values that JSON can carry, and octets; `input` brings
 * what belongs to the call but comes piece by piece, as a message does; `gone` is aborted once nobody
 * waits for results any more.
 */
export interface Operation<Params, Result> {
  readonly run: (
    context: AdminContext,
    params: Params,
    input: AsyncIterable<unknown>,
    gone: AbortSignal,
  ) => AsyncIterable<Result>;
}

/** It cannot be done; the message is for whoever asked. */
export class AdminError extends Error {
  constructor(
    message: string,
    /** `usage`: asked for wrongly; exit status 2. */
    readonly kind: "failure" | "usage" = "failure",
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "AdminError";
  }
}

/** Any error as one for whoever asked; `undefined` for what only a bug can be. */
export function adminErrorOf(error: unknown): AdminError | undefined {
  if (error instanceof AdminError) return error;
  if (!(error instanceof StoreError)) return undefined;
  const inUse = /another process/.test(error.message)
    ? ": a server runs that has no control socket, or another command"
    : "";
  return new AdminError(error.message + inUse, "failure", { cause: error });
}
