/** What can be wrong with an account, as the doctor tells it. */

/** Who mends a problem: see `repairing.ts`. */
export type Mender =
  /** Owners and modes are set. */
  | "access"
  /** SQLite's own structures are made anew, or what can be read is saved into another file. */
  | "index"
  /** The check of `row_checks.ts` with the problem's code. */
  | "rows"
  /** Messages whose files changed become new ones. */
  | "changed"
  /** The folder is compared with the index, as at an opening after which nothing is believed. */
  | "compare"
  /** Files get the names that the index wants. */
  | "names"
  /** What broken deliveries left is removed. */
  | "stale"
  /** What SEARCH looks texts up in is made anew. */
  | "search"
  /** The file that outlives the index is written. */
  | "uid-validity";

/** What was found; "ok" is said once, of an account as a whole. */
export interface Problem {
  readonly level: "ok" | "warning" | "failed" | "mended";
  readonly subject: string;
  readonly text: string;
  readonly advice?: string;
  /** The kind of problem, which does not change between versions. */
  readonly code?: string;
  readonly mailbox?: string;
  /** The first thousand. */
  readonly uids?: readonly number[];
  /** The first thousand. */
  readonly paths?: readonly string[];
}

/** A problem, and who can mend it. */
export interface Finding extends Problem {
  readonly mender?: Mender;
  /** What mending does, after "mended: …". */
  readonly remedy?: string;
  /** The number of the mailbox in the index. */
  readonly mailboxId?: number;
}

/** What is told of one problem. */
export type Told = Omit<Finding, "subject">;

const MOST_NAMED = 1000;

/** A problem of messages: its text names some of them, its fields more. */
export function ofMessages(
  told: Told,
  { uids = [], paths = [] }: { uids?: readonly number[]; paths?: readonly string[] },
): Told {
  return {
    ...told,
    ...uids.length > 0 ? { uids: uids.slice(0, MOST_NAMED) } : {},
    ...paths.length > 0 ? { paths: paths.slice(0, MOST_NAMED) } : {},
  };
}

/** "1 message", "2 messages". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The first three. */
export function some(names: readonly (string | number)[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown}, …` : shown;
}

/** A path as a shell takes it. */
export function quoted(path: string): string {
  return /^[\w/.@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** The problem without what only the one who mends it needs. */
export function problemOf(
  { mender: _mender, remedy: _remedy, mailboxId: _mailboxId, ...problem }: Finding,
): Problem {
  return problem;
}
