/** Looks for what is wrong with an account's Maildir and its index, and changes nothing. */

import { Pace } from "../../pace.ts";
import { searchProblems } from "./search_examination.ts";
import { FolderExamination } from "./folder_examination.ts";
import {
  damaged,
  damageOf,
  type ExaminedIndex,
  indexProblems,
  interruptedWork,
  mailboxProblems,
} from "./index_examination.ts";
import { errnoOf } from "./disk_error.ts";
import { type CopyOptions, missing, withCopy, withSuspects } from "./examined_copy.ts";
import { nameOf } from "./folder_name.ts";
import { lstat } from "./locating.ts";
import { counted, type Finding, quoted, some, type Told } from "./problem.ts";
import { INDEX_FILE } from "./schema.ts";
import { commitsProblem } from "./commit_numbers.ts";
import { SEARCH_FILE } from "./search_file.ts";
import type { SearchService } from "./search_service.ts";
import { UID_VALIDITY_FILE, uidValidityFault } from "./uid_validity.ts";

/** What an examination needs. */
export interface ExaminationOptions extends CopyOptions {
  readonly name: string;
  /** Where this process has it open. */
  readonly index?: ExaminedIndex;
  /** Absent: texts are not indexed. */
  readonly search?: SearchService;
  /** Read all messages, not only their sizes, and check the index of texts against all. */
  readonly thorough?: boolean;
}

/** All that is wrong; one that says so if nothing is. @throws the reason of `gone` */
export async function examineAccount(options: ExaminationOptions): Promise<readonly Finding[]> {
  const examination = new Examination(options);
  const { root, index } = options;
  if (!await examination.surroundings()) return examination.findings();
  const there = lstat(`${root}/${INDEX_FILE}`);
  if (there === undefined) {
    examination.add(missing("there is no index yet"));
  } else if (index !== undefined && there.isFile) {
    await withSuspects(options, index, (suspecting) => examination.index(suspecting));
  } else {
    await withCopy(
      options,
      (copy) => examination.index(copy),
      (told) => examination.add(told),
    );
  }
  return examination.findings();
}

/** Folders, and what is to be done. */
const CLOSED = {
  level: "failed",
  code: "folder-unreadable",
  advice: "chmod u+rwx",
  mender: "access",
  remedy: "the owner may go there",
} as const;

/** Whether names in a folder can be listed, and files of them be seen. */
function canLook(path: string): boolean {
  try {
    Deno.lstatSync(`${path}/.`);
    Deno.readDirSync(path)[Symbol.iterator]().next();
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EACCES") throw error;
    return false;
  }
}

class Examination {
  readonly #options: ExaminationOptions;
  readonly #findings: Finding[] = [];
  readonly #pace = new Pace();
  readonly #foreign: string[] = [];
  #messages = 0;
  #mailboxes = 0;
  #owner: number | null = null;

  constructor(options: ExaminationOptions) {
    this.#options = options;
  }

  add(told: Told): void {
    this.#findings.push({ subject: `account ${this.#options.name}`, ...told });
  }

