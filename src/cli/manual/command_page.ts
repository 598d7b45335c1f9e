/** The page imapd(1), made from the table of commands. */

import { VERSION, VERSION_DATE } from "../../version.ts";
import { type Command, CONFIG_FILE, EXIT, type Option } from "../command.ts";
import { ARGUMENT_EXAMPLES } from "./examples.ts";
import {
  bold,
  escaped,
  example,
  filled,
  italic,
  markdown,
  pageTitle,
  section,
  tagged,
} from "./roff.ts";

/** Options that so many commands have in the same words are described once for all. */
const COMMON = 3;

const FILES: readonly (readonly [string, string])[] = [
  [CONFIG_FILE, "The config, unless `--config` names another one; `imapd-config(5)` describes it."],
  ["/var/lib/imapd", "What the server keeps, and the mail, unless the config says otherwise."],
  ["/run/imapd/control.sock", "The socket by which commands reach the running server."],
];

const SIGNALS: readonly (readonly [string, string])[] = [
  [
    "SIGTERM, SIGINT",
    "Clients are told, commands that run may end within 10 seconds, then the server exits. " +
    "A second one ends it at once.",
  ],
  [
    "SIGHUP",
    "The config is read anew. If it has faults they go to the log, and the old one stays in " +
    "force. Connections go on.",
  ],
  ["SIGUSR1", "Log files are opened anew, after they were renamed."],
];

const STATUSES: readonly (readonly [string, string])[] = [
  [String(EXIT.ok), "Success."],
  [String(EXIT.failure), "Any other failure."],
  [String(EXIT.usage), "Wrong usage, or a fault in the config. A restart does not mend it."],
];

/** The text of `imapd.1`. */
export function commandPage(commands: readonly Command[]): string {
  const [server, ...others] = commands;
  const common = commonOptions(commands);
  return [
    ...pageTitle("IMAPD", 1, VERSION_DATE, `imapd ${VERSION}`),
    ...section("NAME"),
    "imapd \\- IMAP server in one executable",
    ...section("SYNOPSIS"),
    ...filled(usage(server)),
    ".br",
    ...filled(
      `${bold("imapd")} ${italic("command")} [${italic("option")} ...] ` +
        `[${italic("operand")} ...]`,
    ),
    ".br",
    ...filled(`${bold("imapd help")} [${italic("command")}]`),
    ...section("DESCRIPTION"),
    ...filled(markdown(
      "`imapd` gives mail programs access to mail in Maildirs by IMAP. Without a command it " +
        "serves in the foreground, as service managers want it, until it is told to stop. The " +
        "commands administrate what it serves: where a server runs they have it do the work, so " +
        "that its clients see the result at once; else they do it themselves.",
    )),
    ...section("COMMANDS"),
    ...others.flatMap((command) => commandText(command, common)),
    ...section("OPTIONS"),
    ...[...common].flatMap(([name, option]) => optionText(name, option)),
    ...Object.entries(server.options).filter(isOwn(common))
      .flatMap(([name, option]) => optionText(name, option)),
    ...optionText("help", { short: "h", doc: "Print what the program or the command can do." }),
    ...section("FILES"),
    ...list(FILES),
    ...section("SIGNALS"),
    ...list(SIGNALS),
    ...section("EXIT STATUS"),
    ...list(STATUSES),
    ...commands.flatMap(otherStatuses),
    ...section("EXAMPLES"),
    ...ARGUMENT_EXAMPLES.flatMap(({ text, words }, i) => [
      ...i === 0 ? [] : [".PP"],
      ...filled(escaped(text)),
      ...example(["imapd", ...words].join(" ")),
    ]),
    ...section("SEE ALSO"),
    ...filled(`${bold("imapd-config")}(5), ${bold("systemctl")}(1), ${bold("maildir")}(5)`),
    "",
  ].join("\n");
}

function list(rows: readonly (readonly [string, string])[]): string[] {
  return rows.flatMap(([tag, text]) => tagged(bold(tag), ...filled(markdown(text))));
}

function commandText(command: Command, common: ReadonlyMap<string, Option>): string[] {
  const own = Object.entries(command.options).filter(isOwn(common));
  return [
    ...tagged(usage(command), ...filled(markdown(command.summary))),
    ...own.length === 0
      ? []
      : [".RS", ...own.flatMap(([name, option]) => optionText(name, option)), ".RE"],
  ];
}

/** What stands in place of the usual statuses for whoever runs a command by rules of its own. */
function otherStatuses({ name, exit }: Command): string[] {
  if (exit === undefined) return [];
  const { failure, usage, config } = exit;
  return [
    ".PP",
    ...filled(markdown(
      `\`imapd ${name}\` has others, those of \`sysexits.h\`: ${usage} for wrong usage, ${config} for ` +
        `a fault in the config, ${failure} where it may be tried again.`,
    )),
  ];
}

/** Whether an option is not described by one of `common`. */
function isOwn(common: ReadonlyMap<string, Option>) {
  return ([name, { doc }]: readonly [string, Option]) => common.get(name)?.doc !== doc;
}

function optionText(name: string, option: Option): string[] {
  const long = bold(`--${name}`);
  const names = option.short === undefined ? long : `${bold(`-${option.short}`)}, ${long}`;
  const tag = option.value === undefined ? names : `${names} ${italic(option.value)}`;
  return tagged(tag, ...filled(markdown(option.doc)));
}

/** One line: `imapd user add [--config FILE] NAME`. */
function usage({ name, options, operands }: Command): string {
  const shown = Object.entries(options).map(([option, { value, required, repeated }]) => {
    const long = bold(`--${option}`);
    const text = value === undefined ? long : `${long} ${italic(value)}`;
    return (required ? text : `[${text}]`) + (repeated ? " ..." : "");
  });
  return [bold(`imapd ${name}`.trim()), ...shown, ...operands.map(operandText)].join(" ");
}

function operandText(operand: string): string {
  const name = operand.replace(/^\[|\]$/g, "").replace("…", "");
  const text = italic(name) + (operand.includes("…") ? " ..." : "");
  return operand.startsWith("[") ? `[${text}]` : text;
}

/** Options that several commands have in the same words; where a name has more of them, the most. */
function commonOptions(commands: readonly Command[]): Map<string, Option> {
  const found = new Map<string, Option>();
  const all = commands.flatMap(({ options }) => Object.entries(options));
  const uses = (name: string, { doc }: Option) =>
    all.filter(([each, other]) => each === name && other.doc === doc).length;
  for (const [name, option] of all) {
    const before = found.get(name);
    const most = before === undefined ? COMMON - 1 : uses(name, before);
    if (uses(name, option) > most) found.set(name, option);
  }
  return new Map([...found].sort(([a], [b]) => a < b ? -1 : 1));
}
