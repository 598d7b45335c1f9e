/** Help, made from the table of commands. */

import type { Command } from "./command.ts";

const PROGRAM = "imapd";

/** One line: `imapd user add --config FILE NAME`. */
function usageLine(command: Command): string {
  const options = Object.entries(command.options).map(([name, { value, required, repeated }]) => {
    const text = value === undefined ? `--${name}` : `--${name} ${value}`;
    return (required ? text : `[${text}]`) + (repeated ? "…" : "");
  });
  return [PROGRAM, command.name, ...options, ...command.operands].filter((part) => part !== "")
    .join(" ");
}

/** Help for one command. */
export function commandHelp(command: Command): string {
  const rows = [
    ...Object.entries(command.options).map(([name, { value, short, doc }]) => {
      const names = short === undefined ? `--${name}` : `-${short}, --${name}`;
      return [value === undefined ? names : `${names} ${value}`, doc] as const;
    }),
    ["-h, --help", "Print this help."] as const,
  ];
  return `${command.summary}\n\nUsage: ${usageLine(command)}\n\nOptions:\n${columns(rows)}`;
}

/** Help for the whole program. */
export function programHelp(commands: readonly Command[]): string {
  const rows = commands.map((command) => [usageLine(command), command.summary] as const);
  return `An IMAP server in one executable.\n\nUsage:\n${columns(rows)}\n` +
    `Exit status: 0 success, 2 wrong usage or a fault in the config, 1 any other failure.\n`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([left, right]) => `  ${left}\n      ${right}\n`).join("");
}
