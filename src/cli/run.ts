/** Finds the command, runs it, and turns what it throws into an exit status. */

import { AdminError } from "../admin/operation.ts";
import { ConfigError } from "../config/load.ts";
import { didYouMean } from "../config/suggest.ts";
import { VERSION } from "../version.ts";
import {
  type Arguments,
  type Command,
  EXIT,
  type Failures,
  readArguments,
  UsageError,
} from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { commandHelp, programHelp } from "./help.ts";
import { print, printError } from "./output.ts";

/** Runs the program with the words of its command line. @returns the exit status */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  let command: Command | undefined;
  try {
    if (words[0] === "help") return help(words.slice(1));
    const found = find(words);
    command = found.command;
    return await run(command, readArguments(command, found.rest));
  } catch (error) {
    return failed(error, command?.exit ?? EXIT);
  }
}

function failed(error: unknown, exit: Failures): number {
  if (error instanceof ConfigError) {
    printError(error.message);
    return exit.config;
  }
  if (error instanceof UsageError || error instanceof AdminError && error.kind === "usage") {
    printError(`imapd: ${error.message}\nTry imapd --help`);
    return exit.usage;
  }
  // Whoever read the output has seen enough, as `head` does.
  if (error instanceof Deno.errors.BrokenPipe) return exit.failure;
  printError(`imapd: ${error instanceof Error ? error.message : error}`);
  return exit.failure;
}

async function run(command: Command, args: Arguments): Promise<number> {
  if (command.name === "") {
    if (args.options.help === true) return help([]);
    if (args.options.version === true) {
      print(`imapd ${VERSION}`);
      return EXIT.ok;
    }
  } else if (args.options.help === true) {
    print(commandHelp(command));
    return EXIT.ok;
  }
  return await command.run(args, COMMANDS);
}

function help(words: readonly string[]): number {
  if (words.length === 0) {
    print(programHelp(COMMANDS));
    return EXIT.ok;
  }
  const name = words.join(" ");
  const commands = COMMANDS.filter((command) =>
    command.name === name || command.name.startsWith(`${name} `)
  );
  if (commands.length === 0) throw unknown(name);
  print(commands.map(commandHelp).join("\n"));
  return EXIT.ok;
}

/** Commands have one or two words, which come first. */
function find(words: readonly string[]): { command: Command; rest: readonly string[] } {
  const first = words.findIndex((word) => word.startsWith("-"));
  const leading = first < 0 ? words : words.slice(0, first);
  for (const count of [2, 1]) {
    const name = leading.slice(0, count).join(" ");
    const command = COMMANDS.find((each) => each.name === name);
    if (command !== undefined && leading.length >= count) {
      return { command, rest: words.slice(count) };
    }
  }
  if (leading.length === 0) return { command: COMMANDS[0], rest: words };
  const group = COMMANDS.filter((command) => command.name.startsWith(`${leading[0]} `));
  if (group.length > 0) {
    const names = group.map((command) => command.name.split(" ")[1]);
    const got = leading[1] ?? "none";
    throw new UsageError(`Expected ${names.join(", ")} after ${leading[0]}, got ${got}`);
  }
  throw unknown(leading[0]);
}

function unknown(name: string): UsageError {
  const names = COMMANDS.map((command) => command.name).filter((each) => each !== "");
  return new UsageError(`Unknown command ${name}${didYouMean(name, names)}`);
}
