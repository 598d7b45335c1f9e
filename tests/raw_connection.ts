/** A client that sends bytes and reads lines, for tests that look at a server from outside. */

import net from "node:net";
import tls from "node:tls";
import { Buffer } from "node:buffer";

/** How long a test waits for a line before it fails; never what decides a test that passes. */
const PATIENCE_MS = 30_000;

export class RawConnection {
  readonly #socket: net.Socket;
  #buffer = Buffer.alloc(0);
  #ended = false;
  #wake = () => {};
  #next = 1;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, bytes]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", end).on("close", end).on("error", end);
  }

  /** Connects without TLS. */
  static async plain(port: number): Promise<RawConnection> {
    const socket = net.connect({ host: "127.0.0.1", port });
    const connection = new RawConnection(socket);
    await once(socket, "connect");
    return connection;
  }

  /** Connects with TLS from the first byte; any certificate is taken. */
  static async tls(port: number): Promise<RawConnection> {
    const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    const connection = new RawConnection(socket);
    await once(socket, "secureConnect");
    return connection;
  }

  /** Connects with TLS, reads the greeting and logs in. */
  static async login(port: number, user: string, password: string): Promise<RawConnection> {
    const connection = await RawConnection.tls(port);
    await connection.line();
    await connection.ok(`LOGIN ${user} ${password}`);
    return connection;
  }

  /** True once the server has closed its side. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Does the TLS handshake on this connection; the new connection replaces this one. */
  async startTls(): Promise<RawConnection> {
    this.#socket.removeAllListeners("data");
    const socket = tls.connect({ socket: this.#socket, rejectUnauthorized: false });
    const connection = new RawConnection(socket);
    await once(socket, "secureConnect");
    return connection;
  }

  /**
   * Sends text as it is, one char as one byte. Settles when the kernel has taken it, or when the
   * connection has ended.
   */
  send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
    return new Promise((resolve, reject) => {
      if (bytes.length === 0 || this.#ended || this.#socket.destroyed) return resolve();
      const done = () => {
        clearTimeout(timer);
        this.#socket.off("close", done);
        resolve();
      };
      const timer = setTimeout(
        () => reject(new Error(`Expected the server to read ${bytes.length} bytes: it does not`)),
        PATIENCE_MS,
      );
      this.#socket.once("close", done);
      this.#socket.write(bytes, done);
    });
  }

  /** The next line without its CRLF; undefined once the server has closed the connection. */
  async line(): Promise<string | undefined> {
    const deadline = Date.now() + PATIENCE_MS;
    while (true) {
      const end = this.#buffer.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#buffer.toString("latin1", 0, end);
        this.#buffer = this.#buffer.subarray(end + 2);
        return line;
      }
      if (this.#ended) return undefined;
      await this.#more(deadline, "a line");
    }
  }

  /** The next `size` bytes, one char each; fewer when the server closes the connection. */
  async bytes(size: number): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (this.#buffer.length < size && !this.#ended) await this.#more(deadline, `${size} bytes`);
    const text = this.#buffer.toString("latin1", 0, size);
    this.#buffer = this.#buffer.subarray(size);
    return text;
  }

  /** Reads until the server closes the connection; returns what came. */
  async rest(): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#ended) await this.#more(deadline, "the end of the connection");
    return this.bytes(this.#buffer.length);
  }

  /**
   * Sends one command and reads up to its tagged reply, which is the last element; a line that
   * announces a literal comes together with the literal and what follows it.
   */
  async command(text: string): Promise<string[]> {
    const tag = `t${this.#next++}`;
    await this.send(`${tag} ${text}\r\n`);
    return this.until(tag);
  }

  /** Like {@link command}; fails unless the reply is OK, and leaves the tagged line out. */
  async ok(text: string): Promise<string[]> {
    const lines = await this.command(text);
    const reply = lines.pop() ?? "nothing";
    if (!/^t\d+ OK/.test(reply)) throw new Error(`Expected OK to ${text}: got ${reply}`);
    return lines;
  }

  /** Reads responses up to the one tagged `tag`. */
  async until(tag: string): Promise<string[]> {
    const lines: string[] = [];
    while (true) {
      const line = await this.#response();
      if (line === undefined) {
        throw new Error(`Expected a reply to ${tag}: got the end of the connection`);
      }
      lines.push(line);
      if (line.startsWith(`${tag} `)) return lines;
    }
  }

  /** Stores one message; the flags in parentheses, or nothing. */
  async append(mailbox: string, message: string | Uint8Array, flags = ""): Promise<void> {
    const bytes = typeof message === "string" ? Buffer.from(message, "utf8") : message;
    const tag = `t${this.#next++}`;
    await this.send(`${tag} APPEND "${mailbox}" ${flags && `${flags} `}{${bytes.length}}\r\n`);
    const line = await this.line();
    if (!line?.startsWith("+")) throw new Error(`Expected a continuation: got ${line}`);
    await this.send(bytes);
    await this.send("\r\n");
    const reply = (await this.until(tag)).pop();
    if (!reply?.startsWith(`${tag} OK`)) throw new Error(`Expected OK to APPEND: got ${reply}`);
  }

  /** Ends the connection without LOGOUT. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once("close", () => resolve());
      this.#socket.destroy();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #response(): Promise<string | undefined> {
    let text = await this.line();
    let size = text?.match(/\{(\d+)\}$/)?.[1];
    while (text !== undefined && size !== undefined) {
      text += `\r\n${await this.bytes(Number(size))}`;
      const rest: string = await this.line() ?? "";
      text += rest;
      size = rest.match(/\{(\d+)\}$/)?.[1];
    }
    return text;
  }

  async #more(deadline: number, what: string): Promise<void> {
    const left = deadline - Date.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, Math.max(left, 0));
    await promise;
    clearTimeout(timer);
    if (Date.now() >= deadline) {
      throw new Error(`Expected ${what} within ${PATIENCE_MS / 1000} s: got nothing`);
    }
  }
}

function once(socket: net.Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(error);
    socket.once("error", fail);
    socket.once(event, () => {
      socket.off("error", fail);
      resolve();
    });
  });
}
