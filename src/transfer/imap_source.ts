/** Mail of any IMAP server. */

import type { FetchMessageObject, ImapFlow, ListResponse } from "imapflow";
import { normalForm } from "../normal_form.ts";
import { FLAG, type FlagSet, type SpecialUse } from "../store/store.ts";
import {
  type Source,
  type SourceFailure,
  SourceFault,
  type SourceMailbox,
  type SourceMessage,
  usesByName,
} from "./source.ts";

/** How a server is reached and logged in to. */
export interface ImapLogin {
  readonly host: string;
  readonly port: number;
  /** TLS from the first octet; else STARTTLS. */
  readonly implicitTls: boolean;
  /** Take any certificate. */
  readonly insecureTls: boolean;
  readonly user: string;
  readonly password?: string;
  readonly accessToken?: string;
}

/** Messages whose text is asked for in one command. */
const ASKED = 50;
/** Octets of such messages. */
const ASKED_OCTETS = 16 * 1024 * 1024;

const FLAGS: Readonly<Record<string, number>> = {
  "\\seen": FLAG.seen,
  "\\answered": FLAG.answered,
  "\\flagged": FLAG.flagged,
  "\\deleted": FLAG.deleted,
  "\\draft": FLAG.draft,
};
const USES: readonly SpecialUse[] = [
  "\\All",
  "\\Archive",
  "\\Drafts",
  "\\Flagged",
  "\\Junk",
  "\\Sent",
  "\\Trash",
];

interface Listed {
  readonly uid: number;
  readonly size: number;
}

/** Times that a lost connection is made anew before giving up, with growing pauses. */
const ATTEMPTS = 5;
/** Milliseconds before the first one. */
const PAUSE = 1000;

/** Reads all mailboxes of a login; changes nothing there. */
export class ImapSource implements Source {
  readonly #login: ImapLogin;
  readonly #faults: SourceFailure[] = [];
  #client: ImapFlow;
  /** What is selected, which a new connection has to select again. */
  #selected: { readonly path: string; readonly uidValidity: number } | undefined;

  private constructor(login: ImapLogin, client: ImapFlow) {
    this.#login = login;
    this.#client = client;
  }

  /** @throws {SourceFault} when the server is not reached, or refuses the login */
  static async open(login: ImapLogin): Promise<ImapSource> {
    return new ImapSource(login, await connect(login));
  }

  get faults(): readonly SourceFailure[] {
    return this.#faults;
  }

  async close(): Promise<void> {
    await this.#client.logout().catch(() => this.#client.close());
  }

  async count(wanted: (mailbox: string) => boolean): Promise<number> {
    const all = await this.#client.list({ statusQuery: { messages: true } });
    return all.filter((listed) => wanted(nameOf(listed)))
      .reduce((sum, { status }) => sum + (status?.messages ?? 0), 0);
  }

  async *mailboxes(): AsyncGenerator<SourceMailbox, void> {
    for (const listed of await this.#client.list()) {
      if (listed.flags.has("\\Noselect") || listed.flags.has("\\NonExistent")) continue;
      this.#selected = undefined;
      try {
        await this.#lasting((client) => client.mailboxOpen(listed.path, { readOnly: true }));
      } catch (error) {
        if (!this.#client.usable) throw error;
        this.#faults.push({ place: listed.path, reason: reasonOf(error) });
        continue;
      }
      yield this.#opened(listed);
    }
  }

  #opened(listed: ListResponse): SourceMailbox {
    const open = this.#client.mailbox;
    if (!open) throw new SourceFault(`The server closed ${listed.path}`);
    const name = nameOf(listed);
    const uses = USES.filter((use) => listed.flags.has(use));
    const uidValidity = Number(open.uidValidity);
    this.#selected = { path: listed.path, uidValidity };
    return {
      name,
      specialUse: uses.length > 0 ? uses : usesByName(name),
      subscribed: listed.subscribed || name === "INBOX",
      uids: { uidValidity, uidNext: open.uidNext },
      messages: () => this.#messages(listed.path, uidValidity, open.exists),
    };
  }

