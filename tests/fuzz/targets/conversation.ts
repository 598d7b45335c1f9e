/** One connection of a client that says anything, and what a server may answer. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import net from "node:net";
import { Malformed, matchResponse } from "../../transcript_match.ts";

/** Where in a session the octets come. */
export const STATES = ["not authenticated", "authenticated", "selected", "idle"] as const;
export type State = typeof STATES[number];

/** How long a server may take until it has closed, in milliseconds. */
const PATIENCE = 20_000;
/** How long it is listened to what waits for more, in milliseconds. */
const QUIET = 100;

/** What has no tagged answer at once, or is followed by other octets than those of IMAP. */
const UNEVEN = /IDLE|AUTHENTICATE|STARTTLS|COMPRESS|LOGOUT|UNAUTHENTICATE|\{/i;

export interface Peer {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/**
 * Says `octets` in a state, and LOGOUT; the server has to answer in responses that are well formed,
 * and to close.
 *
 * @returns all that it said
 */
export async function converse(
  { port, user, password }: Peer,
  state: State,
  octets: Uint8Array,
): Promise<string> {
  const client = await Client.connect(port);
  try {
    await client.until(/^\* OK /);
    if (state !== "not authenticated") await client.ok(`LOGIN ${user} ${password}`);
    if (state === "selected" || state === "idle") await client.ok("SELECT INBOX");
    if (state === "idle") {
      client.write("i IDLE\r\n");
      await client.until(/^\+ /);
    }
    client.write(octets);
    const text = Buffer.from(octets).toString("latin1");
    const even = !UNEVEN.test(text) && state !== "idle" && text.length < 4000;
    client.write(even ? "\r\nzz LOGOUT\r\n" : "\r\n*\r\nDONE\r\nzz LOGOUT\r\n");
    // What waits for the rest of a literal waits for ever.
    if (!even) await client.endWhenQuiet();
    const said = await client.rest();
    checkResponses(said);
    if (even) checkAnswers(text, said);
    return said;
  } finally {
    client.destroy();
  }
}

/** Each response by itself; what follows the start of TLS or DEFLATE is not read. */
function checkResponses(said: string): void {
  for (const response of responsesIn(said)) {
    assert.doesNotMatch(response, /^\S+ NO \[SERVERBUG\]/);
    try {
      matchResponse("...", response, new Map());
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      assert.fail(`Malformed: ${error.message}: ${JSON.stringify(response.slice(0, 500))}`);
    }
    if (/^\S+ OK (?:DEFLATE active|Begin the TLS)/.test(response)) return;
  }
}

/** Each line is answered once, until the server says goodbye. */
function checkAnswers(text: string, said: string): void {
  const responses = responsesIn(said);
  const answers = responses.filter((each) => /^(?:\* BAD|(?!\* )\S+ (?:OK|NO|BAD)) /.test(each));
  const bye = responses.find((each) => each.startsWith("* BYE"));
  assert.ok(bye !== undefined, `no goodbye: ${JSON.stringify(said.slice(-300))}`);
  if (
    !/^\* BYE (?:\[[^\]]*\] )?(?:Logging out|Bye|Good)/i.test(bye) &&
    !answers.at(-1)?.startsWith("zz ")
  ) return;
  const lines = `${text}\r\nzz LOGOUT\r\n`.split("\n").length - 1;
  assert.equal(answers.length, lines, `answers to ${lines} lines: ${JSON.stringify(said)}`);
}

/** Cuts what a server said into responses, with their literals and without their last CRLF. */
function responsesIn(said: string): string[] {
  const responses: string[] = [];
  let start = 0;
  for (let from = 0;;) {
    const end = said.indexOf("\r\n", from);
    if (end < 0) break;
    const literal = /\{(\d+)\}$/.exec(said.slice(Math.max(from, end - 24), end));
    from = end + 2;
    if (literal !== null) from += Number(literal[1]);
    if (literal !== null && !said.startsWith("+ ", start)) continue;
    responses.push(said.slice(start, end));
    start = from;
  }
  return responses;
}

/** A socket that is written to and read in lines; nothing of it fails before it is looked at. */
class Client {
  readonly #socket: net.Socket;
  #said = "";
  #ended = false;
  #tags = 0;
  #wake = () => {};

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#said += text;
      this.#wake();
    });
    for (const event of ["end", "close", "error"] as const) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  static async connect(port: number): Promise<Client> {
    const socket = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return client;
  }

  write(octets: string | Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(octets as string, "latin1");
  }

  /** Closes this side once nothing more comes. */
  async endWhenQuiet(): Promise<void> {
    while (!this.#ended && await this.#comes(QUIET));
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Says a command that has to be answered OK. */
  async ok(command: string): Promise<void> {
    const tag = `s${++this.#tags}`;
    this.write(`${tag} ${command}\r\n`);
    const line = await this.until(new RegExp(`^${tag} `));
    assert.match(line, /^s\d+ OK /);
  }

  /** Takes lines up to the first one that fits. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const end = this.#said.indexOf("\r\n");
      if (end < 0) {
        assert.ok(!this.#ended, `Expected ${pattern}: got the end`);
        await this.#more();
        continue;
      }
      const line = this.#said.slice(0, end);
      this.#said = this.#said.slice(end + 2);
      if (pattern.test(line)) return line;
    }
  }

  /** All that comes until the server closes. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#more();
    return this.#said;
  }

  async #more(): Promise<void> {
    assert.ok(
      await this.#comes(PATIENCE),
      `Expected the server to go on: it said ${JSON.stringify(this.#said.slice(-300))}`,
    );
  }

  /** Whether anything comes in time. */
  async #comes(patience: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#wake = () => resolve(true);
    const timer = setTimeout(() => resolve(false), patience);
    const came = await promise;
    clearTimeout(timer);
    this.#wake = () => {};
    return came;
  }
}

/** Logs in and says commands that have to be answered OK. */
export async function prepare(
  { port, user, password }: Peer,
  commands: readonly string[],
): Promise<void> {
  const client = await Client.connect(port);
  try {
    await client.until(/^\* OK /);
    for (const command of [`LOGIN ${user} ${password}`, ...commands]) await client.ok(command);
  } finally {
    client.destroy();
  }
}
