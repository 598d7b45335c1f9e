/**
 * Lets V8 compile what every session uses, before the first client comes: a short session of
 * everyday commands, played over loopback against an account that is thrown away.
 */

import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type Login, NO_PENALTIES } from "../auth/auth.ts";
import type { Log } from "../log.ts";
import { ConnectionCounts } from "../net/connection_counts.ts";
import type { Limits } from "../net/endpoint.ts";
import { Listeners } from "../net/listeners.ts";
import { ImapServer } from "../net/server.ts";
import { makeFolder } from "../store/maildir/folders.ts";
import { MaildirStore } from "../store/maildir/store.ts";
import { VERSION } from "../version.ts";

const ANY_PORT = { kind: "inet", tls: false, host: "127.0.0.1", port: 0 } as const;
const FOLDER = "warm-up";
const MESSAGES = 12;
/** Folders as many users have: what is done with each of them is to be compiled, too. */
const FOLDERS = 40;
const DOUBLINGS = 6;

/** Everyday commands, as phones and Thunderbird send them; `#` is a message's number. */
const SESSION = [
  "SELECT INBOX",
  "UID SEARCH UNSEEN",
  'UID SEARCH SUBJECT "lunch" SINCE 1-Jan-2024',
  "UID FETCH 1:* (FLAGS)",
  "FETCH # (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
  "FETCH # (UID BODY.PEEK[HEADER.FIELDS (From To Subject Date Message-ID)])",
  "FETCH 1:12 BODY.PEEK[]",
  "UID FETCH # BODY.PEEK[]",
  "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
  // As new to what is kept in memory, for some rounds.
  "FETCH 1:* BODY.PEEK[HEADER.FIELDS (From Subject Date)]<0.10#>",
  "SORT (REVERSE DATE) UTF-8 ALL",
  "THREAD REFERENCES UTF-8 ALL",
  "UID FETCH # (UID BODY.PEEK[1])",
  "UID STORE # +FLAGS.SILENT (\\Seen)",
  "UID STORE # -FLAGS.SILENT (\\Seen)",
  "NOOP",
  "SELECT Archive",
  "STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)",
  'LIST "" "*"',
  'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))',
];

/**
 * Plays the session again and again for `ms` milliseconds, each time over a new connection. What
 * goes wrong is logged and otherwise of no matter.
 *
 * @param stateDir where the folder of the account is made, and removed in the end
 */
export async function warmUp(
  ms: number,
  stateDir: string,
  limits: Limits,
  log: Log,
): Promise<void> {
  if (ms === 0) return;
  const root = join(stateDir, FOLDER);
  const password = crypto.randomUUID();
  const store = new MaildirStore({
    path: (account) => join(root, account),
    specialFolders: [{ name: "Archive", use: "\\Archive" }],
    log: SILENT,
  });
  const server = new ImapServer({
    endpoint: {
      insecureAuth: true,
      saslLogin: false,
      channelBinding: false,
      certificateName: "email",
      ioDebug: false,
      ioErrors: false,
      limits,
    },
    login: onlyFor(password),
    store,
    log: SILENT,
    counts: ConnectionCounts.unbounded(),
    hostname: "localhost",
    version: VERSION,
    nextId: () => FOLDER,
  });
  const listeners = new Listeners({ log: SILENT, handover: { names: [] }, libc: undefined });
  try {
    // Left behind by a server that was killed here.
    await Deno.remove(root, { recursive: true }).catch(() => {});
    // As by another program: it takes no fsync for each.
    for (let n = 1; n <= FOLDERS; n++) makeFolder(join(root, FOLDER, `.Folder ${n}`));
    const [opened] = await listeners.apply([{ address: ANY_PORT, acceptor: server }]);
    if (opened.kind === "inet") await play(opened.port, password, ms);
  } catch (error) {
    log.warn("warming up failed", {
      error: error instanceof Error ? error.message : String(error),
    });
  } finally {
    await listeners.close();
    await server.close(0);
    await store.close();
    await Deno.remove(root, { recursive: true }).catch(() => {});
  }
}

async function play(port: number, password: string, ms: number): Promise<void> {
  const end = performance.now() + ms;
  await inSession(port, password, async (client) => {
    for (let n = 1; n <= MESSAGES; n++) await client.command(append(n));
    await client.command("SELECT INBOX");
    // Loops over columns are compiled only when they are long.
    for (let i = 0; i < DOUBLINGS; i++) await client.command("COPY 1:* INBOX");
  });
  for (let round = 0; performance.now() < end; round++) {
    await inSession(port, password, async (client) => {
      for (const command of SESSION) {
        await client.command(command.replace("#", String(round % MESSAGES + 1)));
      }
    });
  }
}

async function inSession(
  port: number,
  password: string,
  play: (client: Client) => Promise<void>,
): Promise<void> {
  const client = new Client(connect(port, "127.0.0.1"));
  try {
    await client.answer("* OK");
    await client.command(`LOGIN ${FOLDER} ${password}`);
    await play(client);
    await client.command("LOGOUT");
  } finally {
    client.close();
  }
}

/** Sends commands one after the other and waits for their ends. */
class Client {
  readonly #socket: Socket;
  #tail = "";
  #wanted = "";
  #waiting: { resolve(): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#tail = (this.#tail + text).slice(-1024);
      this.#look();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  async command(text: string): Promise<void> {
    const answered = this.answer("w OK");
    this.#socket.write(`w ${text}\r\n`);
    await answered;
  }

  /** Waits for a line that begins with `wanted`, the last one of what the server sends. */
  answer(wanted: string): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#wanted = wanted;
    this.#waiting = { resolve, reject };
    this.#look();
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #look(): void {
    if (!this.#waiting || !this.#tail.endsWith("\r\n")) return;
    const last = this.#tail.lastIndexOf("\n", this.#tail.length - 3) + 1;
    if (/^w (NO|BAD)/.test(this.#tail.slice(last))) {
      return this.#fail(new Error(this.#tail.slice(last).trim()));
    }
    if (!this.#tail.startsWith(this.#wanted, last)) return;
    this.#tail = "";
    this.#waiting.resolve();
    this.#waiting = undefined;
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

function append(n: number): string {
  const text = [
    `From: =?utf-8?Q?Ann_=C3=85?= <ann@example.org>`,
    "To: Bob <bob@example.org>, Carol <carol@example.org>",
    `Subject: Re: lunch ${n}`,
    `Date: Mon, ${n} Jan 2024 12:00:00 +0100`,
    `Message-ID: <${n}@example.org>`,
    "MIME-Version: 1.0",
    'Content-Type: multipart/alternative; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "At noon=3F ".repeat(200),
    "--b",
    "Content-Type: text/html; charset=utf-8",
    "",
    "<p>At noon?</p>",
    "--b--",
    "",
  ].join("\r\n");
  return `APPEND INBOX () {${text.length}+}\r\n${text}`;
}

function onlyFor(password: string): Login {
  const refused = {
    ok: false,
    reason: "bad-credentials",
    detail: "not the one that plays",
  } as const;
  return {
    can: { password: true, scram: [], token: false },
    penalties: NO_PENALTIES,
    password: (username, given) =>
      Promise.resolve(given === password ? { ok: true, username } : refused),
    token: () => Promise.resolve(refused),
    scramKeys: () => Promise.resolve(refused),
    proven: () => Promise.resolve(refused),
  };
}

const SILENT: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  bug() {},
  with: () => SILENT,
  debugged: () => SILENT,
  debugging: false,
};
