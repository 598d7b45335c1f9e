/** Reads what strace wrote: which system calls a program made, in order, with what they wrote. */

/** One system call that succeeded. */
export interface SystemCall {
  readonly name: string;
  readonly args: readonly Argument[];
  /** What it returned; never negative. */
  readonly result: number;
  /** Lines of the log, from 1: it took effect at some time from the first to the last of them. */
  readonly began: number;
  readonly ended: number;
}

export type Argument =
  /** A string or the contents of a buffer. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** A file descriptor, and what it stands for: a path, or such as `socket:[123]`. */
  | { readonly kind: "file"; readonly path: string; readonly deleted: boolean }
  /** Several buffers in one call. */
  | { readonly kind: "list"; readonly items: readonly Argument[] }
  /** A number, flags, a structure. */
  | { readonly kind: "word"; readonly text: string };

/** The log cannot be read. */
export class TraceError extends Error {
  override readonly name: string = "TraceError";
}

/** A program was killed in a call. */
export class UnendedCall extends TraceError {
  override readonly name = "UnendedCall";
}

/**
 * Reads the log of `strace -f -y -o FILE`. Calls come in the order in which they ended; those that
 * failed are left out, and syncs that never ended.
 *
 * @param wanted names of calls; the others are skipped without a look at their arguments
 * @throws {UnendedCall} where a program was killed in a call, of which nobody knows what it did
 * @throws {TraceError}
 */
export function parseTrace(log: string, wanted: ReadonlySet<string>): SystemCall[] {
  const calls: SystemCall[] = [];
  /** Calls that have begun, by the thread. */
  const open = new Map<string, { readonly text: string; readonly began: number }>();
  for (const [i, line] of log.split("\n").entries()) {
    const at = i + 1;
    const [, pid, rest] = /^(\d+) +([^]*)$/.exec(line) ?? [];
    if (pid === undefined || rest.startsWith("---")) continue;
    if (rest.startsWith("+++")) {
      const begun = open.get(pid);
      open.delete(pid);
      if (begun !== undefined) add(calls, `${begun.text}) = ?`, begun.began, at);
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    if (resumed) {
      const begun = open.get(pid);
      open.delete(pid);
      if (begun === undefined) continue;
      add(calls, begun.text + rest.slice(resumed[0].length), begun.began, at);
    } else if (!wanted.has(rest.slice(0, rest.indexOf("(")))) continue;
    else if (rest.endsWith("<unfinished ...>")) {
      open.set(pid, { text: rest.slice(0, -"<unfinished ...>".length), began: at });
    } else add(calls, rest, at, at);
  }
  return calls;
}

function add(calls: SystemCall[], text: string, began: number, ended: number): void {
  const reader = new Reader(text, began);
  const call = reader.call();
  if (call !== undefined) calls.push({ ...call, began, ended });
}

const ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  "\\": 92,
  a: 7,
  b: 8,
};

class Reader {
  #at = 0;

  constructor(private readonly text: string, private readonly line: number) {}

  /** Undefined if it failed. */
  call(): Pick<SystemCall, "name" | "args" | "result"> | undefined {
    const name = this.#match(/\w+/y);
    this.#match(/\(/y);
    const args = this.#list(")");
    this.#match(/ *= /y);
    const result = this.#match(/-?(0x[0-9a-f]+|\d+)|\?/y);
    if (result !== "?") {
      return Number(result) >= 0 ? { name, args, result: Number(result) } : undefined;
    }
    // Killed in it: nobody relies on a sync that did not end, but what was sent may have arrived.
    if (/^f(data)?sync$/.test(name)) return undefined;
    if (name.startsWith("send")) return { name, args, result: 0 };
    // Threads end in some call also when a program exits by itself.
    if (!this.text.includes("/mail/") || this.text.includes("O_RDONLY")) return undefined;
    throw new UnendedCall(`Expected an end of the call at line ${this.line}: it was killed in it`);
  }

  /** Arguments up to `end`, which is taken, too. */
  #list(end: string): Argument[] {
    const found: Argument[] = [];
    for (;;) {
      this.#skip(/[ ,]*/y);
      if (this.text[this.#at] === end) {
        this.#at++;
        return found;
      }
      found.push(this.#argument());
    }
  }

  #argument(): Argument {
    const next = this.text[this.#at];
    if (next === '"') return { kind: "bytes", bytes: this.#bytes() };
    if (next === "[") {
      this.#at++;
      return { kind: "list", items: this.#list("]") };
    }
    if (next === "{") {
      this.#at++;
      return { kind: "list", items: this.#list("}") };
    }
    const file = this.#skip(/(?:\w+=)?(?:\d+|AT_FDCWD)<((?:[^<>\\]|\\.)*)>(\(deleted\))?/y);
    if (file) {
      return { kind: "file", path: unescaped(file[1]), deleted: file[2] !== undefined };
    }
    // A member of a structure: only what it holds matters.
    if (this.#skip(/\w+=(?=["[{])/y)) return this.#argument();
    return { kind: "word", text: this.#match(/[^,)\]}"]+/y) };
  }

  #bytes(): Uint8Array {
    const { text } = this;
    const bytes = new Uint8Array(text.length - this.#at);
    let length = 0;
    this.#at++;
    for (;;) {
      const char = text[this.#at++];
      if (char === undefined) throw this.#fault("the end of a string");
      if (char === '"') break;
      bytes[length++] = char === "\\" ? this.#escape() : char.charCodeAt(0);
    }
    if (text.startsWith("...", this.#at)) throw this.#fault("a whole string: strace cut it");
    return bytes.slice(0, length);
  }

  #escape(): number {
    const octal = this.#skip(/[0-7]{1,3}/y);
    if (octal) return parseInt(octal[0], 8);
    const hex = this.#skip(/x([0-9a-f]{2})/y);
    if (hex) return parseInt(hex[1], 16);
    const code = ESCAPES[this.text[this.#at++]];
    if (code === undefined) throw this.#fault("an escape");
    return code;
  }

  #skip(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text);
    if (found) this.#at = pattern.lastIndex;
    return found ?? undefined;
  }

  #match(pattern: RegExp): string {
    const found = this.#skip(pattern);
    if (!found) throw this.#fault(String(pattern));
    return found[0];
  }

  #fault(wanted: string): TraceError {
    const got = this.text.slice(this.#at, this.#at + 40);
    return new TraceError(
      `Expected ${wanted} at line ${this.line}, octet ${this.#at}: got "${got}"`,
    );
  }
}

/** Paths of descriptors have octal escapes. */
function unescaped(path: string): string {
  if (!path.includes("\\")) return path;
  const bytes = path.replace(
    /\\([0-7]{1,3})/g,
    (_, code) => String.fromCharCode(parseInt(code, 8)),
  );
  return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}
