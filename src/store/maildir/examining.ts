/** Looks for what is wrong with an account's Maildir and its index, and changes nothing. */

import { DatabaseSync } from "node:sqlite";
import { Pace, yieldNow } from "../../pace.ts";
import { baseOf } from "./file_name.ts";
import { linkIn } from "./links.ts";
import { listDirectory, lstat } from "./locating.ts";
import { INDEX_FILE } from "./schema.ts";

/** What was found; "ok" is said once, of an account as a whole. */
export interface Problem {
  readonly level: "ok" | "warning" | "failed";
  readonly subject: string;
  readonly text: string;
  readonly advice?: string;
}

/** A message's file by the index. */
interface Indexed {
  readonly uid: number;
  /** Below zero: not read yet. */
  readonly size: number;
  readonly bareLf: boolean;
}

interface Folder {
  readonly id: number;
  readonly name: string;
  readonly path: string;
}

/** Rows that are read at once. */
const BATCH = 2000;
/** Nobody writes to a file in tmp/ for longer. @see https://cr.yp.to/proto/maildir.html */
const STALE = 36 * 3600 * 1000;

/**
 * @param root the Maildir
 * @param database its index where this process has it open
 */
export async function examineAccount(
  name: string,
  root: string,
  database?: DatabaseSync,
): Promise<readonly Problem[]> {
  const examination = new Examination(`account ${name}`, root);
  await examination.surroundings();
  if (lstat(`${root}/${INDEX_FILE}`) === undefined) {
    examination.add("warning", "there is no index yet", "it is made at the first login");
  } else if (database !== undefined) {
    await examination.index(database);
  } else {
    await withCopy(root, (copy) => examination.index(copy), (why) => {
      examination.add("failed", `the index cannot be read: ${why}`, DAMAGED);
    });
  }
  return examination.problems();
}

const DAMAGED = "it is made anew at the next opening, under a new UIDVALIDITY; a backup of " +
  `${INDEX_FILE} keeps UIDs and keywords`;

const LINKED = "move what it points to into its place";

/** A closed index is read from a copy: reading what is kept in a log would change it. */
async function withCopy(
  root: string,
  work: (database: DatabaseSync) => Promise<void>,
  failed: (why: string) => void,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-doctor-" });
  let database: DatabaseSync | undefined;
  try {
    for (const suffix of ["", "-wal"]) {
      if (lstat(`${root}/${INDEX_FILE}${suffix}`) === undefined) continue;
      await Deno.copyFile(`${root}/${INDEX_FILE}${suffix}`, `${dir}/${INDEX_FILE}${suffix}`);
    }
    database = new DatabaseSync(`${dir}/${INDEX_FILE}`);
    await work(database);
  } catch (error) {
    failed(error instanceof Error ? error.message : String(error));
  } finally {
    database?.close();
    await Deno.remove(dir, { recursive: true });
  }
}

class Examination {
  readonly #problems: Problem[] = [];
  readonly #pace = new Pace();
  #messages = 0;
  #mailboxes = 0;
  #owner: number | null = null;

  constructor(readonly subject: string, readonly root: string) {}

  add(level: Problem["level"], text: string, advice?: string): void {
    this.#problems.push({ level, subject: this.subject, text, advice });
  }

  problems(): readonly Problem[] {
    if (this.#problems.length > 0) return this.#problems;
    const text = `${counted(this.#messages, "message")} in ${
      counted(this.#mailboxes, "mailbox", "mailboxes")
    }, index and files agree`;
    return [{ level: "ok", subject: this.subject, text }];
  }

  /** What lies in the Maildir besides mail. */
  async surroundings(): Promise<void> {
    const { root } = this;
    const info = lstat(root);
    this.#owner = info?.uid ?? null;
    if ((info?.mode ?? 0) & 0o007) {
      this.add("warning", `${root} is open to other users`, `chmod o-rwx ${quoted(root)}`);
    }
    const links: string[] = [];
    const damaged: string[] = [];
    const foreign: string[] = [];
    for await (const { name, isSymlink } of Deno.readDir(root)) {
      if (isSymlink) links.push(name);
      if (name.startsWith(`${INDEX_FILE}.damaged-`)) damaged.push(name);
      if (name.startsWith("dovecot")) foreign.push(name);
      if (this.#isForeign(`${root}/${name}`)) this.#addForeign(`${root}/${name}`);
      if (this.#pace.due()) await this.#pace.turn();
    }
    this.#addSome(
      links,
      "symbolic links are not followed",
      "move what they point to into the Maildir",
    );
    this.#addSome(damaged, "a damaged index was put aside", "remove it, once nothing is missed");
    this.#addSome(
      foreign,
      "files of Dovecot are left",
      "remove them, if Dovecot is not to come back",
    );
  }

  #addSome(names: readonly string[], text: string, advice: string): void {
    if (names.length > 0) this.add("warning", `${text}: ${some(names)}`, advice);
  }

