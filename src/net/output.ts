import type { Socket } from "node:net";
import { Buffer } from "node:buffer";
import { Disconnected, type Output } from "../imap/command.ts";
import type { ImapMeter } from "../imap/meter.ts";
import { type Buffers, SHORT_PATIENCE } from "./buffers.ts";
import { deflated } from "./deflated.ts";

/** Octets that may wait here, and in the socket, before the writer has to wait: of more TLS makes copies. */
const FULL = 128 * 1024;

/** Text is put together up to this length: what it is made of is still in the processor's cache. */
const TEXT_PIECE = 64 * 1024;

/** Below this, an encoder takes longer than a loop. */
const SHORT_TEXT = 64;

const UNDURABLE = "The mail store cannot make changes durable";

const ENCODER = new TextEncoder();

/**
 * Gathers a command's responses and writes them in few pieces. Holds nothing between commands.
 */
export class SocketOutput implements Output {
  #pieces: (string | Uint8Array)[] = [];
  #text = "";
  #size = 0;
  /** The peer that a flush waits for. */
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #broken: Error | undefined;
  /** A flush waits for what its text tells of to be durable. */
  #held = false;
  #written = 0;
  /** What was written ends in a line end. */
  #atLineStart = true;
  /** What is flushed from now on is compressed. @see RFC 4978 §3 */
  compressed = false;
  /** See `Output.midway`. */
  midway = false;

  /**
   * @param stalled milliseconds that a full socket may take no byte
   * @param meter is told how many octets were sent
   * @param syncing set while what was told of may not be durable yet
   * @param buffers where what the peer does not take is counted
   * @param owner as whose it is counted
   * @param tap sees everything that is written
   */
  constructor(
    private socket: Socket,
    private readonly stalled: number,
    private readonly meter: ImapMeter,
    private readonly syncing: () => Promise<void> | undefined,
    private readonly buffers: Buffers,
    private readonly owner: () => string,
    private readonly tap?: (text: string) => void,
  ) {
    this.use(socket);
  }

  /** Goes on with another socket, after STARTTLS. */
  use(socket: Socket): void {
    this.socket = socket;
    socket.on("drain", () => this.#waiting?.resolve());
  }

  /** Lets a waiting writer know that the connection is gone. */
  break(error: Error): void {
    this.#broken = error;
    this.#waiting?.reject(error);
  }

  /** Octets that were written so far, before compression. */
  get written(): number {
    return this.#written;
  }

  get full(): boolean {
    return this.#size >= FULL;
  }

  text(text: string): void {
    this.#text += text;
    this.#size += text.length;
    if (this.#text.length >= TEXT_PIECE) this.#endText();
  }

  /** What waits here ends in a line end. */
  #endsLine(): boolean {
    const last = this.#text === "" ? this.#pieces.at(-1) : this.#text;
    return typeof last === "string" && last.endsWith("\n");
  }

  #endText(): void {
    if (this.#text !== "") this.#pieces.push(this.#text);
    this.#text = "";
  }

  bytes(bytes: Uint8Array): void {
    this.#endText();
    this.#pieces.push(bytes);
    this.#size += bytes.length;
  }

  /** See `Dialogue.interject`. @returns false where it cannot be sent now */
  interject(response: string): boolean {
    const atLineStart = this.#size === 0 ? this.#atLineStart : this.#endsLine();
    if (this.#broken || this.#waiting || this.#held || this.midway || !atLineStart) return false;
    // What waits here may tell of what is not durable yet.
    if (this.#size > 0 && this.syncing() !== undefined) return false;
    this.text(response);
    this.#write();
    return true;
  }

  async flush(): Promise<void> {
    if (this.#broken) throw this.#broken;
    if (this.#size === 0) return;
    const syncing = this.syncing();
    if (syncing !== undefined) await this.#hold(syncing);
    const size = this.#size;
    if (!this.#write()) await this.#drained(size);
  }

  /** @throws {Disconnected} if what was to be told can be undone by a power failure */
  async #hold(syncing: Promise<void>): Promise<void> {
    this.#held = true;
    try {
      await syncing;
    } catch (error) {
      this.#held = false;
      this.#sayInstead(`* BYE [UNAVAILABLE] ${UNDURABLE}\r\n`);
      throw new Disconnected(UNDURABLE, { cause: error });
    } finally {
      this.#held = false;
    }
    if (this.#broken) throw this.#broken;
  }

  /** Forgets what waits here, which may not stay true. */
  #sayInstead(last: string): void {
    this.#pieces = [];
    this.#text = "";
    this.#size = 0;
    if (this.#broken || !this.#atLineStart) return;
    this.text(last);
    this.#write();
  }

  /** @returns false when the socket's own buffer is full */
  #write(): boolean {
    this.#atLineStart = this.#endsLine();
    const pieces = this.#pieces;
    const text = this.#text;
    const size = this.#size;
    this.#pieces = [];
    this.#text = "";
    this.#size = 0;
    this.#written += size;
    this.meter.sent(size);
    if (this.tap) { for (const piece of [...pieces, text]) this.tap(tapped(piece)); }
    if (pieces.length === 0 && !this.compressed) return this.socket.write(text, "latin1");
    if (text !== "") pieces.push(text);
    const whole = joined(pieces, size);
    return this.socket.write(this.compressed ? deflated(whole) : whole);
  }

  async #drained(size: number): Promise<void> {
    const owner = this.owner();
    const counted = this.buffers.take(owner, size);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting = { resolve, reject };
    const timer = setTimeout(
      () => this.socket.destroy(new Error("The client takes no data")),
      counted ? this.stalled : Math.min(this.stalled, SHORT_PATIENCE),
    );
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      if (counted) this.buffers.give(owner, size);
      this.#waiting = undefined;
    }
  }
}

function joined(pieces: readonly (string | Uint8Array)[], size: number): Uint8Array {
  const whole = Buffer.allocUnsafe(size);
  let end = 0;
  for (const piece of pieces) {
    if (typeof piece === "string") writeText(piece, whole, end);
    else whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

/** Buffer.write makes an array first, and takes five to ten times as long as either way here. */
function writeText(text: string, into: Uint8Array, at: number): void {
  if (text.length >= SHORT_TEXT) {
    const { read, written } = ENCODER.encodeInto(text, into.subarray(at));
    // What is ASCII only is the same in UTF-8.
    if (read === text.length && written === text.length) return;
  }
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
}

function tapped(piece: string | Uint8Array): string {
  return typeof piece === "string" ? piece : `[${piece.length} octets]`;
}
