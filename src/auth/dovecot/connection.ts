/** One connection to Dovecot's auth process, with many logins under way at once. */

import { connect, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { opened, type Patience, timeLeft } from "../peer_socket.ts";
import { PeerUnavailable } from "../remote_check.ts";
import {
  authLine,
  type AuthReply,
  type AuthRequest,
  greeting,
  LONGEST_LINE,
  parseReply,
} from "./auth_protocol.ts";

/** A unix socket, or a host and port. */
export type DovecotEndpoint =
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

/** The answer to a request. */
export type AuthAnswer = Extract<AuthReply, { readonly type: "ok" | "fail" | "continue" }>;

/** Characters of an unfinished line that are kept; Dovecot's own are shorter. */
const LONGEST_REPLY = 8 * LONGEST_LINE;

/** Is not opened again when it was lost. */
export class DovecotConnection {
  readonly #socket: Socket;
  readonly #asked = new Map<number, PromiseWithResolvers<AuthAnswer>>();
  readonly #mechanisms = new Set<string>();
  readonly #shaken = Promise.withResolvers<void>();
  #partial = "";
  #next = 1;
  #lost?: Error;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#shaken.promise.catch(() => {});
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#read(text));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new PeerUnavailable("The connection was closed")));
  }

  /** @throws {Error} when Dovecot cannot be reached, or speaks another protocol */
  static async open(endpoint: DovecotEndpoint, patience: Patience): Promise<DovecotConnection> {
    const socket = await opened(connect({ ...endpoint }), "connect", patience);
    const connection = new DovecotConnection(socket);
    // Two clients with the same number are a bug, says Dovecot.
    const [number] = crypto.getRandomValues(new Uint32Array(1));
    socket.write(greeting((number >>> 1) || 1));
    const late = setTimeout(
      () => connection.#fail(new PeerUnavailable("No handshake in time")),
      timeLeft(patience),
    );
    try {
      await connection.#shaken.promise;
      return connection;
    } finally {
      clearTimeout(late);
    }
  }

  /** False when nobody can be asked any more. */
  get open(): boolean {
    return this.#lost === undefined;
  }

  /**
   * Asks about one login.
   *
   * @param timeout milliseconds
   * @throws {Error} when there is no answer
   */
  async ask(request: Omit<AuthRequest, "id">, timeout: number): Promise<AuthAnswer> {
    if (this.#lost !== undefined) throw this.#lost;
    const id = this.#next++;
    const line = authLine({ ...request, id });
    if (line.length > LONGEST_LINE) throw new PeerUnavailable("The request is too long");
    const answer = Promise.withResolvers<AuthAnswer>();
    this.#asked.set(id, answer);
    const late = setTimeout(
      () => answer.reject(new PeerUnavailable("No answer in time")),
      timeout,
    );
    this.#socket.write(line);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(late);
      this.#asked.delete(id);
    }
  }

  /** Fails all that is under way. */
  close(): void {
    this.#fail(new PeerUnavailable("The server is closing"));
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#take(parseReply(line));
    if (this.#partial.length > LONGEST_REPLY) {
      this.#fail(new PeerUnavailable("Expected lines of Dovecot's auth protocol"));
    }
  }

  #take(reply: AuthReply): void {
    switch (reply.type) {
      case "version":
        if (reply.major === 1) return;
        return this.#fail(
          new PeerUnavailable(`Expected version 1 of Dovecot's auth protocol, got ${reply.major}`),
        );
      case "mechanism":
        this.#mechanisms.add(reply.name);
        return;
      case "done":
        if (this.#mechanisms.has("PLAIN")) return this.#shaken.resolve();
        return this.#fail(new PeerUnavailable("Expected Dovecot to offer the mechanism PLAIN"));
      case "ok":
      case "fail":
      case "continue":
        this.#asked.get(reply.id)?.resolve(reply);
        return;
      case "other":
        return;
    }
  }

  #fail(error: Error): void {
    this.#lost ??= error;
    this.#socket.destroy();
    this.#shaken.reject(error);
    for (const asked of this.#asked.values()) asked.reject(error);
  }
}
