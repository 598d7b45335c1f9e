import { deepStrictEqual, match, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { freePorts } from "../auth/free_ports.ts";
import { imapd } from "../cli/program.ts";
import { LmtpClient } from "../lmtp/client.ts";
import { type RunningServer, startConfig } from "../tls/running_server.ts";
import { until } from "../until.ts";
import { missingForPostfix, startPostfix } from "./postfix.ts";
import { isInstalled, run } from "./programs.ts";

const ANN = "ann@example.org";
const BOB = "bob@example.org";
const PASSWORD = "correct horse";

const missing = [...missingForPostfix(), ...isInstalled("mbsync") ? [] : ["mbsync"]];
const skipped = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";

interface Machine extends AsyncDisposable {
  readonly root: string;
  readonly config: string;
  command(args: readonly string[], input?: string): Promise<string>;
}

/** A folder in the place of a machine. */
async function machine(): Promise<Machine> {
  const root = await Deno.makeTempDir({ prefix: "imapd-journey-" });
  await Deno.chmod(root, 0o755);
  const config = `${root}/etc/imapd/config.toml`;
  return {
    root,
    config,
    async command(args, input = "") {
      const { code, out, err } = await imapd([...args, "--config", config], input);
      strictEqual(code, 0, `${args.join(" ")}: ${out}${err}`);
      return out;
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** What was made for the machine below `root` comes to work where it lies, on free ports. */
async function settle({ root, config }: Machine): Promise<void> {
  const made = await Deno.readTextFile(config);
  const [tls, tcp] = await freePorts(2);
  const settled = made.replace("tls://[::]:993", `tls://127.0.0.1:${tls}`)
    .replace("tcp://[::]:143", `tcp://127.0.0.1:${tcp}`)
    .replace('"/etc/imapd/users"', `"${root}/etc/imapd/users"`)
    .replace("unix:///run/imapd/", `unix://${root}/run/`)
    .replace(
      /^hostname = .*$/m,
      `$&\nstate_dir = "${root}/state"\nruntime_dir = "${root}/run"\nwarm_up = "0s"`,
    );
  notDeepStrictEqual(settled, made);
  await Deno.writeTextFile(config, settled);
  await Deno.mkdir(`${root}/run`, { mode: 0o755 });
}

/** Syncs all of an account over TLS; returns the files of the local side with their texts. */
async function sync(root: string, server: RunningServer): Promise<ReadonlyMap<string, string>> {
  const [port] = server.ports("tls");
  const file = `${root}/mbsyncrc`;
  await Deno.mkdir(`${root}/local`, { recursive: true });
  const certificate = await run([
    "sh",
    "-c",
    `echo | openssl s_client -connect 127.0.0.1:${port} -servername mail.example.org 2>/dev/null |
      openssl x509 > ${root}/server.pem`,
  ]);
  strictEqual(certificate.code, 0);
  await Deno.writeTextFile(
    file,
    `IMAPAccount imapd
Host 127.0.0.1
Port ${port}
User ${ANN}
Pass "${PASSWORD}"
SSLType IMAPS
CertificateFile ${root}/server.pem
AuthMechs PLAIN

IMAPStore remote
Account imapd

MaildirStore local
Path ${root}/local/
Inbox ${root}/local/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Near
SyncState *
`,
  );
  const { code, stdout, stderr } = await run(["mbsync", "-c", file, "-a"]);
  strictEqual(code, 0, stdout + stderr);
  return await textsBelow(`${root}/local`);
}

async function textsBelow(folder: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) { for (const [key, text] of await textsBelow(path)) texts.set(key, text); }
    else if (!name.startsWith(".")) texts.set(path, await Deno.readTextFile(path));
  }
  return new Map([...texts].sort());
}

Deno.test({
  name: `from nothing to mail by Postfix and mbsync, and back from a backup${skipped}`,
  ignore: missing.length > 0,
  async fn() {
    await using here = await machine();
    const { root, command } = here;
    const init = ["init", "--root", root, "--yes", "--hostname", "mail.example.org"];
    const made = await imapd(
      [...init, "--tls", "self_signed", "--user", ANN, "--password-stdin"],
      `${PASSWORD}\n`,
    );
    strictEqual(made.code, 0, made.out + made.err);
    // What init prints for Postfix is what Postfix gets, but for the socket's place.
    const postfixLines = [...made.out.matchAll(/postconf -e '(virtual_\w+ = .*)'/g)]
      .map(([, line]) => line.replace("/run/imapd/", `${root}/run/`));
    ok(postfixLines.length >= 2, made.out);
    await settle(here);
    await command(["check"]);
    await command(["account", "create", ANN]);

    const before = await journey(here, postfixLines);
    await command(["backup", `${root}/backup`]);
    strictEqual((await imapd(["backup", "verify", `${root}/backup`])).code, 0);

    // Everything is lost.
    await Deno.remove(`${root}/state`, { recursive: true });
    await Deno.remove(`${root}/etc/imapd/users`);
    await command(["restore", `${root}/backup`, "--system", "-y"]);
    await using server = await startConfig(here.config);
    deepStrictEqual(await sync(root, server), before);
    match(await command(["user", "list"]), new RegExp(`${BOB} .*\n`));
    match(await command(["mailbox", "list", ANN]), /^INBOX +2 +/m);
    match(await command(["mailbox", "list", ANN]), /^Sent +1 +/m);
  },
});

/** Serves and delivers; what the client has in the end. */
async function journey(here: Machine, postfixLines: readonly string[]) {
  const { root, command } = here;
  await using server = await startConfig(here.config);
  await using postfix = await startPostfix(
    `${postfixLines.join("\n")}\nrecipient_delimiter = +\nvirtual_mailbox_maps = static:ok\n`,
  );
  match(await command(["user", "add", BOB], "another\n"), /^Added user/);
  deepStrictEqual([...await sync(root, server)], []);
  for (const [recipient, subject] of [[ANN, "one"], [ANN, "two"], [BOB, "three"]]) {
    await using client = await LmtpClient.connect({ port: postfix.port });
    await client.says("EHLO client.example.net", /^250/);
    const [reply] = await client.deliver(
      [recipient.replace("@", subject === "two" ? "+sent@" : "@")],
      `Subject: ${subject}\n\n.\nFrom here\n`,
      "carl@example.net",
    );
    match(reply, /^250/);
  }
  await command(["message", "add", ANN, "INBOX"], "Subject: four\n\nby hand\n");
  const arrived = async () =>
    (await command(["mailbox", "list", ANN])) + await command(["mailbox", "list", BOB]);
  await until(
    async () => /^INBOX +2 [^]*^Sent +1 [^]*^INBOX +1 /m.test(await arrived()),
    "all messages",
  );
  const texts = await sync(root, server);
  strictEqual(texts.size, 3);
  match([...texts.values()].join(), /^Return-Path: <carl@example\.net>$/m);
  match(await command(["check", "--connect", "--user", ANN], `${PASSWORD}\n`), /INBOX: has 2/);
  return texts;
}
