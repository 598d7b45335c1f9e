/** `imapd init`: from a bare machine to a server that mail programs can log in to. */

import type { Answers } from "../app/setup/answers.ts";
import { instructions } from "../app/setup/instructions.ts";
import { Machine } from "../app/setup/machine.ts";
import { filesInTheWay, type SetupFile, StagedFiles } from "../app/setup/setup_files.ts";
import { setupFiles } from "../app/setup/setup.ts";
import { type Survey, survey } from "../app/setup/survey.ts";
import { tryConfig } from "../app/setup/trial.ts";
import type { Outcome } from "../probe/outcome.ts";
import { ACCEPTING, type Asker, terminalAsker } from "./asker.ts";
import { type Arguments, type Command, EXIT, isOn } from "./command.ts";
import { outcomeLines } from "./connect_check.ts";
import { answersFor, placeLabel } from "./init_answers.ts";
import { initFlags } from "./init_flags.ts";
import { config, yes } from "./options.ts";
import { print, printError } from "./output.ts";

/** The row of `imapd init`. */
export const INIT_COMMANDS: readonly Command[] = [
  {
    name: "init",
    operands: [],
    summary: "Make the config, a systemd unit and the first user, and say what else is to be done.",
    options: {
      hostname: { value: "NAME", doc: "The name of the server, that of its certificate." },
      domain: {
        value: "NAME",
        repeated: true,
        doc: "A domain of its mail addresses.",
      },
      tls: {
        value: "KIND",
        doc: "acme (Let's Encrypt, to whose terms you agree by it), self_signed, or the files " +
          "CERT,KEY. Without it, what certbot, acme.sh or Caddy have is looked for.",
      },
      email: { value: "ADDRESS", doc: "Where Let's Encrypt writes to when something is wrong." },
      mail: {
        value: "PATH",
        doc: "Where the Maildirs are, with {account}, or {local} and {domain}. Without it, what " +
          "Dovecot, Postfix and the disk have is looked for.",
      },
      auth: { value: "KIND", doc: "file (a file of its own), or pam (the users of the machine)." },
      user: { value: "NAME", doc: "The first user, or none." },
      "password-stdin": { doc: "Read the password from standard input; else one is made up." },
      "service-user": { value: "NAME", doc: "The user of the system that the server runs as." },
      config,
      "state-dir": { value: "DIR", doc: "What the server keeps; /var/lib/imapd by default." },
      program: { value: "PATH", doc: "Where this program is, for the unit." },
      root: {
        value: "DIR",
        doc: "Look for everything, and write everything, below this folder, as for an image.",
      },
      force: { doc: "Replace files that are there; they are kept with .old after their names." },
      yes: { ...yes, doc: "Ask nothing, take what is found." },
    },
    run: init,
  },
];

/** Writes everything, or nothing. */
async function init(args: Arguments): Promise<number> {
  const flags = initFlags(args);
  const asker = isOn(args, "yes") ? ACCEPTING : terminalAsker();
  const machine = new Machine(flags.root);
  const found = await survey(machine, flags, Deno.hostname());
  tellFound(found);
  const answers = await answersFor(args, flags, found, asker);
  const files = setupFiles(found, answers);
  if (!mayWrite(args, machine, files, asker)) return EXIT.failure;
  const outcomes = await write(machine, files, answers);
  print(outcomeLines(outcomes));
  if (isBroken(outcomes)) {
    printError("Nothing was written");
    return EXIT.failure;
  }
  tellWritten(found, answers, files);
  return EXIT.ok;
}

function tellFound({ postfix, dovecot, mail, domains, hostname }: Survey): void {
  const unfit = dovecot?.mail?.unfit;
  const lines = [
    `This machine: ${hostname}, for addresses at ${domains.join(", ")}`,
    postfix === undefined ? "No Postfix" : "Postfix is here",
    ...dovecot === undefined
      ? []
      : [`Dovecot is here: ${dovecot.mail?.written ?? "no mail_location"}`],
    ...unfit === undefined
      ? []
      : [`Its mail cannot stay as it is, since ${unfit}: imapd import imap takes it over`],
    ...mail.filter(({ accounts }) => accounts.length > 0).map((place) =>
      `Mail: ${placeLabel(place)}`
    ),
  ];
  print(`${lines.join("\n")}\n`);
}

function mayWrite(
  args: Arguments,
  machine: Machine,
  files: readonly SetupFile[],
  asker: Asker,
): boolean {
  const taken = filesInTheWay(machine, files);
  print(`To be written:\n${files.map(({ path }) => `  ${path}`).join("\n")}\n`);
  if (taken.length > 0 && !isOn(args, "force")) {
    const there = `${taken.join(", ")} ${taken.length === 1 ? "is" : "are"} there already`;
    if (isOn(args, "yes")) {
      printError(`imapd: ${there}: --force replaces and keeps what is there as .old`);
      return false;
    }
    if (asker.yes(`${there}. Replace, and keep the old as .old`, false)) return true;
  } else if (asker.yes("Write these", true)) return true;
  printError("Nothing was written");
  return false;
}

/** Tries the files before they are put in their places. */
async function write(
  machine: Machine,
  files: readonly SetupFile[],
  { serviceUser, firstUser, configFile }: Answers,
): Promise<readonly Outcome[]> {
  const staged = StagedFiles.write(machine, files, machine.user(serviceUser));
  const interrupted = () => {
    staged.discard();
    // As the shell says it of a program that SIGINT ended.
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", interrupted);
  try {
    const outcomes = await tryConfig({
      text: files[0].text,
      file: configFile,
      place: (path) => staged.at(path) ?? machine.real(path),
      user: firstUser,
    });
    if (!isBroken(outcomes)) staged.commit();
    return outcomes;
  } finally {
    staged.discard();
    Deno.removeSignalListener("SIGINT", interrupted);
  }
}

/** What clients think of the certificate is said, but another one can be had later. */
function isBroken(outcomes: readonly Outcome[]): boolean {
  return outcomes.some(({ state, step }) =>
    state === "failed" && !["name", "time", "chain"].includes(step)
  );
}

function tellWritten(
  found: Survey,
  answers: Answers & { readonly generated: boolean },
  files: readonly SetupFile[],
): void {
  const { firstUser, generated } = answers;
  if (generated && firstUser !== undefined) {
    print(`\nThe password of ${firstUser.name}, shown only now: ${firstUser.password}`);
  }
  for (const { title, text, block } of instructions(found, answers, files)) {
    print(`\n── ${title} ──\n${text}\n\n${block.map((line) => `    ${line}`).join("\n")}`);
  }
}
