/** Passwords that a program of the administrator's checks, behind a unix socket. */

import { connect, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../log.ts";
import type { Authenticator, AuthResult, ClientInfo } from "../auth.ts";
import { opened, type Patience, timeLeft } from "../peer_socket.ts";
import { checkRemotely, PeerUnavailable, refused } from "../remote_check.ts";
import { Turns } from "../turns.ts";

/** Programs that may run at once. */
const AT_ONCE = 16;

/** Milliseconds until the program is tried again where too many wait for it. */
const BUSY = 20;

/** Characters of an answer; a status has three. */
const LONGEST = 64;

export interface ExternalOptions {
  /** The unix socket. */
  readonly socket: string;
  /** Whether the program is told whole addresses, rather than what is before the `@`. */
  readonly perdomain: boolean;
  /** Domains of names with an `@`; any other is refused. */
  readonly domains: readonly string[];
  /** Milliseconds for a check, the connection included. */
  readonly timeout: number;
  readonly log: Log;
}

/**
 * Makes a connection for each check, sends a line with the name and one with the password, shuts
 * its own half, and reads a line with a status: 0 is yes, 1 is no, anything else a failure.
 */
export class External implements Authenticator {
  readonly can = { password: true, scram: [], token: false };
  readonly #options: ExternalOptions;
  readonly #turns = new Turns({ atOnce: AT_ONCE });
  readonly #closing = new AbortController();

  constructor(options: ExternalOptions) {
    this.#options = options;
  }

  checkPassword(username: string, password: string, client?: ClientInfo): Promise<AuthResult> {
    const { log } = this.#options;
    return checkRemotely("external", log, username, password, async () => {
      if (/[\r\n]/.test(password)) return refused("a line's end in the password");
      const name = this.#nameFor(username);
      if (name === undefined) return refused("a name of another domain, or without one");
      const ask = () => this.#ask(`${name}\n${password}\n`);
      const status = await this.#turns.take(ask, client?.standing);
      if (status === "0") return { ok: true, username };
      if (status === "1") return refused("unknown user or wrong password");
      throw new PeerUnavailable(`The program answered with status ${status}`);
    });
  }

  async close(): Promise<void> {
    this.#closing.abort(new PeerUnavailable("The server is closing"));
    await this.#turns.close();
  }

  /** What the program is told; undefined where it is not asked. */
  #nameFor(username: string): string | undefined {
    const { perdomain, domains } = this.#options;
    const at = username.lastIndexOf("@");
    if (at < 0) return perdomain ? undefined : username;
    const domain = username.slice(at + 1).toLowerCase();
    if (!domains.some((each) => each.toLowerCase() === domain)) return undefined;
    return perdomain ? username : username.slice(0, at);
  }

  async #connect(patience: Patience): Promise<Socket> {
    for (;;) {
      try {
        return await opened(connect({ path: this.#options.socket }), "connect", patience);
      } catch (error) {
        // Too many wait for the program; over TCP the system would wait itself.
        if (!isBusy(error) || Date.now() >= patience.deadline) throw error;
        await sleep(BUSY, undefined, { signal: patience.closing });
      }
    }
  }

  /** @returns the digits of the status */
  async #ask(question: string): Promise<string> {
    const patience = {
      deadline: Date.now() + this.#options.timeout,
      closing: this.#closing.signal,
    };
    const socket = await this.#connect(patience);
    const end = (error: Error) => socket.destroy(error);
    const late = setTimeout(
      () => end(new PeerUnavailable("No answer in time")),
      timeLeft(patience),
    );
    const aborted = () => end(patience.closing.reason);
    patience.closing.addEventListener("abort", aborted);
    try {
      socket.end(question);
      return await statusOf(socket);
    } finally {
      clearTimeout(late);
      patience.closing.removeEventListener("abort", aborted);
      socket.destroy();
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}

/** Reads the line with the status, whose end may be the end of the connection. */
async function statusOf(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1");
  for await (const piece of socket) {
    text += piece;
    if (text.includes("\n") || text.length > LONGEST) break;
  }
  const [, status] = text.match(/^(\d{1,3})\r?(?:\n|$)/) ?? [];
  if (status === undefined) throw new PeerUnavailable("Expected a line with a status");
  return status;
}
