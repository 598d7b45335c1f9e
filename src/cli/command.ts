/** What a subcommand is, and how its arguments are read. */

import { parseArgs } from "node:util";
import { didYouMean } from "../config/suggest.ts";

/** Exit statuses, part of the program's interface. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** One option of a command; without `value` it is a switch. */
export interface Option {
  /** What the help calls its value, such as "FILE". */
  readonly value?: string;
  readonly doc: string;
}

export interface Command {
  /** Words that choose it, such as "user add"; "" is the command without any. */
  readonly name: string;
  /** Names of its operands for the help, such as "NAME". */
  readonly operands: readonly string[];
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly run: (args: Arguments) => Promise<number>;
}

/** Options and operands as given. */
export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly operands: readonly string[];
}

/** The program was called wrongly; exit status 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** An option that must be there, as a string. @throws {UsageError} */
export function requiredOption(args: Arguments, name: string): string {
  const value = args.options[name];
  if (typeof value === "string" && value !== "") return value;
  throw new UsageError(`Expected --${name} with a value, got none`);
}

/** An option that may be absent. */
export function optionalOption(args: Arguments, name: string): string | undefined {
  const value = args.options[name];
  return typeof value === "string" ? value : undefined;
}

/** Reads what follows the command's words. @throws {UsageError} */
export function readArguments(command: Command, words: readonly string[]): Arguments {
  const { values, tokens } = parseArgs({
    args: [...words],
    options: {
      help: { type: "boolean", short: "h" },
      ...Object.fromEntries(
        Object.entries(command.options).map(([name, option]) => [
          name,
          { type: option.value === undefined ? "boolean" as const : "string" as const },
        ]),
      ),
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const operands: string[] = [];
  for (const token of tokens ?? []) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind === "option") checkOption(command, token.name, token.rawName, token.value);
  }
  const options: Record<string, string | boolean | undefined> = {};
  for (const [name, value] of Object.entries(values)) {
    options[name] = Array.isArray(value) ? undefined : value;
  }
  if (options.help !== true && operands.length !== command.operands.length) {
    const wanted = command.operands.length === 0 ? "no operand" : command.operands.join(" ");
    throw new UsageError(`Expected ${wanted}, got ${operands.join(" ") || "none"}`);
  }
  return { options, operands };
}

function checkOption(
  command: Command,
  name: string,
  rawName: string,
  value: string | undefined,
): void {
  if (name === "help") return;
  const option = command.options[name];
  if (option === undefined) {
    const near = didYouMean(name, ["help", ...Object.keys(command.options)]);
    throw new UsageError(`Unknown option ${rawName}${near.replace("mean ", "mean --")}`);
  }
  if (option.value === undefined && value !== undefined) {
    throw new UsageError(`Expected no value for ${rawName}, got ${value}`);
  }
  if (option.value !== undefined && (value === undefined || value === "")) {
    throw new UsageError(`Expected a ${option.value} after ${rawName}, got none`);
  }
}
