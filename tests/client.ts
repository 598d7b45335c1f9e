/** A raw IMAP client for tests: it sends what it is told and hands back what came, byte for byte. */

import { Buffer } from "node:buffer";
import * as net from "node:net";
import { Duplex } from "node:stream";
import * as tls from "node:tls";
import * as zlib from "node:zlib";

/** How long a test waits for one response, in milliseconds. */
export const PATIENCE = 10_000;

export type ServerAddress =
  | { readonly host: string; readonly port: number }
  /** A unix socket. */
  | { readonly path: string };

/** The answer to one command. */
export interface Answer {
  /** What came before the tagged reply: untagged responses, and continuations. */
  readonly untagged: readonly string[];
  /** The tagged reply without its tag: `OK Done`. */
  readonly reply: string;
}

/** No response came within the patience of the test. */
export class Silence extends Error {
  override readonly name = "Silence";
}

/**
 * One connection. Text is latin-1 everywhere: one char is one byte, also inside literals.
 */
export class ImapClient {
  #socket: net.Socket;
  /** Bytes that came and are not yet read, as pieces: joined only when a response is looked for. */
  #pieces: string[] = [];
  #ended = false;
  #wake: () => void = () => {};
  #tags = 0;
  #deflate: zlib.DeflateRaw | undefined;
  #inflate: zlib.InflateRaw | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Connects, with TLS from the first byte if `mode` says so. The greeting is left to be read. */
  static async connect(
    address: ServerAddress,
    mode: "plain" | "tls" = "plain",
  ): Promise<ImapClient> {
    return new ImapClient(await (mode === "tls" ? connectTls(address) : connectPlain(address)));
  }

  /** Connects and sends `first`, in one packet with the ClientHello if there is TLS after it. */
  static async behindProxy(
    address: ServerAddress,
    first: Uint8Array,
    mode: "plain" | "tls" = "plain",
  ): Promise<ImapClient> {
    const socket = await connectPlain(address);
    if (mode === "plain") {
      socket.write(first);
      return new ImapClient(socket);
    }
    const secure = tls.connect({ socket: prefixed(socket, first), rejectUnauthorized: false });
    await settled(secure, "secureConnect");
    return new ImapClient(secure);
  }

  /** Connects and logs in; the responses to both are read. */
  static async login(
    address: ServerAddress,
    user: string,
    password: string,
    mode: "plain" | "tls" = "plain",
  ): Promise<ImapClient> {
    const client = await ImapClient.connect(address, mode);
    await client.response();
    const { reply } = await client.command(`LOGIN ${quoted(user)} ${quoted(password)}`);
    if (!reply.startsWith("OK")) throw new Error(`Expected the login to work: got "${reply}"`);
    return client;
  }

