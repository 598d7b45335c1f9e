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
 * @throws {UsageError} when it is empty, or the two differ
 */
export async function readNewPassword(): Promise<string> {
  if (!Deno.stdin.isTerminal()) return required(await readFirstLine());
  const password = required(await prompt("Password: "));
  if (await prompt("Again: ") !== password) {
    throw new UsageError("Expected the same password twice, got two different ones");
  }
  return password;
}

function required(password: string): string {
  if (password === "") throw new UsageError("Expected a password, got an empty one");
  return password;
}

async function readFirstLine(): Promise<string> {
  const text = await new Response(Deno.stdin.readable).text();
  const [line, ...rest] = text.replace(/\r?\n$/, "").split("\n");
  if (rest.length > 0) {
    throw new UsageError(`Expected one line with the password, got ${rest.length + 1} lines`);
  }
  return line;
}

async function prompt(question: string): Promise<string> {
  write(question);
  Deno.stdin.setRaw(true);
  try {
    return await readLine();
  } finally {
    Deno.stdin.setRaw(false);
    write("\n");
  }
}

async function readLine(): Promise<string> {
  const decoder = new TextDecoder();
  const chars: string[] = [];
  const buffer = new Uint8Array(256);
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return chars.join("");
    for (const char of decoder.decode(buffer.subarray(0, count), { stream: true })) {
      if (ENTER.has(char) || char === END) return chars.join("");
      if (char === INTERRUPT) throw new UsageError("Interrupted");
      if (char === KILL_LINE) chars.length = 0;
      else if (ERASE.has(char)) chars.pop();
      else chars.push(char);
    }
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
