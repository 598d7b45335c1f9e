/** How a mailbox's folder differs from the index, as the doctor tells it. */

import type { ExaminedMailbox } from "./index_examination.ts";
import { counted, ofMessages, some, type Told } from "./problem.ts";

/** A message's file by the index. */
export interface Indexed {
  readonly uid: number;
  readonly flags: number;
  /** Below zero: not read yet. */
  readonly size: number;
  readonly bareLf: boolean;
  /** Below the folder. */
  readonly path: string;
  /** Of its text as it was read, if that was kept. */
  readonly digest: Uint8Array | undefined;
}

/** A message, and the path of its file. */
export interface Message {
  readonly uid: number;
  readonly path: string;
}

/** How a folder differs from the index. */
export interface Differences {
  readonly missing: Map<string, Indexed>;
  /** Paths by what they are called up to the flags. */
  readonly unknown: Map<string, string>;
  readonly changed: Message[];
  /** Of the same length, with another text. */
  readonly rewritten: Message[];
  readonly renamed: Message[];
  readonly misnamed: Message[];
  /** Two files with one name up to the flags. */
  readonly twins: { readonly first: string; readonly second: string }[];
  readonly unreadable: Message[];
}

/** One way to differ. */
interface Kind extends Omit<Told, "text"> {
  /** After the mailbox's name, with how many there are. */
  readonly text: (count: number) => string;
  readonly found: (differences: Differences) => readonly Message[];
  /** By their paths, as they have no UIDs, or not only they matter. */
  readonly byPath?: boolean;
}

const messages = (count: number) => counted(count, "message");
const files = (count: number) => counted(count, "file");

const KINDS: readonly Kind[] = [
  {
    level: "failed",
    code: "file-missing",
    text: (count) => `files of ${messages(count)} are missing`,
    found: ({ missing }) => [...missing.values()],
    advice: "restore them from a backup; else they are expunged when the mailbox is next opened",
    mender: "compare",
    remedy: "they are expunged",
  },
  {
    level: "warning",
    code: "file-unknown",
    text: (count) => `${files(count)} not in the index yet`,
    found: ({ unknown }) => Array.from(unknown.values(), (path) => ({ uid: 0, path })),
    byPath: true,
    advice: "nothing is to be done: they are taken over when the mailbox is next opened",
    mender: "compare",
    remedy: "they are taken over",
  },
  {
    level: "failed",
    code: "file-changed",
    text: (count) => `files of ${messages(count)} are not as long as they were`,
    found: ({ changed }) => changed,
    advice: "restore them from a backup; --repair shows them as they are now, under new UIDs",
    mender: "changed",
    remedy: "they are shown as they are now, under new UIDs",
  },
  {
    level: "failed",
    code: "text-changed",
    text: (count) => `texts of ${messages(count)} are not what was read before`,
    found: ({ rewritten }) => rewritten,
    advice: "restore them from a backup",
  },
  {
    level: "warning",
    code: "file-renamed",
    text: (count) => `files of ${messages(count)} have other names than in the index`,
    found: ({ renamed }) => renamed,
    advice: "nothing is to be done: that is taken over when the mailbox is next opened",
    mender: "compare",
    remedy: "their names and flags are taken over",
  },
  {
    level: "warning",
    code: "flags-in-name",
    text: (count) => `names of ${files(count)} do not say the flags that the index has`,
    found: ({ misnamed }) => misnamed,
    advice: "--repair renames them",
    mender: "names",
    remedy: "they are renamed",
  },
  {
    level: "warning",
    code: "file-doubled",
    text: (count) => `${files(count)} with the name of another`,
    found: ({ twins }) => twins.map(({ second }) => ({ uid: 0, path: second })),
    byPath: true,
    advice: "nothing is to be done: each becomes a message when the mailbox is next opened",
    mender: "compare",
    remedy: "each is a message now",
  },
  {
    level: "failed",
    code: "file-unreadable",
    text: (count) => `${files(count)} that their owner may not read`,
    found: ({ unreadable }) => unreadable,
    byPath: true,
    advice: "chmod u+rw",
    mender: "access",
    remedy: "their owner may",
  },
];

/**
 * Tells how a folder differs from the index.
 *
 * @param folder its path
 */
export function* folderFindings(
  { name, id }: ExaminedMailbox,
  folder: string,
  differences: Differences,
): Generator<Told, void> {
  for (const { text, found, byPath, ...told } of KINDS) {
    const all = found(differences);
    if (all.length === 0) continue;
    const paths = all.map(({ path }) => path);
    const uids = all.flatMap(({ uid }) => uid > 0 ? [uid] : []);
    const shown = byPath ? some(paths) : `UID ${some(uids)}`;
    yield ofMessages({
      ...told,
      text: `${name}: ${text(all.length)} (${shown})`,
      mailbox: name,
      mailboxId: id,
    }, { uids, paths: paths.map((path) => `${folder}/${path}`) });
  }
}