  #isForeign(path: string): boolean {
    const uid = lstat(path)?.uid;
    return uid !== undefined && uid !== null && this.#owner !== null && uid !== this.#owner;
  }

  #addForeign(path: string): void {
    const advice = `chown -R --reference=${quoted(this.root)} ${quoted(this.root)}`;
    if (this.#problems.some((problem) => problem.advice === advice)) return;
    this.add("failed", `${path} is not owned by the owner of the Maildir`, advice);
  }

  /** The index itself, and each of its mailboxes. */
  async index(database: DatabaseSync): Promise<void> {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    for (const { name } of tables) {
      const sql = `PRAGMA quick_check("${String(name).replaceAll('"', '""')}")`;
      const found = Object.values(database.prepare(sql).get() ?? {})[0];
      if (found !== "ok") return this.add("failed", `the index is damaged: ${found}`, DAMAGED);
      await yieldNow();
    }
    for (
      const { id, name, folder } of database.prepare("SELECT id, name, folder FROM mailboxes").all()
    ) {
      const path = folder === "" ? this.root : `${this.root}/${folder}`;
      const link = linkIn(this.root, String(folder));
      if (link !== undefined) {
        this.add("failed", `${name}: ${link} is a symbolic link, and not followed`, LINKED);
        continue;
      }
      await this.#mailbox(database, { id: Number(id), name: String(name), path });
    }
  }

  async #mailbox(database: DatabaseSync, folder: Folder): Promise<void> {
    this.#mailboxes++;
    await this.#tmp(folder);
    const indexed = await this.#indexed(database, folder);
    this.#messages += indexed.size;
    const seen = new Set<string>();
    const unknown: string[] = [];
    const changed: number[] = [];
    for (const directory of ["new", "cur"]) {
      const path = `${folder.path}/${directory}`;
      const { files, odd } = await listDirectory(path);
      this.#addSome(odd, `what is no message lies in ${path}`, "move it elsewhere");
      for (const file of files) {
        const base = baseOf(file);
        const row = indexed.get(base);
        seen.add(base);
        if (row === undefined) unknown.push(base);
        else if (this.#differs(`${path}/${file}`, row)) changed.push(row.uid);
        if (this.#pace.due()) await this.#pace.turn();
      }
    }
    const missing = [...indexed].filter(([base]) => !seen.has(base));
    await this.#tell(database, folder, { missing, unknown, changed });
  }

  /** Mail may have come and gone meanwhile: only what still holds is told. */
  async #tell(
    database: DatabaseSync,
    folder: Folder,
    { missing, unknown, changed }: {
      missing: readonly (readonly [string, Indexed])[];
      unknown: readonly string[];
      changed: readonly number[];
    },
  ): Promise<void> {
    const { name } = folder;
    if (missing.length > 0) {
      const now = await this.#indexed(database, folder);
      const there = new Set(
        (await Promise.all(["new", "cur"].map((each) => listDirectory(`${folder.path}/${each}`))))
          .flatMap(({ files }) => files.map(baseOf)),
      );
      const uids = missing.filter(([base]) => now.has(base) && !there.has(base))
        .map(([, { uid }]) => String(uid));
      if (uids.length > 0) {
        this.add(
          "failed",
          `${name}: files of ${counted(uids.length, "message")} are missing (UID ${some(uids)})`,
          "restore them from a backup; else they are expunged when the mailbox is next opened",
        );
      }
    }
    const removals = new Set(
      database.prepare("SELECT base FROM removals WHERE mailbox = ?").all(folder.id)
        .map(({ base }) => base),
    );
    const fresh = unknown.length > 0 ? await this.#indexed(database, folder) : new Map();
    const left = unknown.filter((base) => !removals.has(base) && !fresh.has(base));
    if (left.length > 0) {
      this.add(
        "warning",
        `${name}: ${counted(left.length, "file")} not in the index yet (${some(left)})`,
        "nothing is to be done: they are taken over when the mailbox is next opened",
      );
    }
    if (changed.length > 0) {
      this.add(
        "failed",
        `${name}: files of ${counted(changed.length, "message")} are not as long as they were ` +
          `(UID ${some(changed.map(String))})`,
        "restore them from a backup",
      );
    }
  }

  #differs(path: string, { size, bareLf }: Indexed): boolean {
    const info = lstat(path);
    if (info === undefined) return false;
    if (info.uid !== null && info.uid !== this.#owner) this.#addForeign(path);
    if (size < 0) return false;
    // What lacks CRs is at most half as long as on the wire.
    return bareLf ? info.size >= size || info.size * 2 < size : info.size !== size;
  }

  async #tmp({ name, path }: Folder): Promise<void> {
    const { files } = await listDirectory(`${path}/tmp`);
    const stale = files.filter((file) => {
      const changed = lstat(`${path}/tmp/${file}`)?.ctime?.getTime();
      return changed !== undefined && Date.now() - changed > STALE;
    });
    if (stale.length === 0) return;
    this.add(
      "warning",
      `${name}: ${counted(stale.length, "file")} of broken deliveries in tmp (${some(stale)})`,
      "nothing is to be done: they are removed when the account is next opened",
    );
  }

  async #indexed(database: DatabaseSync, { id }: Folder): Promise<Map<string, Indexed>> {
    const found = new Map<string, Indexed>();
    const statement = database.prepare(
      `SELECT f.base, f.bare_lf, m.size, m.uid FROM messages m
       JOIN files f ON f.id = (m.mailbox << 32) | m.uid
       WHERE m.mailbox = ? AND m.uid > ? ORDER BY m.uid LIMIT ${BATCH}`,
    );
    for (let after = 0;;) {
      const rows = statement.all(id, after);
      for (const { base, bare_lf, size, uid } of rows) {
        after = Number(uid);
        found.set(String(base), { uid: after, size: Number(size), bareLf: bare_lf !== 0 });
      }
      if (rows.length < BATCH) return found;
      if (this.#pace.due()) await this.#pace.turn();
    }
  }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown}, …` : shown;
}

function quoted(path: string): string {
  return /^[\w/.@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
