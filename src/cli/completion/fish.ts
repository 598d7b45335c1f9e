/** Completion for fish. */

import type { Command } from "../command.ts";
import { groups, nextWords, operandKinds, OPTION_WORDS, SHELLS, valueOptions } from "./words.ts";

/** @returns what `imapd completion fish | source` reads */
export function fishScript(commands: readonly Command[]): string {
  const named = commands.filter(({ name }) => name !== "");
  const lines = [
    "# Completion of imapd for fish: imapd completion fish | source",
    functions(commands),
    "complete -c imapd -f",
    ...["", ...groups(commands)].flatMap((before) => wordLines(commands, before)),
    ...commands.flatMap(optionLines),
    ...named.flatMap(operandLines),
  ];
  return `${lines.join("\n")}\n`;
}

/** One line for each word, so that each has its summary. */
function wordLines(commands: readonly Command[], before: string): string[] {
  return nextWords(commands, before).map((word) => {
    const name = before === "" ? word : `${before} ${word}`;
    const summary = commands.find((each) => each.name === name)?.summary ?? `${name} …`;
    return `complete -c imapd -n ${quoted(`__imapd_at ${quoted(before)} 0 words`)} -a ${word} -d ${
      quoted(summary)
    }`;
  });
}

function optionLines({ name, options }: Command): string[] {
  const condition = quoted(`__imapd_in ${quoted(name)}`);
  return Object.entries({ ...options, help: { doc: "Print this help." } }).map(
    ([option, { value, short, doc }]: [string, Command["options"][string]]) => {
      const letter = short === undefined ? "" : ` -s ${short}`;
      const words = OPTION_WORDS[option];
      const takes = value === undefined
        ? ""
        : words !== undefined
        ? ` -x -a ${quoted(words.join(" "))}`
        : option === "config" || option.endsWith("-file")
        ? " -r -F"
        : " -x";
      return `complete -c imapd -n ${condition}${letter} -l ${option}${takes} -d ${quoted(doc)}`;
    },
  );
}

function operandLines(command: Command): string[] {
  return operandKinds(command).flatMap((kind, at) => {
    if (kind === "none") return [];
    const condition = quoted(`__imapd_at ${quoted(command.name)} ${at} operands`);
    const what = kind === "file"
      ? "-F"
      : kind === "shell"
      ? `-a ${quoted(SHELLS.join(" "))}`
      : `-a ${quoted(`(__imapd_ask ${kind})`)}`;
    return [`complete -c imapd -n ${condition} ${what}`];
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function functions(commands: readonly Command[]): string {
  const values = valueOptions(commands).join(" ");
  const grouped = groups(commands).join(" ");
  return `
# Prints the command, and each operand before the word that is being typed, one a line.
function __imapd_read
    set -l words (commandline -opc)
    set -e words[1]
    set -l command
    set -l complete no
    set -l pending no
    set -l operands
    for word in $words
        if test $pending = yes
            set pending no
        else if contains -- $word ${values}
            set pending yes
        else if string match -q -- '-*' $word
            continue
        else if test $complete = no
            set -a command $word
            if not contains -- "$command" ${grouped}
                set complete yes
            end
        else
            set -a operands $word
        end
    end
    echo $complete
    echo (string join ' ' -- $command)
    for operand in $operands
        echo $operand
    end
end

# Whether COMMAND was typed and COUNT operands; or, with "words", a word of a command comes next.
function __imapd_at -a command count what
    set -l read (__imapd_read)
    test "$read[2]" = "$command"; or return 1
    if test $what = words
        test $read[1] = no
    else
        test $read[1] = yes -a (math (count $read) - 2) = $count
    end
end

function __imapd_in -a command
    set -l read (__imapd_read)
    test "$read[2]" = "$command"
end

# Prints names that the program knows.
function __imapd_ask -a kind
    set -l words (commandline -opc)
    set -l asking
    for i in (seq 2 (count $words))
        if contains -- $words[$i] --config --storage; and set -q words[(math $i + 1)]
            set -a asking $words[$i] $words[(math $i + 1)]
        end
    end
    set -l read (__imapd_read)
    if test $kind = account
        imapd completion accounts $asking 2>/dev/null
    else
        imapd completion mailboxes $asking -- $read[3] 2>/dev/null
    end
end
`;
}
