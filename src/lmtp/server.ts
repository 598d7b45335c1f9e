/** Takes in the clients of an endpoint, counts them, and serves each. */

import type { Socket } from "node:net";
import { setTimeout } from "node:timers";
import type { Log } from "../log.ts";
import { canonicalAddress, UNIX_PEER } from "../net/ip_address.ts";
import type { Acceptor, Arrival } from "../net/listener.ts";
import { LmtpConnection } from "./connection.ts";
import { reply, replyText } from "./reply.ts";
import type { LmtpService } from "./session.ts";
import type { Delivery } from "../delivery/delivery.ts";

/** What an {@link LmtpServer} needs. */
export interface LmtpServerOptions extends Omit<LmtpService, "delivery"> {
  /** Delivers, and tells of it in `log`. */
  readonly delivery: (log: Log) => Delivery;
  readonly log: Log;
  readonly ioDebug: boolean;
  /** Makes the id of a connection, the field `conn` of its log lines. */
  readonly nextId: () => string;
}

/** Milliseconds for messages to be stored after their connection was cut. */
const LAST_TURNS = 1000;

/** What one `[[lmtp]]` endpoint offers; its addresses are opened by `Listeners`. */
export class LmtpServer implements Acceptor {
  readonly #options: LmtpServerOptions;
  readonly #connections = new Set<LmtpConnection>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: LmtpServerOptions) {
    this.#options = options;
  }

  /** Clients that are connected. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Serves a new connection. */
  accept(socket: Socket, arrival: Arrival): void {
    const { log, limits, nextId, ioDebug, delivery, ...service } = this.#options;
    // Stays: an error without a listener would end the process.
    socket.on("error", () => {});
    const remote = peerOf(socket, arrival);
    if (this.#connections.size >= limits.connections) {
      log.warn("too many connections", { remote });
      socket.end(replyText(reply(421, "4.3.2", "Too many connections, try later")));
      socket.destroySoon();
      return;
    }
    const id = nextId();
    const connectionLog = log.with({ conn: id });
    connectionLog.debug("connected", { remote });
    const connection = new LmtpConnection(socket, {
      service: { ...service, limits, delivery: delivery(connectionLog) },
      log: connectionLog,
      ioDebug,
      id,
      remote,
    });
    this.#connections.add(connection);
    const running = connection.run().finally(() => {
      this.#connections.delete(connection);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  /** Ends each connection after the message that is coming; MTAs connect anew. */
  retire(): void {
    for (const connection of this.#connections) connection.shutdown();
  }

  /** Messages that are coming may end within `graceMs` milliseconds. */
  async close(graceMs: number): Promise<void> {
    this.retire();
    await Promise.race([Promise.all(this.#running), after(graceMs)]);
    for (const connection of this.#connections) connection.destroy();
    await Promise.race([Promise.all(this.#running), after(LAST_TURNS)]);
  }
}

function peerOf({ remoteAddress = "" }: Socket, { unix }: Arrival): string {
  return unix ? UNIX_PEER : canonicalAddress(remoteAddress) ?? remoteAddress;
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
