/** A raw LMTP client: lines out, replies in. */

import net from "node:net";
import { Buffer } from "node:buffer";

/** How long a test waits for a reply before it fails; never what decides a test that passes. */
const PATIENCE_MS = 30_000;

export class LmtpClient {
  readonly #socket: net.Socket;
  #buffer = "";
  #ended = false;
  #wake = () => {};

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#buffer += bytes.toString("latin1");
      this.#wake();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  /** Connects, and reads the greeting. */
  static async connect(where: { path: string } | { port: number }): Promise<LmtpClient> {
    const socket = net.connect("path" in where ? where : { ...where, host: "127.0.0.1" });
    const client = new LmtpClient(socket);
    const greeting = await client.reply();
    if (!greeting.startsWith("220 ")) throw new Error(`Expected a greeting, got ${greeting}`);
    return client;
  }

  /** Connects and says LHLO. */
  static async greeted(where: { path: string } | { port: number }): Promise<LmtpClient> {
    const client = await LmtpClient.connect(where);
    await client.says("LHLO client.example.org", /^250/);
    return client;
  }

  /** Sends octets as they are, one char as one octet. */
  send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
    return new Promise((resolve) => {
      if (this.#ended || this.#socket.destroyed) return resolve();
      const done = () => {
        this.#socket.off("close", done);
        resolve();
      };
      this.#socket.once("close", done);
      this.#socket.write(bytes, done);
    });
  }

  /** The next reply, its lines joined by LF; "" once the server has closed the connection. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#line();
      if (line === undefined) return lines.join("\n");
      lines.push(line);
      if (!/^\d{3}-/.test(line)) return lines.join("\n");
    }
  }

  async replies(count: number): Promise<string[]> {
    const all: string[] = [];
    while (all.length < count) all.push(await this.reply());
    return all;
  }

  /** Sends a line, and returns its reply, which must match. */
  async says(line: string, wanted: RegExp): Promise<string> {
    await this.send(`${line}\r\n`);
    const reply = await this.reply();
    if (!wanted.test(reply)) throw new Error(`Expected ${wanted} to ${line}, got ${reply}`);
    return reply;
  }

  /**
   * Sends a message with CRLF line ends and dots that are stuffed, and gives the replies after it,
   * one for each recipient that was accepted.
   */
  async deliver(
    recipients: readonly string[],
    message: string,
    sender = "sender@example.net",
  ): Promise<string[]> {
    await this.says(`MAIL FROM:<${sender}>`, /^250/);
    for (const each of recipients) await this.says(`RCPT TO:<${each}>`, /^250/);
    await this.says("DATA", /^354/);
    const lines = message.replace(/\r?\n/g, "\r\n").replace(/^\./gm, "..");
    await this.send(`${lines}${lines.endsWith("\r\n") ? "" : "\r\n"}.\r\n`);
    return await this.replies(recipients.length);
  }

  /** All that comes until the server closes the connection. */
  async rest(): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#ended) await this.#more(deadline);
    return this.#buffer;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.closed) return resolve();
      this.#socket.once("close", () => resolve());
      this.#socket.destroy();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #line(): Promise<string | undefined> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const end = this.#buffer.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#buffer.slice(0, end);
        this.#buffer = this.#buffer.slice(end + 2);
        return line;
      }
      if (this.#ended) return undefined;
      await this.#more(deadline);
    }
  }

  async #more(deadline: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, Math.max(deadline - Date.now(), 0));
    await promise;
    clearTimeout(timer);
    if (Date.now() >= deadline) throw new Error("Expected a reply within 30 s: got nothing");
  }
}
