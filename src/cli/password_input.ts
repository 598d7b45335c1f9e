/** Passwords from a terminal without echo, or from standard input. */

import { UsageError } from "./command.ts";

const ENTER = new Set(["\r", "\n"]);
const ERASE = new Set(["\x7f", "\b"]);
const END = "\x04";
const INTERRUPT = "\x03";
const KILL_LINE = "\x15";

/**
 * Reads a new password: asked for twice on a terminal, else the first line of standard input.
 *
 * @throws {UsageError} when it is empty, not UTF-8, has a NUL, or the two differ
 * @throws {Error} at Ctrl-C
 */
export async function readNewPassword(): Promise<string> {
  if (!Deno.stdin.isTerminal()) return required(await readFirstLine());
  const keys = readKeys();
  const password = required(await prompt("Password: ", keys));
  if (await prompt("Again: ", keys) !== password) {
    throw new UsageError("Expected the same password twice, got two different ones");
  }
  return password;
}

/**
 * Reads a password that is there already: asked for once on a terminal, else the first line of
 * standard input.
 *
 * @throws {UsageError} when it is empty, not UTF-8 or has a NUL
 * @throws {Error} at Ctrl-C
 */
export async function readPassword(question = "Password: "): Promise<string> {
  if (!Deno.stdin.isTerminal()) return required(await readFirstLine());
  return required(await prompt(question, readKeys()));
}

/** The first line of standard input. @throws {UsageError} as {@link readNewPassword} */
export async function readFirstPassword(): Promise<string> {
  return required(await readFirstLine());
}

/**
 * Asks for a new password twice on a terminal; undefined where none is entered.
 *
 * @throws {UsageError} when the two differ
 * @throws {Error} at Ctrl-C
 */
export async function readOptionalPassword(question: string): Promise<string | undefined> {
  const keys = readKeys();
  const password = await prompt(question, keys);
  if (password === "") return undefined;
  if (await prompt("Again: ", keys) !== password) {
    throw new UsageError("Expected the same password twice, got two different ones");
  }
  return required(password);
}

function required(password: string): string {
  if (password === "") throw new UsageError("Expected a password, got an empty one");
  // No client could send it: NUL ends a part of SASL PLAIN, and LOGIN cannot carry it.
  if (password.includes("\0")) throw new UsageError("Expected a password without NUL, got one");
  return password;
}

async function readFirstLine(): Promise<string> {
  const text = decoded(await new Response(Deno.stdin.readable).bytes());
  const [line, ...rest] = text.replace(/\r?\n$/, "").split("\n");
  if (rest.length > 0) {
    throw new UsageError(`Expected one line with the password, got ${rest.length + 1} lines`);
  }
  return line;
}

function decoded(octets: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch (error) {
    throw new UsageError("Expected a password in UTF-8, got other octets", { cause: error });
  }
}

async function prompt(question: string, keys: AsyncIterator<string>): Promise<string> {
  // First, so that nothing typed ahead is echoed.
  Deno.stdin.setRaw(true);
  try {
    write(question);
    return await readLine(keys);
  } finally {
    Deno.stdin.setRaw(false);
    write("\n");
  }
}

/** Typed characters, one by one, so that what was typed ahead is not lost. */
async function* readKeys(): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(256);
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return;
    yield* decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

async function readLine(keys: AsyncIterator<string>): Promise<string> {
  const chars: string[] = [];
  for (;;) {
    const { value: key, done } = await keys.next();
    if (done || key === END || ENTER.has(key)) return chars.join("");
    if (key === INTERRUPT) throw new Error("Interrupted");
    if (key === KILL_LINE) chars.length = 0;
    else if (ERASE.has(key)) chars.pop();
    else chars.push(key);
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
