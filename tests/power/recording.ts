/** Records the system calls of a server with real sessions on it. */

import { isInstalled } from "../clients/programs.ts";
import { fileURLToPath } from "node:url";
import { LmtpClient } from "../lmtp/client.ts";
import { type LmtpTestServer, startLmtpServer } from "../lmtp/serving.ts";
import { Random } from "../model/random.ts";
import { DISK_CALLS, joined } from "./disk.ts";
import { parseTrace, type SystemCall, UnendedCall } from "./system_calls.ts";
import { nameOf } from "./truth.ts";
import { WritingSession } from "./writing_session.ts";

/** Calls by which a reply may go out. */
const SOCKET_CALLS = ["write", "writev", "sendto", "sendmsg", "sendmmsg"];

const TRACED: ReadonlySet<string> = new Set([...DISK_CALLS, ...SOCKET_CALLS]);

/** The program, with what it asks of the system added to a file. */
export function tracedProgram(log: string): string[] {
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  // A grandchild, so that signals reach the program; octets in full, one run after the other.
  const strace = ["strace", "-D", "-f", "-y", "-A", "-s", "10000000", "--seccomp-bpf", "-o", log];
  return [...strace, "-e", `trace=${[...TRACED]}`, Deno.execPath(), "run", "-A", main];
}

export interface Recording {
  /** The folder that the server had; what it wrote outside is not looked at. */
  readonly dir: string;
  readonly user: string;
  readonly calls: readonly SystemCall[];
  readonly sessions: readonly WritingSession[];
  /** Texts of what LMTP delivered to INBOX, in the order of the replies. */
  readonly delivered: readonly string[];
}

/** An OK, or a 250 after DATA. */
export interface Reply {
  /** The tag; `lmtp 1` for the first message that LMTP delivered. */
  readonly tag: string;
  /** Where the system was asked to send it. */
  readonly line: number;
}

/** Why calls cannot be recorded here; undefined if they can. */
export function whyNotRecorded(): string | undefined {
  if (!isInstalled("strace")) return "no strace here";
  const { success } = new Deno.Command("strace", {
    args: ["-f", "-o", "/dev/null", "true"],
    stdout: "null",
    stderr: "null",
  }).outputSync();
  return success ? undefined : "ptrace is not allowed";
}

/**
 * @param seed of all choices
 * @param work what the sessions do
 * @param attempts how often it is begun, if the server happens to be killed in a call
 */
export async function record(
  seed: number,
  sessions: number,
  work: (parts: Parts) => Promise<void>,
  attempts = 5,
): Promise<Recording> {
  const folder = await Deno.makeTempDir({ prefix: "imapd-strace-" });
  const log = `${folder}/log`;
  const { dir, parts, user } = await (async () => {
    await using server = await startLmtpServer({
      command: tracedProgram(log),
    });
    const user = server.freshUser();
    const parts = new Parts(seed, sessions, server, user);
    await work(parts);
    await parts.disconnect();
    await server.stop();
    return { dir: server.dir, parts, user };
  })();
  const text = await Deno.readTextFile(log);
  await Deno.remove(folder, { recursive: true });
  try {
    const calls = parseTrace(text, TRACED);
    return { dir, user, calls, sessions: parts.sessions, delivered: parts.delivered };
  } catch (error) {
    if (!(error instanceof UnendedCall) || attempts <= 1) throw error;
    return await record(seed, sessions, work, attempts - 1);
  }
}

/** A server that is recorded, and who uses it. */
export class Parts {
  readonly sessions: readonly WritingSession[];
  readonly delivered: string[] = [];
  readonly random: Random;
  #lmtp: LmtpClient | undefined;

  constructor(
    seed: number,
    sessions: number,
    readonly server: LmtpTestServer,
    readonly user: string,
  ) {
    this.random = new Random(seed);
    this.sessions = Array.from("abcdefgh".slice(0, sessions)).map((prefix) =>
      new WritingSession(prefix, new Random(this.random.below(2 ** 31)))
    );
  }

  /** Kills the server, in the middle of what it does in the background, and starts it again. */
  async kill(): Promise<void> {
    await this.server.stop("SIGKILL");
    await this.disconnect();
    await this.server.restart();
    await this.connect();
  }

  async connect(): Promise<void> {
    for (const session of this.sessions) await session.connect(this.server, this.user);
    this.#lmtp = await LmtpClient.greeted(this.server.lmtp);
  }

  async disconnect(): Promise<void> {
    for (const session of this.sessions) await session.close();
    await this.#lmtp?.close();
    this.#lmtp = undefined;
  }

  async deliver(): Promise<void> {
    const text = `Subject: lmtp ${this.delivered.length + 1}\r\n\r\n${this.random.below(1e9)}\r\n`;
    const replies = await this.#lmtp?.deliver([`${this.user}@example.org`], text);
    if (!replies?.[0]?.startsWith("250")) throw new Error(`Expected 250: got ${replies}`);
    this.delivered.push(text);
  }
}

/** The replies by which a client learnt that something is done. */
export function repliesOf(calls: readonly SystemCall[]): Reply[] {
  const replies: Reply[] = [];
  /** LMTP connections that are receiving a message. */
  const receiving = new Set<string>();
  let delivered = 0;
  for (const { name, args, began } of calls) {
    const [socket] = args;
    if (
      !SOCKET_CALLS.includes(name) || socket.kind !== "file" ||
      !/^(socket|TCP|UNIX)/.test(socket.path)
    ) {
      continue;
    }
    const text = new TextDecoder("latin1").decode(joined(args[1]));
    for (const [, tag] of text.matchAll(/^([a-h]\.\d+) OK /gm)) replies.push({ tag, line: began });
    if (/^354/m.test(text)) receiving.add(socket.path);
    else if (/^250/m.test(text) && receiving.delete(socket.path)) {
      replies.push({ tag: `lmtp ${++delivered}`, line: began });
    }
  }
  return replies;
}

/** True for the mail with this text, which LMTP put a header before. */
export function isDelivered(text: string, stored: string): boolean {
  return nameOf(text) === nameOf(stored) && stored.endsWith(text);
}
