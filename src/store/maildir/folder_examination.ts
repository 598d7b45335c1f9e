/** Compares the folder of a mailbox with the index, and changes nothing. */

import { Pace } from "../../pace.ts";
import { StoreError } from "../store.ts";
import { baseOf, flagBitsOf } from "./file_name.ts";
import type { ExaminedIndex, ExaminedMailbox } from "./index_examination.ts";
import { linkIn } from "./links.ts";
import { listDirectory, lstat } from "./locating.ts";
import { digestFile } from "./message_file.ts";
import { type Differences, folderFindings, type Indexed } from "./folder_findings.ts";
import { counted, ofMessages, some, type Told } from "./problem.ts";

const ROWS_PER_STEP = 500;
/** Nobody writes to a file in tmp/ for longer. @see https://cr.yp.to/proto/maildir.html */
const STALE = 36 * 3600 * 1000;

/** What is looked at besides. */
export interface FolderExaminationOptions {
  /** Sees the file of each message in passing. */
  seen(path: string, info: Deno.FileInfo): void;
  /** Read all messages. */
  readonly thorough: boolean;
  /** Nobody wants to know any more. */
  readonly gone?: AbortSignal;
}

/** Compares one mailbox. */
export class FolderExamination {
  readonly #index: ExaminedIndex;
  readonly #mailbox: ExaminedMailbox;
  readonly #root: string;
  readonly #path: string;
  readonly #options: FolderExaminationOptions;
  readonly #pace = new Pace();
  /** Messages by the index. */
  messages = 0;

  constructor(
    root: string,
    index: ExaminedIndex,
    mailbox: ExaminedMailbox,
    options: FolderExaminationOptions,
  ) {
    this.#index = index;
    this.#mailbox = mailbox;
    this.#root = root;
    this.#path = mailbox.folder === "" ? root : `${root}/${mailbox.folder}`;
    this.#options = options;
  }