  findings(): readonly Finding[] {
    if (this.#foreign.length > 0) this.#addForeign();
    if (this.#findings.length === 0) {
      this.add({
        level: "ok",
        text: `${counted(this.#messages, "message")} in ${
          counted(this.#mailboxes, "mailbox", "mailboxes")
        }, index and files agree`,
      });
    }
    return this.#findings;
  }

  /** What lies in the Maildir besides mail. @returns whether more can be seen of it */
  async surroundings(): Promise<boolean> {
    const { root } = this.#options;
    const { uid, mode } = Deno.statSync(root);
    this.#owner = uid;
    const isOpen = canLook(root);
    if (!isOpen || ((mode ?? 0o700) & 0o700) !== 0o700) {
      this.add({
        ...CLOSED,
        text: `${root} is closed to its owner, or to this program`,
        paths: [root],
      });
    }
    if (!isOpen) return false;
    if ((mode ?? 0) & 0o007) {
      this.add({
        level: "warning",
        code: "maildir-open",
        text: `${root} is open to other users`,
        paths: [root],
        advice: `chmod o-rwx ${quoted(root)}`,
        mender: "access",
        remedy: "it is not any more",
      });
    }
    const unnumbered = commitsProblem(root);
    if (unnumbered !== undefined) this.add(unnumbered);
    const links: string[] = [];
    const damaged: string[] = [];
    const foreign: string[] = [];
    const readable: string[] = [];
    const closed: string[] = [];
    for await (const { name, isSymlink } of Deno.readDir(root)) {
      const path = `${root}/${name}`;
      if (isSymlink) links.push(name);
      if (name.startsWith(`${INDEX_FILE}.damaged-`)) damaged.push(name);
      if (name.startsWith("dovecot")) foreign.push(name);
      const there = lstat(path);
      if (there === undefined) continue;
      this.#see(path, there);
      const isOwn = name.startsWith(INDEX_FILE) || name.startsWith(SEARCH_FILE);
      if (isOwn && !isSymlink && (there.mode ?? 0) & 0o077) readable.push(name);
      const isClosed = ((there.mode ?? 0o600) & 0o600) !== 0o600;
      if (isClosed && there.isFile && name.startsWith("imapd")) closed.push(name);
      if (this.#pace.due()) await this.#pace.turn();
    }
    this.#addSome(links, {
      level: "warning",
      code: "link",
      text: "symbolic links are not followed",
      advice: "move what they point to into the Maildir",
    });
    this.#addSome(damaged, {
      level: "warning",
      code: "damaged-index-kept",
      text: "a damaged index was put aside",
      advice: "remove it, once nothing is missed",
    });
    this.#addSome(foreign, {
      level: "warning",
      code: "dovecot-files",
      text: "files of Dovecot are left",
      advice: "remove them, if Dovecot is not to come back",
    });
    this.#addSome(readable, {
      level: "warning",
      code: "index-open",
      text: "other users may read the index",
      advice: "chmod go-rwx",
      mender: "access",
      remedy: "they may not any more",
    });
    this.#addSome(closed, {
      level: "failed",
      code: "index-closed",
      text: "the owner may not read and write files of the server",
      advice: "chmod u+rw",
      mender: "access",
      remedy: "the owner may",
    });
    return true;
  }

  #addSome(names: readonly string[], told: Told): void {
    if (names.length === 0) return;
    const paths = names.slice(0, 1000).map((name) => `${this.#options.root}/${name}`);
    this.add({ ...told, text: `${told.text}: ${some(names)}`, paths });
  }

  #see(path: string, { uid }: Deno.FileInfo): void {
    if (uid !== null && this.#owner !== null && uid !== this.#owner) this.#foreign.push(path);
  }

  #addForeign(): void {
    const { root } = this.#options;
    const [first] = this.#foreign;
    const more = this.#foreign.length > 1 ? `, and ${this.#foreign.length - 1} more` : "";
    this.add({
      level: "failed",
      code: "owner-foreign",
      text: `${first} is not owned by the owner of the Maildir${more}`,
      paths: this.#foreign.slice(0, 1000),
      advice: `chown -R --reference=${quoted(root)} ${quoted(root)}`,
      mender: "access",
      remedy: "they are given to the owner",
    });
  }

  /** The index itself, and each of its mailboxes. */
  async index(index: ExaminedIndex): Promise<void> {
    const { root, search: service, thorough = false, gone } = this.#options;
    const isOpen = this.#options.index !== undefined;
    const why = isOpen ? await damageOf(index) : undefined;
    if (why !== undefined) return this.add(damaged(why));
    // What an open account has still to do is under way.
    const interrupted = isOpen ? undefined : interruptedWork(index);
    if (interrupted !== undefined) this.add(interrupted);
    for await (const told of indexProblems(index)) this.add(told);
    const fault = await index.alone(() => uidValidityFault(root, index.database));
    if (fault !== undefined) {
      this.add({
        level: "failed",
        code: "uidvalidity-file",
        text: `${root}/${UID_VALIDITY_FILE} ${fault}`,
        paths: [`${root}/${UID_VALIDITY_FILE}`],
        advice: "--repair writes it; it keeps an index made anew from repeating a UIDVALIDITY",
        mender: "uid-validity",
        remedy: "it is written",
      });
    }
    const rows = await index.alone(() =>
      index.database.prepare("SELECT id, name, folder FROM mailboxes ORDER BY name").all()
    );
    for (const { id, name, folder } of rows) {
      const mailbox = { id: Number(id), name: String(name), folder: String(folder) };
      for await (const told of mailboxProblems(index, mailbox)) this.add(told);
      await this.#folder(index, mailbox);
    }
    await this.#unknownFolders(new Set(rows.map(({ folder }) => String(folder))));
    if (service === undefined) return;
    for await (const told of searchProblems(root, index, { service, thorough, gone })) {
      this.add(told);
    }
  }

  async #folder(
    index: ExaminedIndex,
    mailbox: { readonly id: number; readonly name: string; readonly folder: string },
  ): Promise<void> {
    this.#mailboxes++;
    const folder = new FolderExamination(
      this.#options.root,
      index,
      mailbox,
      {
        seen: (path, info) => this.#see(path, info),
        thorough: this.#options.thorough ?? false,
        gone: this.#options.gone,
      },
    );
    for await (const told of folder.problems()) this.add(told);
    this.#messages += folder.messages;
  }

  async #unknownFolders(known: ReadonlySet<string>): Promise<void> {
    const { root } = this.#options;
    const unknown: string[] = [];
    const closed: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(root)) {
      if (!isDirectory || !name.startsWith(".") || known.has(name)) continue;
      if (!canLook(`${root}/${name}`)) closed.push(name);
      else if (lstat(`${root}/${name}/cur`)?.isDirectory && nameOf(name) !== undefined) {
        unknown.push(name);
      }
      if (this.#pace.due()) await this.#pace.turn();
    }
    this.#addSome(closed, { ...CLOSED, text: "folders are closed to their owner" });
    this.#addSome(unknown, {
      level: "warning",
      code: "folder-unknown",
      text: "folders that are not in the index yet",
      advice: "nothing is to be done: they are taken over when the account is next opened",
      mender: "compare",
      remedy: "they are mailboxes now",
    });
  }
}
