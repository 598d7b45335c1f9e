/** Connections to an LDAP server, kept open for the next login. */

import { clearTimeout, setTimeout } from "node:timers";
import type { Standing } from "../auth.ts";
import { PeerUnavailable } from "../remote_check.ts";
import { Turns } from "../turns.ts";
import type { LdapConnection } from "./connection.ts";

/** More would only wait in the directory. */
const CONNECTIONS = 8;

/** Milliseconds that an unused connection is kept. */
const KEPT = 60_000;

interface Kept {
  readonly connection: LdapConnection;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Lends each connection to one task at a time. */
export class LdapPool {
  readonly #open: (closing: AbortSignal) => Promise<LdapConnection>;
  readonly #turns = new Turns({ atOnce: CONNECTIONS });
  readonly #kept: Kept[] = [];
  readonly #lent = new Set<LdapConnection>();
  readonly #closing = new AbortController();

  /** @param open rejects at once when its signal is aborted */
  constructor(open: (closing: AbortSignal) => Promise<LdapConnection>) {
    this.#open = open;
  }

  /**
   * Does `task` with a connection. If that is one that was kept and turns out to be lost, the
   * task is done again with another.
   *
   * @throws {PeerUnavailable} and what `task` throws
   */
  use<T>(task: (connection: LdapConnection) => Promise<T>, standing?: Standing): Promise<T> {
    return this.#turns.take(async () => {
      for (;;) {
        const kept = this.#take();
        const connection = kept ?? await this.#open(this.#closing.signal);
        this.#lent.add(connection);
        try {
          const result = await task(connection);
          this.#keep(connection);
          return result;
        } catch (error) {
          const lost = !connection.open && !this.#closing.signal.aborted;
          connection.close();
          if (kept === undefined || !lost) throw error;
        } finally {
          this.#lent.delete(connection);
        }
      }
    }, standing);
  }

  /** Closes all connections; tasks under way fail. */
  async close(): Promise<void> {
    this.#closing.abort(new PeerUnavailable("The server is closing"));
    const ended = this.#turns.close();
    for (const connection of this.#lent) connection.close();
    await ended;
    for (let kept = this.#take(); kept; kept = this.#take()) kept.close();
  }

  #take(): LdapConnection | undefined {
    for (;;) {
      const kept = this.#kept.pop();
      if (kept === undefined) return undefined;
      clearTimeout(kept.timer);
      if (kept.connection.open) return kept.connection;
      kept.connection.close();
    }
  }

  #keep(connection: LdapConnection): void {
    const timer = setTimeout(() => {
      this.#kept.splice(this.#kept.findIndex((each) => each.connection === connection), 1);
      connection.close();
    }, KEPT);
    timer.unref();
    this.#kept.push({ connection, timer });
  }
}
