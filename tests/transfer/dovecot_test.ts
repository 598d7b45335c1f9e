import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { imapd } from "../cli/program.ts";
import { run } from "../clients/programs.ts";
import { PASSWORD, startServer } from "../harness.ts";
import { missingForDovecotImap, startDovecotImap } from "./dovecot_imap.ts";

const missing = missingForDovecotImap();
const skipped = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";

/** Syncs a whole account into a folder that stays the same whichever server is asked. */
async function mbsync(dir: string, port: number, user: string): Promise<string> {
  const config = `${dir}/mbsyncrc`;
  await Deno.mkdir(`${dir}/local`, { recursive: true });
  await Deno.writeTextFile(
    config,
    `IMAPAccount test
Host 127.0.0.1
Port ${port}
User ${user}
Pass ${PASSWORD}
SSLType None
AuthMechs LOGIN PLAIN

IMAPStore remote
Account test

MaildirStore local
Path ${dir}/local/
Inbox ${dir}/local/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns INBOX Work/2026
Create Near
Expunge None
SyncState *
`,
  );
  const { code, stdout, stderr } = await run(["mbsync", "-V", "-c", config, "-a"]);
  strictEqual(code, 0, stdout + stderr);
  return stdout + stderr;
}

/** Names and contents of all files below a folder, but for mbsync's own. */
async function tree(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) files.push(...await tree(`${folder}/${name}`));
    else if (!name.startsWith(".")) files.push(`${folder}/${name}`);
  }
  return files.sort();
}

async function fill(port: number): Promise<void> {
  await using client = await ImapClient.login({ host: "127.0.0.1", port }, "ann", PASSWORD);
  await client.command("CREATE Work/2026");
  await client.command("SUBSCRIBE Work/2026");
  for (let i = 1; i <= 6; i++) {
    await client.append("INBOX", `Subject: ${i}\r\n\r\nFrom here on\r\n`);
    await client.append("Work/2026", `Subject: w${i}\r\n\r\nb\r\n`);
  }
  await client.command("SELECT INBOX");
  await client.command("STORE 1 +FLAGS (\\Deleted)");
  await client.command("EXPUNGE");
  await client.command("STORE 2 +FLAGS (\\Flagged $Label1)");
  await client.command("LOGOUT");
}

