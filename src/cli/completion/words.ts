/** The table of commands as completion needs it. */

import type { Command } from "../command.ts";

/** What an operand is: names to ask the program for, words, files, or nothing to be completed. */
export type OperandKind = "account" | "mailbox" | "file" | "shell" | "none";

/** Shells that completion is for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Values of options that are words. */
export const OPTION_WORDS: Readonly<Record<string, readonly string[]>> = {
  hash: ["argon2", "bcrypt", "scram-sha-256"],
  special: ["all", "archive", "drafts", "flagged", "junk", "sent", "trash"],
  flag: ["seen", "answered", "flagged", "deleted", "draft"],
};

const KINDS: Readonly<Record<string, OperandKind>> = {
  ACCOUNT: "account",
  DIR: "file",
  FILE: "file",
  MAILBOX: "mailbox",
  PATH: "file",
  SHELL: "shell",
};

/** The kinds of a command's operands, in order. */
export function operandKinds({ operands }: Command): readonly OperandKind[] {
  return operands.map((name) => KINDS[name.replace(/[^A-Z]/g, "")] ?? "none");
}

/** Words that may follow `before`, which is "" or the first word of commands. */
export function nextWords(commands: readonly Command[], before: string): readonly string[] {
  const depth = before === "" ? 0 : 1;
  const fitting = commands.map(({ name }) => name.split(" "))
    .filter((words) => depth === 0 || words[0] === before);
  return [...new Set(fitting.map((words) => words[depth] ?? "").filter((word) => word !== ""))];
}

/** First words of commands of two. */
export function groups(commands: readonly Command[]): readonly string[] {
  const two = commands.filter(({ name }) => name.includes(" "));
  return [...new Set(two.map(({ name }) => name.split(" ")[0]))];
}

/** Options of any command that take a value, with their dashes. */
export function valueOptions(commands: readonly Command[]): readonly string[] {
  const all = commands.flatMap(({ options }) =>
    Object.entries(options).flatMap(([name, { value, short }]) =>
      value === undefined ? [] : [`--${name}`, ...short === undefined ? [] : [`-${short}`]]
    )
  );
  return [...new Set(all)];
}
