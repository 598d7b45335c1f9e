/** A server, and a folder for the backups of its mail. */

import { strictEqual } from "node:assert/strict";
import { imapd, type Result } from "../cli/program.ts";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";

/** The summary that `imapd backup --json` prints. */
export interface Summary {
  readonly path: string;
  readonly messages: number;
  readonly linked: number;
  readonly copied: { readonly files: number; readonly octets: number };
}

export interface BackupPlace extends AsyncDisposable {
  readonly server: TestServer;
  /** For backups; on the file system of the mail. */
  readonly backups: string;
  /** `imapd backup`, which must succeed. */
  backup(...args: string[]): Promise<Summary>;
  /** Any command with the server's config. */
  command(...args: string[]): Promise<Result>;
  login(user: string): Promise<ImapClient>;
}

/** Starts a {@link BackupPlace}. */
export async function backupPlace(): Promise<BackupPlace> {
  const server = await startServer();
  const backups = await Deno.makeTempDir({ prefix: "imapd-backups-" });
  const command = (...args: string[]) => imapd([...args, "--config", `${server.dir}/config.toml`]);
  return {
    server,
    backups,
    command,
    async backup(...args) {
      const { code, out, err } = await command("backup", backups, "--json", ...args);
      strictEqual(code, 0, out + err);
      return JSON.parse(out);
    },
    login: (user) => ImapClient.login({ host: "127.0.0.1", port: server.port }, user, PASSWORD),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(backups, { recursive: true });
    },
  };
}

/** Inode numbers of all message files of a Maildir's INBOX, by what of their names stays. */
export async function inodes(maildir: string): Promise<Map<string, number | null>> {
  const found = new Map<string, number | null>();
  for await (const { name } of Deno.readDir(`${maildir}/cur`)) {
    const { ino } = await Deno.stat(`${maildir}/cur/${name}`);
    found.set(name.split(":")[0], ino);
  }
  return new Map([...found].sort());
}

/** Where INBOX of a user is in a backup. */
export function backedUp(path: string, user: string): string {
  return `${path}/mail/local_mailboxes/${user}`;
}