  async *#messages(
    path: string,
    uidValidity: number,
    exists: number,
  ): AsyncGenerator<SourceMessage, void> {
    if (exists === 0) return;
    const query = { uid: true, flags: true, internalDate: true, size: true };
    const all = await this.#lasting((client) => client.fetchAll("1:*", query, { uid: true }));
    all.sort((a, b) => a.uid - b.uid);
    const listed = all.map(({ uid, size = 0 }) => ({ uid, size }));
    const texts = new Texts((uids) => this.#texts(uids), listed);
    for (const message of all) {
      yield {
        key: `imap ${uidValidity} ${message.uid}`,
        uid: message.uid,
        flags: flagsOf(message),
        date: dateOf(message),
        octets: () => texts.octets(path, message.uid),
      };
    }
  }

  #texts(uids: readonly number[]): Promise<Map<number, Uint8Array>> {
    return this.#lasting(async (client) => {
      const texts = new Map<number, Uint8Array>();
      const query = { uid: true, source: true };
      for await (const message of client.fetch(uids.join(), query, { uid: true })) {
        if (message.source) texts.set(message.uid, message.source);
      }
      // imapflow ends the list without an error when the connection goes.
      if (texts.size < uids.length && !client.usable) throw new Error("The connection was lost");
      return texts;
    });
  }

  /** Does `work`, again over a new connection if the old one is lost. @throws {SourceFault} */
  async #lasting<T>(work: (client: ImapFlow) => Promise<T>): Promise<T> {
    for (let attempt = 0;; attempt++) {
      try {
        if (!this.#client.usable) await this.#reconnect();
        return await work(this.#client);
      } catch (error) {
        if (this.#client.usable || error instanceof Moved) throw error;
        if (attempt === ATTEMPTS) {
          throw new SourceFault(`The connection to the server is lost: ${reasonOf(error)}`, {
            cause: error,
          });
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE * 2 ** attempt));
      }
    }
  }

  async #reconnect(): Promise<void> {
    this.#client = await connect(this.#login);
    if (this.#selected === undefined) return;
    const { path, uidValidity } = this.#selected;
    const open = await this.#client.mailboxOpen(path, { readOnly: true });
    if (Number(open.uidValidity) === uidValidity) return;
    throw new Moved(`The server gave ${path} another UIDVALIDITY meanwhile: begin again`);
  }
}

/** UIDs mean other messages than before. */
class Moved extends SourceFault {
  override name = "Moved";
}

/** @throws {SourceFault} when the server is not reached, or refuses the login */
async function connect(login: ImapLogin): Promise<ImapFlow> {
  const { ImapFlow } = await import("imapflow");
  const { host, port, user, password, accessToken } = login;
  const client = new ImapFlow({
    host,
    port,
    secure: login.implicitTls,
    ...login.implicitTls ? {} : { doSTARTTLS: true },
    tls: { rejectUnauthorized: !login.insecureTls },
    auth: accessToken === undefined ? { user, pass: password } : { user, accessToken },
    logger: false,
  });
  // What fails is told by the command that fails.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    throw new SourceFault(`Cannot log in at ${host}:${port} as ${user}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return client;
}

/** Asks for the texts of messages ahead, as they are likely to be read one after the other. */
class Texts {
  readonly #textsOf: (uids: readonly number[]) => Promise<Map<number, Uint8Array>>;
  readonly #listed: readonly Listed[];
  #ahead = new Map<number, Uint8Array>();

  constructor(
    textsOf: (uids: readonly number[]) => Promise<Map<number, Uint8Array>>,
    listed: readonly Listed[],
  ) {
    this.#textsOf = textsOf;
    this.#listed = listed;
  }

  async *octets(path: string, uid: number): AsyncGenerator<Uint8Array, void> {
    if (!this.#ahead.has(uid)) await this.#ask(uid);
    const text = this.#ahead.get(uid);
    this.#ahead.delete(uid);
    if (text === undefined) throw new Error(`The server gave no text of UID ${uid} in ${path}`);
    for (let at = 0; at < text.length; at += 256 * 1024) {
      yield text.subarray(at, at + 256 * 1024);
    }
  }

  async #ask(uid: number): Promise<void> {
    const uids: number[] = [];
    let octets = 0;
    for (let i = this.#listed.findIndex((one) => one.uid === uid); i < this.#listed.length; i++) {
      octets += this.#listed[i].size;
      if (uids.length >= ASKED || uids.length > 0 && octets > ASKED_OCTETS) break;
      uids.push(this.#listed[i].uid);
    }
    this.#ahead = await this.#textsOf(uids);
  }
}

function nameOf({ path, delimiter }: ListResponse): string {
  // A "/" inside a level would make two of one.
  const levels = delimiter ? path.split(delimiter) : [path];
  const name = normalForm(levels.map((level) => level.replaceAll("/", "_")).join("/"), "NFC");
  return name.toUpperCase() === "INBOX" ? "INBOX" : name;
}

function flagsOf({ flags }: FetchMessageObject): FlagSet {
  let system = 0;
  const keywords: string[] = [];
  for (const flag of flags ?? []) {
    const bit = FLAGS[flag.toLowerCase()];
    if (bit !== undefined) system |= bit;
    else if (!flag.startsWith("\\")) keywords.push(flag);
  }
  return { system, keywords };
}

function dateOf({ internalDate }: FetchMessageObject): SourceMessage["date"] {
  if (internalDate === undefined) return undefined;
  const ms = new Date(internalDate).getTime();
  return Number.isNaN(ms) ? undefined : { seconds: Math.floor(ms / 1000), zone: 0 };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "responseText" in error ? String(error.responseText) : error.message;
}