  /** Sends exactly these bytes. */
  send(bytes: string | Uint8Array): void {
    const sent = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    if (this.#deflate === undefined) return void this.#socket.write(sent);
    this.#deflate.write(sent);
    this.#deflate.flush(zlib.constants.Z_SYNC_FLUSH);
  }

  /** Sends one line; CRLF is added. */
  line(text: string): void {
    this.send(`${text}\r\n`);
  }

  /**
   * The next response with its literals inside, as `BODY[] {5}\r\nhello)`, without the last CRLF;
   * undefined once the server has closed the connection.
   *
   * @throws {Silence} if it does not come in time
   */
  async response(patience = PATIENCE): Promise<string | undefined> {
    const deadline = Date.now() + patience;
    for (;;) {
      const buffer = this.#pieces.join("");
      const end = endOfResponse(buffer);
      if (end >= 0) {
        this.#pieces = [buffer.slice(end)];
        return buffer.slice(0, end - 2);
      }
      this.#pieces = [buffer];
      if (this.#ended) return undefined;
      await this.#moreUntil(deadline, patience);
    }
  }

  /**
   * Sends a command under a fresh tag and reads to its tagged reply.
   *
   * @throws {Silence} if it does not come in time
   */
  async command(text: string, patience = PATIENCE): Promise<Answer> {
    const tag = `t${++this.#tags}`;
    this.line(`${tag} ${text}`);
    return await this.answer(tag, patience);
  }

  /** Reads to the reply tagged `tag`. @throws {Silence} if it does not come in time */
  async answer(tag: string, patience = PATIENCE): Promise<Answer> {
    const untagged: string[] = [];
    for (;;) {
      const response = await this.response(patience);
      if (response === undefined) {
        throw new Error(`Expected a reply to "${tag}": got the end of the connection`);
      }
      if (response.startsWith(`${tag} `)) {
        return { untagged, reply: response.slice(tag.length + 1) };
      }
      untagged.push(response);
    }
  }

  /**
   * APPENDs `message` to `mailbox` with a synchronizing literal.
   *
   * @param options flags and date as they go over the wire: `(\Seen) "01-Jan-2026 00:00:00 +0000"`
   */
  async append(mailbox: string, message: string, options = ""): Promise<Answer> {
    const tag = `t${++this.#tags}`;
    const arguments_ = [quoted(mailbox), options, `{${message.length}}`].filter((a) => a !== "");
    this.line(`${tag} APPEND ${arguments_.join(" ")}`);
    const go = await this.response();
    if (!go?.startsWith("+")) throw new Error(`Expected a continuation: got "${go}"`);
    this.line(message);
    return await this.answer(tag);
  }

  /** Begins a TLS handshake on this connection and waits until it is done. */
  async startTls(): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners();
    const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
    this.#socket = secure;
    await settled(secure, "secureConnect");
    this.#listen(secure);
  }

  /** Compresses both ways from here on, by one stream for each that lasts. */
  compress(): void {
    const deflate = this.#deflate = zlib.createDeflateRaw();
    const inflate = this.#inflate = zlib.createInflateRaw();
    deflate.on("data", (bytes: Buffer) => this.#socket.write(bytes));
    inflate.on("data", (bytes: Buffer) => this.#received(bytes));
    inflate.on("error", () => this.#socket.destroy());
  }

  /** Compresses no longer. */
  uncompress(): void {
    this.#deflate = undefined;
    this.#inflate = undefined;
  }

  /** Closes without LOGOUT and waits until the socket is gone. */
  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.destroy();
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #listen(socket: net.Socket): void {
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("data", (chunk: Buffer) => {
      if (this.#inflate === undefined) this.#received(chunk);
      else this.#inflate.write(chunk);
    });
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  #received(bytes: Buffer): void {
    this.#pieces.push(bytes.toString("latin1"));
    this.#wake();
  }

  async #moreUntil(deadline: number, patience: number): Promise<void> {
    const more = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => more.reject(new Silence(`Expected a response within ${patience} ms: got nothing`)),
      Math.max(0, deadline - Date.now()),
    );
    this.#wake = () => more.resolve();
    try {
      await more.promise;
    } finally {
      clearTimeout(timer);
      this.#wake = () => {};
    }
  }
}

/** `text` as a quoted string. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The index after the CRLF that ends the first response in `buffer`; -1 if it is not all there. */
function endOfResponse(buffer: string): number {
  for (let from = 0;;) {
    const end = buffer.indexOf("\r\n", from);
    if (end < 0) return -1;
    const literal = /\{(\d+)\}$/.exec(buffer.slice(Math.max(from, end - 24), end));
    from = end + 2;
    if (!literal) return from;
    from += Number(literal[1]);
    if (from > buffer.length) return -1;
  }
}

async function connectPlain(address: ServerAddress): Promise<net.Socket> {
  const socket = net.connect({ ...address, noDelay: true });
  await settled(socket, "connect");
  return socket;
}

/** The certificate is not looked at: test servers sign their own. */
async function connectTls(address: ServerAddress): Promise<net.Socket> {
  const socket = tls.connect({ ...address, rejectUnauthorized: false });
  await settled(socket, "secureConnect");
  return socket;
}

/** A stream over `socket` that puts `first` before the first bytes, in the same packet. */
function prefixed(socket: net.Socket, first: Uint8Array): Duplex {
  let waiting = [first];
  const stream = new Duplex({
    allowHalfOpen: false,
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      socket.write(Buffer.concat([...waiting, chunk]), done);
      waiting = [];
    },
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (bytes) => stream.push(bytes));
  socket.on("close", () => stream.push(null));
  return stream;
}

/** Waits for `event`, which tells that the socket can be used. */
async function settled(socket: net.Socket, event: "connect" | "secureConnect"): Promise<void> {
  const done = Promise.withResolvers<void>();
  const fail = (error?: Error | boolean) => {
    done.reject(
      error instanceof Error
        ? error
        : new Error(`Expected "${event}": got the end of the connection`),
    );
  };
  const timer = setTimeout(() => {
    socket.destroy();
    done.reject(new Silence(`Expected "${event}" within ${PATIENCE} ms: got nothing`));
  }, PATIENCE);
  socket.once(event, () => done.resolve());
  socket.once("error", fail);
  socket.once("close", fail);
  try {
    await done.promise;
  } finally {
    clearTimeout(timer);
    socket.removeListener("error", fail);
    socket.removeListener("close", fail);
  }
}
