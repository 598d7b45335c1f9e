/** Writes Maildir++, on request with the files by which Dovecot knows the UIDs and keywords. */

import { FLAG } from "../store/store.ts";
import type { MailboxItem, MessageItem } from "../admin/transfer_items.ts";
import { encodeModifiedUtf7 } from "../wire/mailbox_name.ts";
import { KEYWORDS, SUBSCRIPTIONS, UID_LIST } from "../store/maildir/dovecot_files.ts";
import { newFolder, syncFolder, writeAll, writeNew } from "./new_folder.ts";
import type { Writer } from "./writer.ts";

const LETTERS = [
  ["D", FLAG.draft],
  ["F", FLAG.flagged],
  ["R", FLAG.answered],
  ["S", FLAG.seen],
  ["T", FLAG.deleted],
] as const;

interface Folder {
  readonly path: string;
  readonly item: MailboxItem;
  /** Lines of the uidlist. */
  readonly lines: string[];
  readonly keywords: string[];
}

interface Message {
  readonly item: MessageItem;
  readonly path: string;
  readonly file: Deno.FsFile;
  size: number;
}

/** Writes into a folder that is new or empty. */
export class MaildirWriter implements Writer {
  readonly #root: string;
  readonly #dovecot: boolean;
  readonly #subscribed: string[] = [];
  #folder: Folder | undefined;
  #message: Message | undefined;
  #count = 0;

  private constructor(root: string, dovecot: boolean) {
    this.#root = root;
    this.#dovecot = dovecot;
  }

  /** @throws {SourceFault} when `root` has something in it */
  static async create(root: string, { dovecot }: { dovecot: boolean }): Promise<MaildirWriter> {
    await newFolder(root);
    return new MaildirWriter(root, dovecot);
  }

  async mailbox(item: MailboxItem): Promise<void> {
    await this.#endFolder();
    const levels = item.name.split("/").map((level) => encodeModifiedUtf7(level, "."));
    const path = item.name === "INBOX" ? this.#root : `${this.#root}/.${levels.join(".")}`;
    for (const part of ["cur", "new", "tmp"]) {
      await Deno.mkdir(`${path}/${part}`, { recursive: true, mode: 0o700 });
    }
    if (path !== this.#root) await writeNew(`${path}/maildirfolder`, "");
    if (item.subscribed) this.#subscribed.push(levels.join("."));
    this.#folder = { path, item, lines: [], keywords: [] };
  }

  async message(item: MessageItem): Promise<void> {
    const path = `${this.#open().path}/tmp/${++this.#count}`;
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    this.#message = { item, path, file, size: 0 };
  }

  async write(octets: Uint8Array): Promise<void> {
    if (this.#message === undefined) throw new Error("Octets before a message");
    this.#message.size += octets.length;
    await writeAll(this.#message.file, octets);
  }

  async complete(): Promise<void> {
    const folder = this.#open();
    const message = this.#message;
    if (message === undefined) throw new Error("End before a message");
    const { item: { uid, flags, date }, size } = message;
    const seconds = date?.seconds ?? 0;
    await message.file.utime(seconds, seconds);
    await message.file.syncData();
    message.file.close();
    this.#message = undefined;
    const base = `${Math.max(seconds, 0)}.M0P1Q${this.#count}.imapd,S=${size},W=${size}`;
    let info = LETTERS.filter(([, bit]) => flags.system & bit).map(([letter]) => letter).join("");
    if (this.#dovecot) info += this.#keywordLetters(folder, flags.keywords);
    await Deno.rename(message.path, `${folder.path}/cur/${base}:2,${info}`);
    folder.lines.push(`${uid} :${base}`);
  }

  async forget(): Promise<void> {
    const message = this.#message;
    this.#message = undefined;
    message?.file.close();
    if (message !== undefined) await Deno.remove(message.path);
  }

  async end(): Promise<void> {
    await this.#endFolder();
    if (this.#dovecot) {
      const lines = this.#subscribed.map((name) => `${name.replaceAll(".", "\t")}\n`).join("");
      await writeNew(`${this.#root}/${SUBSCRIPTIONS}`, `V\t2\n\n${lines}`);
    }
    await syncFolder(this.#root);
  }

  #open(): Folder {
    if (this.#folder === undefined) throw new Error("Message before a mailbox");
    return this.#folder;
  }

  /** A file name has letters for 26 keywords; of more, the later ones are lost there. */
  #keywordLetters({ keywords }: Folder, words: readonly string[]): string {
    const letters: string[] = [];
    for (const word of words) {
      if (!keywords.includes(word) && keywords.length < 26) keywords.push(word);
      const number = keywords.indexOf(word);
      if (number >= 0) letters.push(String.fromCharCode(97 + number));
    }
    return letters.sort().join("");
  }

  async #endFolder(): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    if (folder === undefined) return;
    const { path, item: { uids }, lines, keywords } = folder;
    if (this.#dovecot && uids !== undefined) {
      const guid = crypto.randomUUID().replaceAll("-", "");
      const header = `3 V${uids.uidValidity} N${uids.uidNext ?? 1} G${guid}`;
      await writeNew(`${path}/${UID_LIST}`, [header, ...lines, ""].join("\n"));
      const words = keywords.map((word, number) => `${number} ${word}\n`).join("");
      if (words !== "") await writeNew(`${path}/${KEYWORDS}`, words);
    }
    await syncFolder(`${path}/cur`);
    await syncFolder(path);
  }
}
