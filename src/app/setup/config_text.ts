/** The config of a new server: what this machine needs, and why each line stands there. */

import { dirname } from "node:path";
import { type Answers, namesAreLocal, STATE_DIR } from "./answers.ts";
import { copiesOf } from "./certificate_copies.ts";
import type { Survey } from "./survey.ts";

/** Where the password table is. */
export function usersFile({ configFile }: Answers): string {
  return `${dirname(configFile)}/users`;
}

/** Where Postfix hands mail over. */
export const LMTP_SOCKET = "/run/imapd/lmtp.sock";

/** TOML. */
export function configText(survey: Survey, answers: Answers): string {
  const { hostname, stateDir, mail } = answers;
  const local = namesAreLocal(mail);
  const any = survey.ipv6 ? "[::]" : "0.0.0.0";
  return sections([
    [
      `# The config of imapd on ${hostname}, made by \`imapd init\`. All that is not here has its`,
      "# default: see `man imapd-config`. `imapd check` finds mistakes, `systemctl reload imapd`",
      "# takes changes over without interrupting anybody.",
    ],
    [
      "# The name that clients connect to; the certificate is for it.",
      `hostname = ${quoted(hostname)}`,
      ...stateDir === STATE_DIR
        ? []
        : ["", "# What the server keeps for itself.", `state_dir = ${quoted(stateDir)}`],
      "",
      "# A status page, which `ssh -L 9749:127.0.0.1:9749` brings to your browser.",
      '# openmetrics = "tcp://127.0.0.1:9749"',
      ...local
        ? [
          "",
          "# Users are called as on this machine; ann@example.org logs in as ann, too.",
          'auth_map = "email_localpart_optional"',
        ]
        : [],
    ],
    tlsSection(answers),
    [
      "[[imap]]",
      "# Port 993 has TLS from the first byte. 143 begins without: there clients have to turn TLS on",
      "# (STARTTLS) before a password is taken.",
      `listen = ["tls://${any}:993", "tcp://${any}:143"]`,
      'auth = "&users"',
      'storage = "&mail"',
      ...local ? ['storage_map = "email_localpart_optional"'] : [],
    ],
    lmtpSection(survey, answers),
    authSection(answers),
    storageSection(answers),
    [
      "# With this, Thunderbird, Outlook and iPhones set themselves up: see docs/clients.md. A web",
      "# server has to hand https://autoconfig.DOMAIN and https://autodiscover.DOMAIN over to it.",
      "# [autoconfig]",
      '# listen = ["tcp://127.0.0.1:8080"]',
      `# domains = [${answers.domains.map(quoted).join(", ")}]`,
      `# smtp = "tls://${hostname}:465"`,
    ],
  ]);
}

function tlsSection({ tls, configFile }: Answers): string[] {
  switch (tls.kind) {
    case "acme":
      return [
        "[tls]",
        "# Let's Encrypt issues the certificate at the first start and the server renews it; for that",
        "# port 80 is opened for a moment. You agree to https://letsencrypt.org/repository/ by it.",
        'loader = "acme"',
        "agreed = true",
        ...tls.email === undefined ? [] : [`email = ${quoted(tls.email)}`],
      ];
    case "self_signed":
      return [
        "[tls]",
        "# Nobody vouches for this certificate, so clients ask whether to trust it. One of Let's",
        '# Encrypt does better: loader = "acme" and agreed = true.',
        'loader = "self_signed"',
      ];
    case "files":
    case "copies": {
      const { cert, key } = tls.kind === "files" ? tls : copiesOf(configFile);
      const note = tls.kind === "files"
        ? tls.note
        : `Copies of the certificate of ${tls.renewer}, which only root can read.`;
      return [
        "[tls]",
        `# ${note}`,
        "# Changed files are taken over within seconds, without a restart.",
        'loader = "file"',
        `certs = [${quoted(cert)}]`,
        `keys = [${quoted(key)}]`,
      ];
    }
  }
}

function lmtpSection({ machine }: Survey, { auth }: Answers): string[] {
  const group = machine.group("postfix");
  const permissions = group === undefined ? 'mode = "0666"' : 'mode = "0660", group = "postfix"';
  return [
    "[[lmtp]]",
    `# Postfix hands mail over here: lmtp:unix:${LMTP_SOCKET}. Whoever can open the socket may deliver.`,
    `listen = [{ address = "unix://${LMTP_SOCKET}", ${permissions} }]`,
    ...auth === "pam"
      ? [
        "# Postfix knows who there is; users who have no mail yet get their Maildir by the first one.",
        "create_accounts = true",
      ]
      : [],
  ];
}

function authSection(answers: Answers): string[] {
  return answers.auth === "pam"
    ? [
      "[auth.users]",
      "# The users of this machine, with the passwords that they log in with: /etc/pam.d/imapd.",
      'module = "pam"',
    ]
    : [
      "[auth.users]",
      "# `imapd user add|passwd|disable|remove` keeps this file: a name and a hash in each line.",
      'module = "pass_table"',
      `table = { module = "file", path = ${quoted(usersFile(answers))} }`,
    ];
}

function storageSection({ mail, stateDir }: Answers): string[] {
  const path = mail.template.replace(`${stateDir}/`, "{state_dir}/");
  const count = mail.accounts.length;
  return [
    "[storage.mail]",
    count === 0
      ? "# A Maildir for each account."
      : `# The Maildirs that are there: ${count} ${count === 1 ? "account" : "accounts"}.`,
    'module = "maildir"',
    `path = ${quoted(path)}`,
    ...namesAreLocal(mail)
      ? ["# ann@example.org is delivered to ann.", 'delivery_map = "email_localpart_optional"']
      : [],
  ];
}

function sections(all: readonly (readonly string[])[]): string {
  return `${all.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** A basic string of TOML. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
