/** What the scripts for bash and zsh have in common: tables as functions of `case`. */

import type { Command } from "../command.ts";
import { groups, nextWords, operandKinds, OPTION_WORDS, SHELLS, valueOptions } from "./words.ts";

/**
 * Functions that print words: `_imapd_next BEFORE`, `_imapd_options COMMAND`, `_imapd_kinds
 * COMMAND`, `_imapd_values OPTION`; and `_imapd_takes_value OPTION`.
 */
export function caseTables(commands: readonly Command[]): string {
  const named = commands.filter(({ name }) => name !== "");
  const befores = ["", ...groups(commands)];
  const options = (command: Command) =>
    [...Object.keys(command.options), "help"].map((name) => `--${name}`);
  return [
    caseFunction("_imapd_next", befores.map((each) => [each, nextWords(commands, each)])),
    caseFunction("_imapd_options", commands.map((each) => [each.name, options(each)])),
    caseFunction("_imapd_kinds", named.map((each) => [each.name, operandKinds(each)])),
    caseFunction("_imapd_values", [
      ...Object.entries(OPTION_WORDS).map(([name, words]) => [`--${name}`, words] as const),
      ["shell", SHELLS],
    ]),
    `_imapd_takes_value() {\n  case $1 in\n    ${
      valueOptions(commands).join("|")
    }) return 0 ;;\n  esac\n  return 1\n}\n`,
    READ_WORDS,
  ].join("\n");
}

function caseFunction(
  name: string,
  rows: readonly (readonly [string, readonly string[]])[],
): string {
  const lines = rows.map(([key, words]) => `    "${key}") echo "${words.join(" ")}" ;;`);
  return `${name}() {\n  case $1 in\n${lines.join("\n")}\n  esac\n}\n`;
}

/** Reads the words before the one that is being typed. */
const READ_WORDS = `# Sets command, complete, pending, count, account and asking by the words given.
_imapd_read() {
  command= complete= pending= count=0 account=
  asking=()
  local word
  for word in "$@"; do
    if [[ -n $pending ]]; then
      [[ $pending == --config || $pending == --storage ]] && asking+=("$pending" "$word")
      pending=
    elif [[ $word == -* ]]; then
      _imapd_takes_value "$word" && pending=$word
    elif [[ -z $complete ]]; then
      command=\${command:+$command }$word
      [[ -n $(_imapd_next "$command") ]] || complete=yes
    else
      [[ $count == 0 ]] && account=$word
      count=$((count + 1))
    fi
  done
}

# Prints names that the program knows, one a line.
_imapd_ask() {
  case $1 in
    account) imapd completion accounts "\${asking[@]}" 2>/dev/null ;;
    mailbox) imapd completion mailboxes "\${asking[@]}" -- "$account" 2>/dev/null ;;
  esac
}
`;
