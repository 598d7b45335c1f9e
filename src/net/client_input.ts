/** What a client sends, on its way to the framer: through TLS and decompression. */

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Disconnected } from "../imap/command.ts";
import type { Log } from "../log.ts";
import { Framer, type FramerLimits } from "../wire/framer.ts";
import type { TlsContext } from "./endpoint.ts";
import { Inflation } from "./inflation.ts";
import { secured } from "./secured.ts";

/** Who takes what comes out of the framer. */
export interface InputReader {
  /** So many octets, which the framer has now. */
  came(octets: number): void;
  /** False if the client has to wait with more. */
  mayReadAhead(): boolean;
  /** Nothing more comes. */
  ended(reason: Disconnected): void;
}

export class ClientInput {
  #socket: Socket;
  #framer: Framer;
  #inflation: Inflation | undefined;
  #octets = 0;

  constructor(
    socket: Socket,
    limits: FramerLimits,
    private readonly reader: InputReader,
    private readonly log: Log,
  ) {
    this.#socket = socket;
    this.#framer = new Framer(limits);
    this.#attach();
  }

  /** The outermost layer, which is written to, too. */
  get socket(): Socket {
    return this.#socket;
  }

  get framer(): Framer {
    return this.#framer;
  }

  /** How many came out of TLS and decompression. */
  get octets(): number {
    return this.#octets;
  }

  /** Has the client send on. */
  resume(): void {
    if (this.#inflation !== undefined) this.#inflation.resume();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Puts TLS onto the connection; what the framer has is forgotten. */
  secure(tls: TlsContext, limits: FramerLimits): TLSSocket {
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onEnd);
    this.#framer = new Framer(limits);
    const socket = secured(this.#socket, tls);
    this.#socket = socket;
    this.#attach();
    return socket;
  }

  /**
   * Whether the client compresses from here on: what came after the command that changes it is of the
   * other layer already.
   *
   * @see RFC 4978 §3, RFC 8437 §4.1
   */
  set compressed(on: boolean) {
    if (on) {
      this.#socket.off("data", this.#onData);
      this.#inflation = new Inflation(this.#socket, this.#framer.takeRest(), {
        bytes: this.#onData,
        failed: this.#onBrokenCompression,
      });
      return;
    }
    const rest = this.#inflation?.close();
    this.#inflation = undefined;
    this.#socket.on("data", this.#onData);
    if (rest !== undefined && rest.length > 0) this.#onData(rest);
  }

  /** Gives back what decompression holds. */
  close(): void {
    this.#inflation?.close();
  }

  #attach(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 120_000);
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onEnd);
    socket.on("error", this.#onError);
  }

  #onData = (bytes: Uint8Array): void => {
    this.#octets += bytes.length;
    this.#framer.push(bytes);
    if (this.#inflation === undefined && !this.reader.mayReadAhead()) this.#socket.pause();
    this.reader.came(bytes.length);
  };

  #onEnd = (): void => this.reader.ended(new Disconnected("The client closed the connection"));

  #onError = (error: Error): void =>
    this.reader.ended(new Disconnected(error.message, { cause: error }));

  #onBrokenCompression = (error: Error): void => {
    this.log.warn("compressed stream is broken", { error: error.message });
    const text = "The client's compressed stream is broken";
    this.reader.ended(new Disconnected(text, { cause: error }));
  };
}