  /** All that is wrong. */
  async *problems(): AsyncGenerator<Told, void> {
    try {
      yield* this.#compare();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const why = error.cause instanceof Error ? error.cause.message : error.message;
      yield {
        level: "failed",
        code: "folder-unreadable",
        text: `${this.#mailbox.name}: ${this.#path} cannot be read: ${why}`,
        mailbox: this.#mailbox.name,
        paths: [this.#path, ...["cur", "new", "tmp"].map((each) => `${this.#path}/${each}`)],
        advice: "let the server's user read it",
        mender: "access",
        remedy: "its owner may",
      };
    }
  }

  async *#compare(): AsyncGenerator<Told, void> {
    const { name } = this.#mailbox;
    const link = linkProblem(this.#root, this.#mailbox);
    if (link !== undefined) return void (yield link);
    if (lstat(`${this.#path}/cur`) === undefined) {
      yield {
        level: "failed",
        code: "folder-missing",
        text: `${name}: there is no folder ${this.#path}/cur`,
        mailbox: name,
        paths: [this.#path],
        advice: name === "INBOX"
          ? "put it back from a backup; else its messages are expunged when it is next opened"
          : "put it back from a backup; else the mailbox is gone when the account is next opened",
        mender: "compare",
        remedy: name === "INBOX" ? "it is made anew" : "the mailbox is gone",
      };
      return;
    }
    yield* this.#tmp();
    const odd: string[] = [];
    const found = await this.#differences(odd);
    await this.#settle(found);
    if (odd.length > 0) {
      yield ofMessages({
        level: "warning",
        code: "no-message",
        text: `${name}: what is no message lies in ${this.#path} (${some(odd)})`,
        mailbox: name,
        advice: "move it elsewhere",
      }, { paths: odd.map((each) => `${this.#path}/${each}`) });
    }
    yield* folderFindings(this.#mailbox, this.#path, found);
  }

  async #differences(odd: string[]): Promise<Differences> {
    const indexed = await this.#indexed();
    this.messages = indexed.size;
    const found: Differences = {
      missing: new Map(),
      unknown: new Map(),
      changed: [],
      rewritten: [],
      renamed: [],
      misnamed: [],
      twins: [],
      unreadable: [],
    };
    const listed = await this.#listed(odd);
    for (const [base, paths] of listed) {
      this.#options.gone?.throwIfAborted();
      const row = indexed.get(base);
      // What the index knows is the message, and others are its twins.
      const first = paths.find((path) => path === row?.path) ?? paths[0];
      this.#look(first, row, found);
      if (this.#options.thorough) await this.#read(first, row, found);
      for (const second of paths) if (second !== first) found.twins.push({ first, second });
      if (this.#pace.due()) await this.#pace.turn();
    }
    for (const [base, row] of indexed) {
      if (!listed.has(base)) found.missing.set(base, row);
      if (this.#pace.due()) await this.#pace.turn();
    }
    return found;
  }

  /** Paths of files by what they are called up to the flags. */
  async #listed(odd: string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    for (const directory of ["new", "cur"]) {
      const listing = await listDirectory(`${this.#path}/${directory}`);
      odd.push(...listing.odd.map((each) => `${directory}/${each}`));
      for (const file of listing.files) {
        const paths = found.get(baseOf(file));
        if (paths === undefined) found.set(baseOf(file), [`${directory}/${file}`]);
        else paths.push(`${directory}/${file}`);
        if (this.#pace.due()) await this.#pace.turn();
      }
    }
    return found;
  }

  #look(path: string, row: Indexed | undefined, found: Differences): void {
    const info = lstat(`${this.#path}/${path}`);
    if (info === undefined) return;
    this.#options.seen(`${this.#path}/${path}`, info);
    const message = { uid: row?.uid ?? 0, path };
    if (((info.mode ?? 0o400) & 0o400) === 0) found.unreadable.push(message);
    if (row === undefined) found.unknown.set(baseOf(path.slice(4)), path);
    else {
      if (differs(info.size, row)) found.changed.push(message);
      if (row.path !== path) found.renamed.push(message);
      else if (flagBitsOf(path) !== row.flags) found.misnamed.push(message);
    }
  }

  /** Compares the text with what was read once. */
  async #read(path: string, row: Indexed | undefined, found: Differences): Promise<void> {
    if (row === undefined || row.size < 0 || found.changed.at(-1)?.uid === row.uid) return;
    const message = { uid: row.uid, path };
    try {
      const { size, digest } = await digestFile(`${this.#path}/${path}`);
      if (size !== row.size) found.changed.push(message);
      else if (row.digest !== undefined && !isEqual(digest, row.digest)) {
        found.rewritten.push(message);
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === "unreadable") found.unreadable.push(message);
    }
  }

  /** Mail may have come, gone and changed meanwhile: only what still holds is told. */
  async #settle(found: Differences): Promise<void> {
    const isThere = (path: string) => lstat(`${this.#path}/${path}`) !== undefined;
    keep(found.twins, ({ first, second }) => isThere(first) && isThere(second));
    const { missing, unknown, renamed, misnamed } = found;
    if (missing.size + unknown.size + renamed.length + misnamed.length === 0) return;
    const now = await this.#indexed();
    const removals = await this.#bases("removals");
    const there = new Set<string>();
    if (missing.size > 0) {
      for (const directory of ["new", "cur"]) {
        const { files } = await listDirectory(`${this.#path}/${directory}`);
        for (const file of files) there.add(baseOf(file));
      }
    }
    for (const base of [...missing.keys()]) {
      if (!now.has(base) || there.has(base)) missing.delete(base);
    }
    for (const [base, path] of [...unknown]) {
      if (now.has(base) || removals.has(base) || !isThere(path)) unknown.delete(base);
    }
    const byUid = new Map(Array.from(now.values(), (row) => [row.uid, row]));
    keep(renamed, ({ uid, path }) => {
      const row = byUid.get(uid);
      return row !== undefined && row.path !== path && isThere(path);
    });
    const waiting = await this.#toBeRenamed();
    keep(misnamed, ({ uid, path }) => {
      const row = byUid.get(uid);
      return row?.path === path && flagBitsOf(path) !== row.flags && !waiting(uid);
    });
  }

  async *#tmp(): AsyncGenerator<Told, void> {
    const { name, id } = this.#mailbox;
    const { files } = await listDirectory(`${this.#path}/tmp`);
    const stale = files.filter((file) => {
      const changed = lstat(`${this.#path}/tmp/${file}`)?.ctime?.getTime();
      return changed !== undefined && Date.now() - changed > STALE;
    });
    if (stale.length === 0) return;
    yield ofMessages({
      level: "warning",
      code: "delivery-broken",
      text: `${name}: ${counted(stale.length, "file")} of broken deliveries in tmp (${
        some(stale)
      })`,
      mailbox: name,
      mailboxId: id,
      advice: "nothing is to be done: they are removed within a day of the account's next opening",
      mender: "stale",
      remedy: "they are removed",
    }, { paths: stale.map((file) => `${this.#path}/tmp/${file}`) });
  }

