import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { imapd } from "../cli/program.ts";
import { isInstalled, run } from "../clients/programs.ts";
import { PASSWORD } from "../harness.ts";
import { backupPlace } from "./place.ts";

/** Syncs all mailboxes with a folder. @returns what mbsync told */
async function mbsync(dir: string, port: number, user: string): Promise<string> {
  await Deno.writeTextFile(
    `${dir}/mbsyncrc`,
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
Patterns *
Create Near
Expunge Near
SyncState *
`,
  );
  await Deno.mkdir(`${dir}/local`, { recursive: true });
  const { code, stdout, stderr } = await run(["mbsync", "-V", "-c", `${dir}/mbsyncrc`, "-a"]);
  strictEqual(code, 0, stdout + stderr);
  return stdout + stderr;
}

/** Paths, inodes and times of all files below a folder but mbsync's own. */
async function tree(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await tree(path));
    else if (!name.startsWith(".")) found.push(`${path} ${(await Deno.stat(path)).ino}`);
  }
  return found.sort();
}

const skipped = isInstalled("mbsync") ? "" : " (skipped: no mbsync here)";

Deno.test({
  name: "imapd restore --system: after all is lost mbsync goes on without a download" + skipped,
  ignore: skipped !== "",
  async fn() {
    await using place = await backupPlace();
    const { server } = place;
    const user = server.freshUser();
    {
      await using client = await place.login(user);
      await client.command("CREATE Work/2026");
      for (let i = 1; i <= 6; i++) {
        await client.append("INBOX", `Subject: ${i}\r\n\r\nb\r\n`);
        await client.append("Work/2026", `Subject: w${i}\r\n\r\nb\r\n`);
      }
      await client.command("SUBSCRIBE Work/2026");
      await client.command("SELECT INBOX");
      await client.command("STORE 1 +FLAGS (\\Deleted)");
      await client.command("EXPUNGE");
      await client.command("STORE 2 +FLAGS (\\Flagged $Label1)");
    }
    const local = await Deno.makeTempDir({ prefix: "imapd-client-" });
    try {
      await mbsync(local, server.port, user);
      const synced = await tree(local + "/local");
      const before = await state();
      await place.backup();
      await server.stop();
      const lost = await Array.fromAsync(Deno.readDir(server.dir), ({ name }) => name);
      for (const name of lost) await Deno.remove(`${server.dir}/${name}`, { recursive: true });

      const { code, out, err } = await imapd(["restore", place.backups, "--system", "-y"]);
      deepStrictEqual([code, err], [0, ""]);
      match(out, new RegExp(`Restored ${user} to .*: messages 11\n`));
      await server.restart();
      const told = await mbsync(local, server.port, user);
      deepStrictEqual(await tree(local + "/local"), synced, told);
      deepStrictEqual(await state(), before);
    } finally {
      await Deno.remove(local, { recursive: true });
    }

    /** What a client sees, but for UIDNEXT and mod-sequences, which leave a gap. */
    async function state() {
      await using client = await place.login(user);
      const lines = [
        ...(await client.command('LSUB "" *')).untagged,
        ...(await client.command('LIST "" * RETURN (SPECIAL-USE)')).untagged,
        ...(await client.command("STATUS Work/2026 (MESSAGES UIDVALIDITY)")).untagged,
        ...(await client.command("EXAMINE INBOX")).untagged,
        ...(await client.command("UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)")).untagged,
      ];
      return lines.filter((line) => !/UIDNEXT|HIGHESTMODSEQ|RECENT/.test(String(line)));
    }
  },
});
