/** What is left to do by hand, as commands and records that can be pasted. */

import type { ClientSettings, MailServer } from "../../autoconfig/client_settings.ts";
import { zoneRecords } from "../../autoconfig/zone.ts";
import { type Answers, namesAreLocal } from "./answers.ts";
import { copyingCommands } from "./certificate_copies.ts";
import { postfixCommands } from "./postfix_commands.ts";
import type { SetupFile } from "./setup_files.ts";
import type { Survey } from "./survey.ts";

/** A part of the instructions. */
export interface Instruction {
  readonly title: string;
  /** For people. */
  readonly text: string;
  /** To be pasted; may be empty. */
  readonly block: readonly string[];
}

/** All parts, in the order in which they are done. */
export function instructions(
  survey: Survey,
  answers: Answers,
  files: readonly SetupFile[],
): readonly Instruction[] {
  return [
    {
      title: "Start the server",
      text: "As root:",
      block: startCommands(survey, answers, files),
    },
    postfixInstruction(survey, answers),
    dnsInstruction(survey, answers),
    clientInstruction(survey, answers),
  ];
}

function startCommands(
  { machine, dovecot }: Survey,
  answers: Answers,
  files: readonly SetupFile[],
): string[] {
  const { serviceUser, firstUser, configFile, stateDir, auth, mail } = answers;
  const isMissing = machine.user(serviceUser) === undefined && serviceUser !== "root";
  const closed = files.filter(({ forService }) => forService).map(({ path }) => path);
  const config = configFile === "/etc/imapd/config.toml" ? "" : ` --config ${configFile}`;
  const runsDovecot = dovecot !== undefined && machine.info("/usr/sbin/dovecot") !== undefined;
  const isNew = firstUser !== undefined && !mail.accounts.includes(firstUser.name);
  return [
    ...isMissing
      ? [
        `useradd --system --user-group --home-dir ${stateDir} --no-create-home \\`,
        `    --shell /usr/sbin/nologin ${serviceUser}`,
        `chgrp ${serviceUser} ${[...new Set(closed)].join(" ")}`,
      ]
      : [],
    ...copyingCommands(answers),
    ...stateDir === "/var/lib/imapd" ? [] : [`install -d -m 0750 -o ${serviceUser} ${stateDir}`],
    ...runsDovecot ? ["systemctl disable --now dovecot.socket dovecot"] : [],
    "systemctl daemon-reload",
    "systemctl enable --now imapd",
    ...isNew ? [`imapd account create${config} ${firstUser.name}`] : [],
    `imapd check --connect${config}${
      auth === "file" && firstUser ? ` --user ${firstUser.name}` : ""
    }`,
  ];
}

function postfixInstruction(survey: Survey, answers: Answers): Instruction {
  const title = "Let Postfix deliver";
  const text = survey.postfix === undefined
    ? "There is no Postfix here yet. Once it is installed, as root:"
    : "As root:";
  return { title, text, block: postfixCommands(survey, answers) };
}

function dnsInstruction(survey: Survey, answers: Answers): Instruction {
  const { hostname, domains } = answers;
  const settings = settingsOf(survey, answers);
  const mx = domains.map((domain) => `${`${domain}.`.padEnd(34)} 3600 IN MX    10 ${hostname}.`);
  return {
    title: "DNS",
    text:
      `${hostname} needs an A or AAAA record with the address of this machine, and a PTR record ` +
      "back. Mail and mail programs find it by these records:",
    block: [...mx, ...zoneRecords(settings, { domains, forms: false }).trimEnd().split("\n")],
  };
}

function clientInstruction(survey: Survey, answers: Answers): Instruction {
  const { imap, smtp } = settingsOf(survey, answers);
  const { firstUser } = answers;
  const name = namesAreLocal(answers.mail) ? "the name on this machine" : "the whole mail address";
  const sending = smtp.length > 0
    ? serverText(smtp[0])
    : "Postfix takes no mail from users yet: docs/quick-start.md shows how it does";
  return {
    title: "Mail programs",
    text: "What to type into phones and computers:",
    block: [
      `User name  ${firstUser === undefined ? name : `${firstUser.name} (${name})`}`,
      `Receiving  IMAP, ${serverText(imap[0])}`,
      `Sending    SMTP, ${sending}`,
    ],
  };
}

/** What `imapd autoconfig` would say of this server. */
function settingsOf(
  { postfix }: Survey,
  { hostname: host, mail, domains }: Answers,
): ClientSettings {
  const submissions: MailServer = { host, port: 465, security: "tls" };
  const submission: MailServer = { host, port: 587, security: "starttls" };
  const offered = [
    ...postfix?.hasService("submissions", "smtps", "465") ? [submissions] : [],
    ...postfix?.hasService("submission", "587") ? [submission] : [],
  ];
  return {
    name: host,
    domains,
    imap: [{ host, port: 993, security: "tls" }, { host, port: 143, security: "starttls" }],
    // None: then the records say so, and clients try no port that nobody answers at.
    smtp: offered,
    username: namesAreLocal(mail) ? "local_part" : "address",
  };
}

function serverText({ host, port, security }: MailServer): string {
  return `${host}, port ${port}, ${security === "tls" ? "SSL/TLS" : "STARTTLS"}`;
}