  async #bases(table: "removals"): Promise<Set<string>> {
    const rows = await this.#index.alone(() =>
      this.#index.statements.of(`SELECT base FROM ${table} WHERE mailbox = ?`)
        .all(this.#mailbox.id)
    );
    return new Set(rows.map(({ base }) => String(base)));
  }

  /** Whether a file is going to be renamed anyway. */
  async #toBeRenamed(): Promise<(uid: number) => boolean> {
    const rows = await this.#index.alone(() =>
      this.#index.statements.of("SELECT first_uid, last_uid FROM write_back WHERE mailbox = ?")
        .all(this.#mailbox.id)
    );
    return (uid) => rows.some((row) => Number(row.first_uid) <= uid && uid <= Number(row.last_uid));
  }

  async #indexed(): Promise<Map<string, Indexed>> {
    const { statements, alone } = this.#index;
    const found = new Map<string, Indexed>();
    const statement = statements.of(
      `SELECT f.base, f.info, f.in_new, f.bare_lf, m.size, m.uid, m.flags,
         ${this.#options.thorough ? "o.digest" : "NULL AS digest"} FROM messages m
       JOIN files f ON f.id = (m.mailbox << 32) | m.uid
       ${this.#options.thorough ? "LEFT JOIN objects o ON o.id = f.id" : ""}
       WHERE m.mailbox = ? AND m.uid > ? ORDER BY m.uid LIMIT ${ROWS_PER_STEP}`,
    );
    for (let after = 0;;) {
      const rows = await alone(() => statement.all(this.#mailbox.id, after));
      for (const { base, info, in_new, bare_lf, size, uid, flags, digest } of rows) {
        after = Number(uid);
        found.set(String(base), {
          uid: after,
          flags: Number(flags),
          size: Number(size),
          bareLf: bare_lf !== 0,
          path: `${in_new !== 0 ? "new" : "cur"}/${base}${info}`,
          digest: digest instanceof Uint8Array ? digest : undefined,
        });
      }
      if (rows.length < ROWS_PER_STEP) return found;
      if (this.#pace.due()) await this.#pace.turn();
    }
  }
}

/** The link that keeps a mailbox from being looked at. */
function linkProblem(root: string, { name, folder }: ExaminedMailbox): Told | undefined {
  const link = linkIn(root, folder);
  return link === undefined ? undefined : {
    level: "failed",
    code: "folder-link",
    text: `${name}: ${link} is a symbolic link, and not followed`,
    mailbox: name,
    paths: [link],
    advice: "move what it points to into its place",
  };
}

function differs(octets: number, { size, bareLf }: Indexed): boolean {
  if (size < 0) return false;
  // What lacks CRs is at most half as long as on the wire.
  return bareLf ? octets >= size || octets * 2 < size : octets !== size;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, at) => octet === b[at]);
}

/** Removes the others, in place. */
function keep<T>(items: T[], wanted: (item: T) => boolean): void {
  items.splice(0, items.length, ...items.filter(wanted));
}
