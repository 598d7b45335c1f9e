/** Mail in a Maildir: one alone, Maildir++ or a tree of folders, with what Dovecot adds to it. */

import { normalForm } from "../normal_form.ts";
import type { FlagSet } from "../store/store.ts";
import { decodeModifiedUtf7, withInbox } from "../wire/mailbox_name.ts";
import {
  KEYWORDS,
  keywordsOf,
  parseKeywords,
  parseSubscriptions,
  parseUidList,
  SUBSCRIPTIONS,
  UID_LIST,
  type UidList,
} from "../store/maildir/dovecot_files.ts";
import { baseOf, flagBitsOf, lettersOf } from "../store/maildir/file_name.ts";
import {
  type Source,
  type SourceFailure,
  SourceFault,
  type SourceMailbox,
  type SourceMessage,
  usesByName,
} from "./source.ts";

const CHUNK = 256 * 1024;
/** Levels of a tree of folders. */
const DEEPEST = 50;

interface Folder {
  readonly path: string;
  readonly name: string;
}

interface Entry {
  readonly path: string;
  readonly file: string;
  readonly base: string;
  readonly uid?: number;
  /** It is in the folder new. */
  readonly isNew: boolean;
}

/** Reads a Maildir with the rights of this process. */
export class MaildirSource implements Source {
  readonly #path: string;
  readonly #dovecot: boolean;
  readonly #faults: SourceFailure[] = [];
  readonly #lostUids: SourceFailure[] = [];

  /** @param options `dovecot`: each mailbox with messages should have a list of their UIDs */
  constructor(path: string, { dovecot }: { readonly dovecot: boolean }) {
    this.#path = path.replace(/\/+$/, "") || "/";
    this.#dovecot = dovecot;
  }

  get faults(): readonly SourceFailure[] {
    return this.#faults;
  }

  get lostUids(): readonly SourceFailure[] {
    return this.#lostUids;
  }

  async *mailboxes(): AsyncGenerator<SourceMailbox, void> {
    const names = await listed(this.#path);
    const isTree = !names.some(({ name }) => name.startsWith(".") && name.length > 1);
    const folders = await this.#allFolders();
    if (folders.length === 0) {
      throw new SourceFault(
        names.some(({ name }) => name === "mailboxes" || name === "storage")
          ? `Expected a Maildir at ${this.#path}, got what looks like Dovecot's mdbox or sdbox: ` +
            "read it through Dovecot, by imapd import imap"
          : `Expected a Maildir at ${this.#path}, got a folder without cur`,
      );
    }
    const text = await textOf(`${this.#path}/${SUBSCRIPTIONS}`);
    const subscribed = parseSubscriptions(text ?? "", isTree ? "/" : ".");
    const taken = new Set<string>();
    for (const { path, name } of folders) {
      if (taken.has(name)) {
        this.#faults.push({ place: path, reason: `Another folder is ${name}, too` });
        continue;
      }
      taken.add(name);
      yield await this.#mailbox(path, name, name === "INBOX" || subscribed.has(name));
    }
  }

  async count(wanted: (mailbox: string) => boolean): Promise<number> {
    let count = 0;
    for (const { path, name } of await this.#allFolders()) {
      if (!wanted(name)) continue;
      for (const part of ["cur", "new"]) {
        count += (await listed(`${path}/${part}`).catch(() => [])).length;
      }
    }
    // What could not be read is told when it is read for its mail.
    this.#faults.length = 0;
    return count;
  }

  async #allFolders(): Promise<Folder[]> {
    const folders: Folder[] = [];
    if (await isMaildir(this.#path)) folders.push({ path: this.#path, name: "INBOX" });
    for await (const folder of this.#folders(this.#path, "", 0)) folders.push(folder);
    return folders;
  }

  /** What is in a folder; one that cannot be read is stepped over. */
  async #readable(path: string): Promise<Deno.DirEntry[]> {
    try {
      return await listed(path);
    } catch (error) {
      if (!(error instanceof SourceFault)) throw error;
      this.#faults.push({ place: path, reason: error.message });
      return [];
    }
  }

  /** Folders of Maildir++ have a "." before each level; those of a tree are nested. */
  async *#folders(path: string, parent: string, depth: number): AsyncGenerator<Folder, void> {
    for (const { name, isDirectory, isSymlink } of await this.#readable(path)) {
      if (["cur", "new", "tmp"].includes(name)) continue;
      const place = `${path}/${name}`;
      if (isSymlink) this.#faults.push({ place, reason: "It is a symbolic link" });
      if (!isDirectory) continue;
      if (name.includes("\ufffd") && !await isThere(place)) {
        this.#faults.push({ place, reason: "Its name is not UTF-8" });
      } else if (name.startsWith(".")) yield* this.#dotFolder(place, name, depth);
      else {
        const full = parent === "" ? nameOf([name]) : `${parent}/${nameOf([name])}`;
        if (await isMaildir(place)) yield { path: place, name: full };
        if (depth < DEEPEST) yield* this.#folders(place, full, depth + 1);
        else this.#faults.push({ place, reason: `It is more than ${DEEPEST} levels deep` });
      }
    }
  }

  /** A folder of Maildir++, which is at the top and has none in it. */
  async *#dotFolder(place: string, name: string, depth: number): AsyncGenerator<Folder, void> {
    if (!await isMaildir(place)) {
      if (!await isFolder(`${place}/new`)) return;
      this.#faults.push({ place, reason: "It is no Maildir: it has new, but no cur" });
      return;
    }
    if (depth > 0) {
      this.#faults.push({ place, reason: "It is a folder of Maildir++ below the top" });
      return;
    }
    yield { path: place, name: nameOf(name.slice(1).split(".")) };
    for (const inner of await this.#readable(place)) {
      const below = `${place}/${inner.name}`;
      if (["cur", "new", "tmp"].includes(inner.name) || !await isMaildir(below)) continue;
      this.#faults.push({ place: below, reason: "It is a Maildir in a folder of Maildir++" });
    }
  }

