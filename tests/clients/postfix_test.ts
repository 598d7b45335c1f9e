import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LmtpClient } from "../lmtp/client.ts";
import { type LmtpTestServer, messagesOf, startLmtpServer } from "../lmtp/serving.ts";
import { PASSWORD } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { until } from "../until.ts";
import { isInstalled, run, type Workplace, workplace } from "./programs.ts";
import { missingForPostfix, type Postfix, startPostfix } from "./postfix.ts";

const MISSING = missingForPostfix();

/** A test that needs Postfix, and `programs`; where one is missing its name says which. */
function postfixTest(programs: readonly string[], name: string, fn: () => Promise<void>): void {
  const missing = [...MISSING, ...programs.filter((program) => !isInstalled(program))];
  const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";
  Deno.test({ name: `${name}${reason}`, ignore: missing.length > 0, fn });
}

/** The lines that docs/postfix.md has for main.cf, with the paths of this server. */
async function mainCf(server: LmtpTestServer, users: readonly string[]): Promise<string> {
  const file = `${server.dir}/mailboxes`;
  await Deno.writeTextFile(file, users.map((user) => `${user}@example.org   ok\n`).join(""));
  await Deno.chmod(server.dir, 0o755);
  const document = await Deno.readTextFile(new URL("../../docs/postfix.md", import.meta.url));
  const [lines] = /^ {4}virtual_mailbox_domains = [^]*?\n(?=\n)/m.exec(document) ?? [""];
  return lines.replace(/^ {4}/gm, "")
    .replace("/etc/postfix/mailboxes", file)
    .replace("/run/imapd/lmtp.sock", server.lmtp.path);
}

async function sendBySmtp(postfix: Postfix, recipient: string, message: string): Promise<string> {
  await using client = await LmtpClient.connect({ port: postfix.port });
  await client.says("EHLO client.example.net", /^250/);
  const [reply] = await client.deliver([recipient], message, "ann@example.net");
  return reply;
}

