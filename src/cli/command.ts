/** What a subcommand is, and how its arguments are read. */

import { parseArgs } from "node:util";
import { didYouMean } from "../config/suggest.ts";

/** Exit statuses, part of the program's interface. */
export const EXIT = { ok: 0, failure: 1, usage: 2, config: 2 } as const;

/** Where the config is unless `--config` says otherwise. */
export const CONFIG_FILE = "/etc/imapd/config.toml";

/** One option of a command; without `value` it is a switch. */
export interface Option {
  /** What the help calls its value, such as "FILE". */
  readonly value?: string;
  /** Its other name, one letter. */
  readonly short?: string;
  /** It may be given more than once. */
  readonly repeated?: boolean;
  /** The command does not work without it. */
  readonly required?: boolean;
  /** Its value may be "". */
  readonly mayBeEmpty?: boolean;
  readonly doc: string;
}

/** The exit statuses of a command that could not do its work. */
export interface Failures {
  readonly failure: number;
  /** Called wrongly. */
  readonly usage: number;
  /** Faults in the config. */
  readonly config: number;
}

export interface Command {
  /** Words that choose it, such as "user add"; "" is the command without any. */
  readonly name: string;
  /**
   * Names of its operands: "NAME" must be given, "[NAME]" may be; a last one with "…" stands for
   * any number, of which "NAME…" must have one.
   */
  readonly operands: readonly string[];
  /** An operand may begin with a dash that two or more characters follow, as `-Seen`. */
  readonly signedOperands?: boolean;
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Exit statuses in place of {@link EXIT}, for whoever runs the command by its own rules. */
  readonly exit?: Failures;
  /** @param commands all there are, for what tells of them */
  readonly run: (args: Arguments, commands: readonly Command[]) => Promise<number>;
}

/** Options and operands as given. */
export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly operands: readonly string[];
}

/** The program was called wrongly; exit status 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The value of an option; of one that may be absent, undefined then. */
export function optionalOption(args: Arguments, name: string): string | undefined {
  const value = args.options[name];
  return typeof value === "string" ? value : undefined;
}

/** The value of an option that must be there. */
export function requiredOption(args: Arguments, name: string): string {
  const value = optionalOption(args, name);
  if (value === undefined) throw new UsageError(`Expected --${name}, got none`);
  return value;
}

/** All values of an option that may be repeated, in order. */
export function repeatedOption(args: Arguments, name: string): readonly string[] {
  const value = args.options[name];
  return Array.isArray(value) ? value : typeof value === "string" ? [value] : [];
}

/** Whether a switch was given. */
export function isOn(args: Arguments, name: string): boolean {
  return args.options[name] === true;
}

/** The path of the config. */
export function configFile(args: Arguments): string {
  return optionalOption(args, "config") ?? CONFIG_FILE;
}

/** Keeps an operand from being read as an option; no argument can have a NUL itself. */
const SHIELD = "\0";

/** Reads what follows the command's words. @throws {UsageError} */
export function readArguments(command: Command, words: readonly string[]): Arguments {
  const mayBeOperand = (word: string) => command.signedOperands && /^-[^-]./.test(word);
  const { values, tokens } = parseArgs({
    args: words.map((word) => mayBeOperand(word) ? SHIELD + word : word),
    options: {
      help: { type: "boolean", short: "h" },
      ...Object.fromEntries(
        Object.entries(command.options).map(([name, { value, short, repeated = false }]) => [
          name,
          {
            type: value === undefined ? "boolean" as const : "string" as const,
            ...short === undefined ? {} : { short },
            multiple: repeated,
          },
        ]),
      ),
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const operands: string[] = [];
  for (const token of tokens ?? []) {
    if (token.kind === "positional") operands.push(token.value.replace(SHIELD, ""));
    if (token.kind === "option") checkOption(command, token.name, token.rawName, token.value);
  }
  const options: Record<string, string | boolean | readonly string[] | undefined> = {};
  for (const [name, value] of Object.entries(values)) {
    options[name] = Array.isArray(value) ? value.map(String) : value;
  }
  if (options.help !== true) {
    checkOperands(command, operands);
    checkRequired(command, options);
  }
  return { options, operands };
}

function checkOperands({ operands: names }: Command, given: readonly string[]): void {
  const least = names.filter((name) => !name.startsWith("[")).length;
  const most = names.some((name) => name.includes("…")) ? Infinity : names.length;
  if (given.length >= least && given.length <= most) return;
  const wanted = names.length === 0 ? "no operand" : names.join(" ");
  throw new UsageError(`Expected ${wanted}, got ${given.join(" ") || "none"}`);
}

function checkRequired({ options }: Command, given: Arguments["options"]): void {
  for (const [name, { value, required }] of Object.entries(options)) {
    if (required !== true || given[name] !== undefined) continue;
    throw new UsageError(`Expected --${name} with a ${value}, got none`);
  }
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
  if (option.value !== undefined && (value === undefined || value === "" && !option.mayBeEmpty)) {
    throw new UsageError(`Expected a ${option.value} after ${rawName}, got none`);
  }
}
