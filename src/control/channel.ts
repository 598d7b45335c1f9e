/**
 * What goes over the control socket: items in both directions, each in a frame of one octet for
 * its kind, four for the length (big-endian) and the content. A call is one connection.
 */

import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";

/** What JSON can say. */
export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };

/** One piece of what is asked or answered: a value, or octets of a message or a file. */
export type Item = Json | Uint8Array;

/** The other side spoke something else, or went away in the midst. */
export class ControlFault extends Error {
  override name = "ControlFault";
}

const KIND = { json: 1, octets: 2, end: 3, failure: 4 } as const;

const HEADER = 5;
/** Milliseconds for the other side to close, once all is said. */
const PATIENCE = 5000;

/** Octets of one frame's content. */
const LONGEST = 64 * 1024 * 1024;

/** One end of a connection over the control socket. */
export class Channel {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #gone = new AbortController();
  #buffer = new Uint8Array(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    // Stays: an error without a listener would end the process; who reads or writes hears of it.
    socket.on("error", () => {});
    socket.once("close", () => this.#gone.abort(lost()));
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  /** Aborted, by a {@link ControlFault}, once the connection is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Sends one item; settles when more can be taken. @throws {ControlFault} */
  async send(item: Item): Promise<void> {
    if (item instanceof Uint8Array) await this.#write(KIND.octets, item);
    else await this.#write(KIND.json, new TextEncoder().encode(JSON.stringify(item ?? null)));
  }

  /** Says that no item follows. @throws {ControlFault} */
  async end(): Promise<void> {
    await this.#write(KIND.end, new Uint8Array(0));
  }

  /** Says, in place of {@link end}, that something failed. @throws {ControlFault} */
  async fail(failure: Json): Promise<void> {
    await this.#write(KIND.failure, new TextEncoder().encode(JSON.stringify(failure)));
  }

  /** The next item alone. @throws {ControlFault} when there is none */
  async first(): Promise<Item> {
    const { kind, content } = await this.#frame();
    if (kind === KIND.json) return jsonOf(content);
    if (kind === KIND.octets) return content;
    throw new ControlFault("Expected an item on the control socket, got the end");
  }

  /**
   * All items up to the end.
   *
   * @param failed makes the error to be thrown of what {@link fail} was given
   * @throws {ControlFault}
   */
  async *items(failed: (failure: Json) => Error): AsyncGenerator<Item, void> {
    for (;;) {
      const { kind, content } = await this.#frame();
      if (kind === KIND.end) return;
      if (kind === KIND.failure) throw failed(jsonOf(content));
      yield kind === KIND.json ? jsonOf(content) : content;
    }
  }

  /**
   * Waits until the other side has closed, once all is said: who closes first may take from the
   * other side what it has not read yet.
   */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#socket.destroy(), PATIENCE);
    try {
      while (!(await this.#chunks.next()).done);
    } catch {
      // It is gone already.
    } finally {
      clearTimeout(timer);
      this.#socket.destroy();
    }
  }

  async #write(kind: number, content: Uint8Array): Promise<void> {
    const frame = new Uint8Array(HEADER + content.length);
    frame[0] = kind;
    new DataView(frame.buffer).setUint32(1, content.length);
    frame.set(content, HEADER);
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(frame, (error) => {
        if (error) reject(lost(error));
        else resolve();
      });
    });
  }

  async #frame(): Promise<{ kind: number; content: Uint8Array<ArrayBuffer> }> {
    const header = await this.#octets(HEADER);
    const length = new DataView(header.buffer, header.byteOffset).getUint32(1);
    const [kind] = header;
    if (length > LONGEST || !Object.values<number>(KIND).includes(kind)) {
      throw new ControlFault("Expected a frame on the control socket, got something else");
    }
    return { kind, content: await this.#octets(length) };
  }

  async #octets(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const pieces = [this.#buffer];
    let have = this.#buffer.length;
    while (have < count) {
      const piece = await this.#more();
      pieces.push(new Uint8Array(piece));
      have += piece.length;
    }
    const all = pieces.length === 1 ? pieces[0] : concatenated(pieces, have);
    this.#buffer = all.subarray(count);
    return all.subarray(0, count);
  }

  async #more(): Promise<Uint8Array> {
    try {
      const { done, value } = await this.#chunks.next();
      if (!done) return value;
    } catch (error) {
      throw lost(error);
    }
    throw new ControlFault("The control connection ended too early");
  }
}

function lost(cause?: unknown): ControlFault {
  return new ControlFault("The control connection is gone", { cause });
}

function jsonOf(content: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder().decode(content));
  } catch (error) {
    throw new ControlFault("Expected JSON on the control socket, got something else", {
      cause: error,
    });
  }
}

function concatenated(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