postfixTest(
  ["mbsync"],
  "Postfix: delivers by LMTP into a mailbox that IDLE watches and mbsync syncs",
  async () => {
    await using server = await startLmtpServer({ group: "postfix" });
    const user = await server.accountUser();
    await using postfix = await startPostfix(await mainCf(server, [user]));
    await using idle = await RawConnection.login(server.tlsPort, user, PASSWORD);
    await idle.ok("SELECT INBOX");
    await idle.send("i IDLE\r\n");
    match(await idle.line() ?? "", /^\+ /);
    await using place = await workplace(server);
    const sync = await mbsync(server, user, place);
    deepStrictEqual(await sync(), []);

    const body = "Hello\n.\n..\n.a dot\nEnd\n";
    match(await sendBySmtp(postfix, `${user}@example.org`, `Subject: one\n\n${body}`), /^250/);
    strictEqual(await idle.line(), "* 1 EXISTS");
    const first = await sync();
    strictEqual(first.length, 1);
    match(
      first[0],
      new RegExp(`^Return-Path: <ann@example\\.net>\nDelivered-To: ${user}@example\\.org\n`),
    );
    match(
      first[0],
      /^Received: from mx\.example\.org\n\tby mail\.example\.org \(imapd\) with LMTP id /m,
    );
    ok(first[0].endsWith(`\n\n${body}`), first[0]);

    match(await sendBySmtp(postfix, `${user}+sent@example.org`, "Subject: two\n\nx\n"), /^250/);
    await until(async () => (await messagesOf(server, user, "Sent")).length === 1, "the second");
    strictEqual((await sync()).length, 1);
    await until(
      async () => /status=sent \(250 2\.0\.0 Saved as /.test(await postfix.log()),
      "sent",
    );
  },
);

postfixTest(
  [],
  "Postfix: keeps what is refused for now, and returns what is refused for good",
  async () => {
    await using server = await startLmtpServer({ group: "postfix" });
    const user = await server.accountUser();
    const stranger = server.freshUser();
    await using postfix = await startPostfix(await mainCf(server, [user, stranger]));
    match(
      await sendBySmtp(postfix, "nobody@example.org", "Subject: x\n\nx\n").catch(String),
      /550 5\.1\.1/,
    );
    await sendBySmtp(postfix, `${stranger}@example.org`, "Subject: x\n\nx\n");
    await until(
      async () => /status=bounced \(.* said: 550 5\.1\.1 /.test(await postfix.log()),
      "the refusal for good",
    );
    const tmp = `${server.maildir(user)}/tmp`;
    await Deno.remove(tmp, { recursive: true });
    await Deno.writeTextFile(tmp, "no folder");
    await sendBySmtp(postfix, `${user}@example.org`, "Subject: kept\n\nx\n");
    await until(
      async () => /status=deferred \(.* said: 451 4\.3\.0 /.test(await postfix.log()),
      "the refusal for now",
    );
    await Deno.remove(tmp);
    await until(async () => (await messagesOf(server, user)).length === 1, "another try");
  },
);

postfixTest(["setpriv"], "Postfix: pipes messages into imapd deliver", async () => {
  await using server = await startLmtpServer();
  const [user, other] = [await server.accountUser(), await server.accountUser()];
  const folder = await Deno.makeTempDir({ prefix: "imapd-pipe-" });
  try {
    const command = await privileged(folder, server);
    await using postfix = await startPostfix(
      (await mainCf(server, [user, other])).replace(/lmtp:unix:.*/, "imapd"),
      `imapd unix - n n - - pipe
  flags=q user=nobody null_sender= argv=${command} deliver --config ${server.dir}/config.toml
  -f \${sender} -d \${recipient}
`,
    );
    await sendBySmtp(postfix, `${user}+drafts@example.org`, "Subject: piped\n\nx\n");
    await sendBySmtp(postfix, `${user}@example.org`, "Subject: piped\n\n.\n");
    const sent = async () => (await postfix.log()).match(/relay=imapd,.*status=.*/g) ?? [];
    await until(async () => (await sent()).length === 2, "both deliveries");
    for (const line of await sent()) match(line, /status=sent \(delivered via imapd service\)/);
    const [text] = await messagesOf(server, user);
    match(text, /^Return-Path: <ann@example\.net>\r\n[^]*\r\n\r\n\.\r\n$/);
    strictEqual((await messagesOf(server, user, "Drafts")).length, 1);

    // Without imapd_destination_recipient_limit one command gets both.
    await using client = await LmtpClient.connect({ port: postfix.port });
    await client.says("EHLO client.example.net", /^250/);
    await client.says("MAIL FROM:<ann@example.net>", /^250/);
    for (const each of [user, other]) await client.says(`RCPT TO:<${each}@example.org>`, /^250/);
    await client.says("DATA", /^354/);
    await client.says("Subject: both\r\n\r\nx\r\n.", /^250/);
    await until(async () => (await sent()).length === 4, "the delivery to both");
    for (const line of await sent()) match(line, /status=sent \(delivered via imapd service\)/);
    strictEqual((await messagesOf(server, user)).length, 2);
    strictEqual((await messagesOf(server, other)).length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Lets mbsync fetch an account again and again, and gives what came each time. */
async function mbsync(server: LmtpTestServer, user: string, { dir, certificate }: Workplace) {
  const rc = `${dir}/mbsyncrc`;
  const mail = `${dir}/mail`;
  await Deno.mkdir(mail);
  await Deno.writeTextFile(
    rc,
    `IMAPAccount test
Host localhost
Port ${server.tlsPort}
User ${user}
Pass ${PASSWORD}
SSLType IMAPS
CertificateFile ${certificate}

IMAPStore remote
Account test

MaildirStore local
Path ${mail}/
Inbox ${mail}/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Near
SyncState *
`,
  );
  await Deno.chmod(rc, 0o600);
  const known = new Set<string>();
  return async (): Promise<string[]> => {
    const { code, stderr } = await run(["mbsync", "-c", rc, "-a"], { env: { HOME: dir } });
    strictEqual(code, 0, stderr);
    const texts: string[] = [];
    for await (const folder of Deno.readDir(mail)) {
      for (const part of ["new", "cur"]) {
        const path = `${mail}/${folder.name}/${part}`;
        for await (const { name } of Deno.readDir(path)) {
          const base = name.replace(/:.*/, "");
          if (!known.has(base)) texts.push(await Deno.readTextFile(`${path}/${name}`));
          known.add(base);
        }
      }
    }
    return texts;
  };
}

/**
 * The program as a command for `nobody`, who may neither see its source nor ask the server:
 * `setpriv` runs it with the rights of this test.
 */
async function privileged(folder: string, server: LmtpTestServer): Promise<string> {
  const setpriv = `${folder}/setpriv`;
  await Deno.chmod(folder, 0o755);
  await Deno.chmod(server.dir, 0o755);
  await Deno.copyFile("/usr/bin/setpriv", setpriv);
  const { code } = await run(["chown", "root:nogroup", setpriv]);
  strictEqual(code, 0);
  await Deno.chmod(setpriv, 0o4750);
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/deno`;
  return `${setpriv} --reuid=0 --regid=0 --clear-groups env DENO_DIR=${cache} NO_COLOR=1 ` +
    `${Deno.execPath()} run -A ${main}`;
}
