/** One client's connection: reads commands and messages, and ends in time. */

import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import type { Log } from "../log.ts";
import { Pace } from "../pace.ts";
import { FramingFault, LmtpFramer } from "./framer.ts";
import { type Reply, reply, replyText } from "./reply.ts";
import { type LmtpService, LmtpSession } from "./session.ts";
import type { Reception } from "./transaction.ts";

/** Octets of a command line. RFC 5321 §4.5.3.1.4 has 512, and extensions add to it. */
const LONGEST_LINE = 4096;
/** Octets that may lie unread before the client is made to wait. */
const READ_AHEAD = 256 * 1024;
/** Replies that wait to be sent together, in octets. */
const FULL = 16 * 1024;
/** Wrong commands in a row that end the connection. */
const PATIENCE = 50;

/** The client has gone. */
class Gone extends Error {
  override name = "Gone";
}

/** The server ends the connection; the reply is the last one. */
class Farewell extends Error {
  constructor(readonly reply: Reply) {
    super(String(reply.text));
    this.name = "Farewell";
  }
}

/** What a connection is given. */
export interface LmtpConnectionOptions {
  readonly service: LmtpService;
  readonly log: Log;
  /** What both sides say is logged, but for messages. */
  readonly ioDebug: boolean;
  readonly id: string;
  /** An IP address, or "unix". */
  readonly remote: string;
}

/** Serves one client. */
export class LmtpConnection {
  readonly #session: LmtpSession;
  readonly #framer = new LmtpFramer(LONGEST_LINE);
  readonly #pace = new Pace();
  #out = "";
  #wrong = 0;
  #ended: Gone | undefined;
  #farewell: Farewell | undefined;
  /** A message is coming, or being stored. */
  #receiving = false;
  #wake: (() => void) | undefined;

  constructor(private readonly socket: Socket, private readonly options: LmtpConnectionOptions) {
    const { service, log, id, remote } = options;
    this.#session = new LmtpSession(service, log, id, remote);
    socket.setNoDelay(true);
    socket.on("data", (bytes: Uint8Array) => {
      this.#framer.push(bytes);
      if (this.#framer.buffered > READ_AHEAD) socket.pause();
      this.#wake?.();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#ended ??= new Gone("The client closed the connection");
        this.#wake?.();
      });
    }
    socket.on("drain", () => this.#wake?.());
  }

  /** Serves the client until it leaves or has to. Never rejects. */
  async run(): Promise<void> {
    const { log, service } = this.options;
    try {
      this.#say({ code: 220, text: `${service.hostname} LMTP` });
      while (await this.#command());
      await this.#flush();
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.socket.end();
      // A client that does not close its side must not hold the socket.
      this.socket.destroySoon();
      log.debug("disconnected");
    }
  }

  /** Ends the connection after the message that is coming, if one is. */
  shutdown(): void {
    this.#farewell ??= new Farewell(
      reply(421, "4.3.2", "The server closes the connection, try again"),
    );
    this.#wake?.();
  }

  /** Ends it at once. */
  destroy(): void {
    this.socket.destroy();
  }

  /** @returns false when the connection is to end */
  async #command(): Promise<boolean> {
    const line = await this.#line();
    if (this.options.ioDebug) this.options.log.info("C:", { text: decoded(line) });
    const answer = await this.#session.answer(line);
    const { reception, ends } = answer;
    this.#say(answer.reply);
    if (reception !== undefined) await this.#receive(reception);
    this.#wrong = isWrong(answer.reply) ? this.#wrong + 1 : 0;
    if (this.#wrong >= PATIENCE) throw new Farewell(reply(421, "4.7.0", "Too many wrong commands"));
    if (this.#pace.due()) await this.#pace.turn();
    return !ends;
  }

  async #line(): Promise<Uint8Array> {
    const { idle, command } = this.options.service.limits;
    let deadline: number | undefined;
    for (;;) {
      if (this.#farewell !== undefined) throw this.#farewell;
      const line = this.#framer.line();
      if (line !== undefined) return line;
      await this.#flush();
      const now = performance.now();
      if (this.#framer.buffered > 0) deadline ??= now + command;
      const left = deadline === undefined ? Infinity : deadline - now;
      await this.#more(Math.min(idle, left));
    }
  }

  async #receive(reception: Reception): Promise<void> {
    this.#receiving = true;
    try {
      await this.#content(reception);
      const replies = await reception.end();
      this.#session.completed();
      for (const each of replies) this.#say(each);
    } catch (error) {
      await reception.abort();
      throw error;
    } finally {
      this.#receiving = false;
    }
    await this.#flush();
  }

  async #content(reception: Reception): Promise<void> {
    const { idle, data } = this.options.service.limits;
    const deadline = performance.now() + data;
    this.#framer.startContent();
    await this.#flush();
    for (;;) {
      const content = this.#framer.content();
      if (content !== undefined) {
        await reception.write(content.bytes);
        if (content.end) break;
      } else await this.#more(Math.min(idle, deadline - performance.now()));
      if (this.#pace.due()) await this.#pace.turn();
    }
    if (this.options.ioDebug) {
      this.options.log.info("C:", { text: `[${reception.octets} octets]` });
    }
  }

  /** Waits for octets. @param patience milliseconds */
  async #more(patience: number): Promise<void> {
    if (this.socket.isPaused()) this.socket.resume();
    const before = this.#framer.buffered;
    await this.#wait(
      () => this.#framer.buffered > before || !this.#receiving && this.#farewell !== undefined,
      patience,
      () => new Farewell(reply(421, "4.4.2", "Nothing came for too long")),
    );
  }

  #say(answer: Reply): void {
    const text = replyText(answer);
    if (this.options.ioDebug) this.options.log.info("S:", { text: text.trimEnd() });
    this.#out += text;
    // A client that reads no replies must not fill the memory with them.
    if (this.#out.length >= FULL) this.#write();
  }

  #write(): void {
    if (this.#out === "" || this.#ended !== undefined) return;
    this.socket.write(this.#out, "latin1");
    this.#out = "";
  }

  async #flush(): Promise<void> {
    this.#write();
    await this.#wait(
      () => !this.socket.writableNeedDrain,
      this.options.service.limits.idle,
      () => {
        this.socket.destroy();
        return new Gone("The client takes no replies");
      },
    );
  }

  /** Waits until `done`; the client's end is no reason to wait for. */
  async #wait(done: () => boolean, patience: number, late: () => Error): Promise<void> {
    if (done()) return;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.#wake?.();
    }, Math.max(0, patience));
    try {
      while (!done()) {
        if (this.#ended !== undefined) throw this.#ended;
        if (timedOut) throw late();
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { log } = this.options;
    if (error instanceof Gone) {
      log.debug("connection lost", { reason: error.message });
    } else if (error instanceof FramingFault) {
      log.warn("client does not speak LMTP", { error: error.message });
      await this.#last(reply(500, "5.5.2", error.message));
    } else if (error instanceof Farewell) {
      log.info("connection ended", { reason: error.message });
      await this.#last(error.reply);
    } else {
      log.bug(error);
      await this.#last(reply(421, "4.3.0", "Internal error"));
    }
  }

  async #last(answer: Reply): Promise<void> {
    this.#say(answer);
    await this.#flush().catch(() => {});
  }
}

/** Refused for what it is, not for whom it is about. */
function isWrong({ code }: Reply): boolean {
  return code >= 500 && code < 510;
}

function decoded(line: Uint8Array): string {
  return new TextDecoder().decode(line);
}