Deno.test({
  name: "imapd import dovecot, export dovecot: mbsync goes on without a download" + skipped,
  ignore: missing.length > 0,
  async fn() {
    await using server = await startServer();
    const dir = await Deno.makeTempDir({ prefix: "imapd-transfer-" });
    try {
      await Deno.chmod(dir, 0o755);
      await Deno.mkdir(`${dir}/mail`);
      {
        await using dovecot = await startDovecotImap(dir, `${dir}/mail`);
        await fill(dovecot.port);
        await mbsync(dir, dovecot.port, "ann");
      }
      const synced = await tree(`${dir}/local`);
      strictEqual(synced.length, 11);
      const user = server.freshUser();
      const config = ["--config", `${server.dir}/config.toml`];
      const imported = await imapd(["import", "dovecot", `${dir}/mail`, user, ...config]);
      deepStrictEqual([imported.code, imported.err], [0, ""]);
      match(imported.out, /new 11, .*renumbered 0, failed 0/);
      const again = await imapd(["import", "dovecot", `${dir}/mail`, user, ...config]);
      match(again.out, /new 0, known already 11, flags updated 0/);

      await mbsync(dir, server.port, user);
      deepStrictEqual(await tree(`${dir}/local`), synced);
      await using client = await ImapClient.login(
        { host: "127.0.0.1", port: server.port },
        user,
        PASSWORD,
      );
      await client.command("SELECT INBOX");
      match(JSON.stringify(await client.command("UID FETCH 3 (FLAGS)")), /Flagged.*\$Label1/);
      match(JSON.stringify(await client.command('LSUB "" *')), /Work\/2026/);

      const out = `${dir}/out`;
      const exported = await imapd(["export", "dovecot", user, out, ...config]);
      deepStrictEqual([exported.code, exported.err], [0, ""]);
      {
        await using dovecot = await startDovecotImap(dir, out);
        await mbsync(dir, dovecot.port, "ann");
        deepStrictEqual(await tree(`${dir}/local`), synced);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name: "imapd import imap: mbsync goes on without a download" + skipped,
  ignore: missing.length > 0,
  async fn() {
    await using server = await startServer();
    const dir = await Deno.makeTempDir({ prefix: "imapd-transfer-" });
    try {
      await Deno.chmod(dir, 0o755);
      await Deno.mkdir(`${dir}/mail`);
      await using dovecot = await startDovecotImap(dir, `${dir}/mail`);
      await fill(dovecot.port);
      await mbsync(dir, dovecot.port, "ann");
      const synced = await tree(`${dir}/local`);
      const user = server.freshUser();
      const url = `imaps://ann@127.0.0.1:${dovecot.tlsPort}`;
      const importing = (...more: string[]) =>
        imapd(
          ["import", "imap", url, user, "--config", `${server.dir}/config.toml`, ...more],
          `${PASSWORD}\n`,
        );
      const refused = await importing();
      strictEqual(refused.code, 1);
      match(refused.err, /Cannot log in at 127\.0\.0\.1.*self.signed/);
      const imported = await importing("--insecure-tls");
      deepStrictEqual([imported.code, imported.err], [0, ""]);
      match(imported.out, /new 11, .*renumbered 0, failed 0/);
      match((await importing("--insecure-tls")).out, /new 0, known already 11, flags updated 0/);
      await mbsync(dir, server.port, user);
      deepStrictEqual(await tree(`${dir}/local`), synced);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

/** What a client compares with what it knows of a mailbox. */
async function numbers(port: number, user: string): Promise<string[]> {
  await using client = await ImapClient.login({ host: "127.0.0.1", port }, user, PASSWORD);
  const found: string[] = [];
  for (const name of ["INBOX", "Work/2026"]) {
    const reply = JSON.stringify(await client.command(`STATUS ${name} (UIDVALIDITY UIDNEXT)`));
    found.push(/UIDVALIDITY \d+/.exec(reply)?.[0] ?? "", /UIDNEXT \d+/.exec(reply)?.[0] ?? "");
  }
  return found;
}

function owners(folder: string): Set<number | null> {
  const found = new Set<number | null>([Deno.lstatSync(folder).uid]);
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    for (const uid of isDirectory ? owners(path) : [Deno.lstatSync(path).uid]) found.add(uid);
  }
  return found;
}

Deno.test({
  name: "MaildirStore: takes the place of Dovecot, and gives it back, without a download" +
    skipped,
  ignore: missing.length > 0,
  async fn() {
    await using server = await startServer();
    const dir = await Deno.makeTempDir({ prefix: "imapd-transfer-" });
    try {
      const user = server.freshUser();
      const maildir = server.maildir(user);
      await Deno.mkdir(maildir, { recursive: true });
      for (const path of [dir, server.dir, `${server.dir}/mail`]) await Deno.chmod(path, 0o755);
      let before: string[];
      {
        await using dovecot = await startDovecotImap(dir, maildir);
        await fill(dovecot.port);
        await mbsync(dir, dovecot.port, "ann");
        before = await numbers(dovecot.port, "ann");
      }
      const synced = await tree(`${dir}/local`);
      strictEqual(synced.length, 11);
      const owner = (await Deno.stat(maildir)).uid;

      await mbsync(dir, server.port, user);
      deepStrictEqual(await tree(`${dir}/local`), synced);
      deepStrictEqual(await numbers(server.port, user), before);
      {
        await using client = await ImapClient.login(
          { host: "127.0.0.1", port: server.port },
          user,
          PASSWORD,
        );
        match(JSON.stringify(await client.command('LSUB "" *')), /Work\/2026/);
        await client.command("SELECT INBOX");
        match(JSON.stringify(await client.command("UID FETCH 3 (FLAGS)")), /Flagged.*\$Label1/);
        await client.command("UID STORE 3 +FLAGS (\\Answered)");
      }
      await server.stop();
      deepStrictEqual([...owners(maildir)], [owner]);
      {
        await using dovecot = await startDovecotImap(dir, maildir);
        deepStrictEqual(await numbers(dovecot.port, "ann"), before);
        await using client = await ImapClient.login(
          { host: "127.0.0.1", port: dovecot.port },
          "ann",
          PASSWORD,
        );
        await client.command("SELECT INBOX");
        match(
          JSON.stringify(await client.command("UID FETCH 3 (FLAGS)")),
          /Answered.*Flagged.*\$Label1/,
        );
        await client.append("INBOX", "Subject: meanwhile\r\n\r\nb\r\n");
      }
      await server.restart();
      await using client = await ImapClient.login(
        { host: "127.0.0.1", port: server.port },
        user,
        PASSWORD,
      );
      await client.command("SELECT INBOX");
      match(
        JSON.stringify(await client.command("UID FETCH 3:* (FLAGS ENVELOPE)")),
        /Flagged.*\$Label1.*meanwhile/,
      );
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