  async #mailbox(path: string, name: string, subscribed: boolean): Promise<SourceMailbox> {
    const text = await textOf(`${path}/${UID_LIST}`);
    const list = text === undefined ? undefined : await parseUidList(text);
    const damaged = text !== undefined && list === undefined;
    const keywords = parseKeywords(await textOf(`${path}/${KEYWORDS}`) ?? "");
    return {
      name,
      specialUse: usesByName(name),
      subscribed,
      uids: list && { uidValidity: list.uidValidity, uidNext: list.uidNext },
      messages: async function* (this: MaildirSource) {
        const entries = await this.#entries(path, list);
        const reason = this.#lossOf(entries, list, damaged);
        if (reason !== undefined) this.#lostUids.push({ place: name, reason });
        yield* messagesOf(entries, keywords);
      }.bind(this),
    };
  }

  /** Why these messages have no UIDs that they should have. */
  #lossOf(
    entries: readonly Entry[],
    list: UidList | undefined,
    damaged: boolean,
  ): string | undefined {
    if (entries.length === 0) return undefined;
    if (damaged) return `Its ${UID_LIST} is damaged`;
    if (!this.#dovecot) return undefined;
    if (list === undefined) return `It has no ${UID_LIST}`;
    // What is in new Dovecot has not seen yet.
    const seen = entries.filter(({ isNew }) => !isNew);
    const isUseless = seen.length > 0 && entries.every(({ uid }) => uid === undefined);
    return isUseless ? `Its ${UID_LIST} has none of its messages` : undefined;
  }

  /** The messages of a mailbox in the order of their UIDs, those without one last. */
  async #entries(path: string, list: UidList | undefined): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const part of ["cur", "new"]) {
      if (!await isThere(`${path}/${part}`)) continue;
      for (const { name, isFile } of await this.#readable(`${path}/${part}`)) {
        const place = `${path}/${part}/${name}`;
        if (name.startsWith(".")) continue;
        if (!isFile) this.#faults.push({ place, reason: "It is no regular file" });
        else {
          const base = baseOf(name);
          entries.push({
            path: place,
            file: name,
            base,
            uid: list?.uids.get(base),
            isNew: part === "new",
          });
        }
      }
    }
    return entries.sort((a, b) => (a.uid ?? Infinity) - (b.uid ?? Infinity) || byDelivery(a, b));
  }
}

async function* messagesOf(
  entries: readonly Entry[],
  keywords: readonly string[],
): AsyncGenerator<SourceMessage, void> {
  for (const entry of entries) {
    // A file that is gone or unreadable says so once more when its octets are asked for.
    const info = await Deno.lstat(entry.path).catch(() => undefined);
    const ms = info?.mtime?.getTime();
    yield {
      key: entry.base,
      uid: entry.uid,
      flags: flagsOf(entry.file, keywords),
      date: ms === undefined ? undefined : { seconds: Math.floor(ms / 1000), zone: 0 },
      octets: () => octetsOf(entry.path),
    };
  }
}

function nameOf(levels: readonly string[]): string {
  // A mailbox's name has no empty level.
  const name = levels.map((level) => (decodeModifiedUtf7(level, ".") ?? level) || "_").join("/");
  return withInbox(normalForm(name, "NFC"));
}

function byDelivery(a: Entry, b: Entry): number {
  const seconds = (parseInt(a.base) || 0) - (parseInt(b.base) || 0);
  return seconds || (a.base < b.base ? -1 : a.base > b.base ? 1 : 0);
}

function flagsOf(file: string, words: readonly string[]): FlagSet {
  return { system: flagBitsOf(file), keywords: keywordsOf(lettersOf(file), words) };
}

/** Reads a regular file, and nothing that took its place meanwhile. */
async function* octetsOf(path: string): AsyncGenerator<Uint8Array, void> {
  const seen = await Deno.lstat(path);
  if (!seen.isFile) throw new Error("It is no regular file");
  using file = await Deno.open(path);
  const { dev, ino } = await file.stat();
  if (dev !== seen.dev || ino !== seen.ino) throw new Error("It was replaced meanwhile");
  for (;;) {
    const buffer = new Uint8Array(Math.min(CHUNK, Math.max(4096, seen.size + 1)));
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

async function listed(path: string): Promise<Deno.DirEntry[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(path));
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SourceFault(`Cannot read the folder ${path}: ${reason}`, { cause: error });
  }
}

/** Some programs make new only when mail comes. */
function isMaildir(path: string): Promise<boolean> {
  return isFolder(`${path}/cur`);
}

async function isFolder(path: string): Promise<boolean> {
  const info = await Deno.lstat(path).catch(() => undefined);
  return info?.isDirectory ?? false;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** A small file of settings; undefined if it is not there, is no regular file or is huge. */
async function textOf(path: string): Promise<string | undefined> {
  const info = await Deno.lstat(path).catch(() => undefined);
  if (!info?.isFile || info.size > 256 * 1024 * 1024) return undefined;
  return await Deno.readTextFile(path).catch(() => undefined);
}
