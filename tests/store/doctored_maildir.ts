/** A Maildir with mail in it, what can be damaged there by hand, and what has to stay. */

import { DatabaseSync } from "node:sqlite";
import { COMMITS_FILE } from "../../src/store/maildir/commit_numbers.ts";
import { FLAG } from "../../src/store/store.ts";
import { deliver, flagsOf } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

/** A message as a client knows it: mailbox, UIDVALIDITY, UID, flags, keywords. */
export type Known = readonly [string, number, number, number, string[]];

/** Copies of one Maildir. */
export class DoctoredMaildirs {
  #first:
    | Promise<{ readonly fixture: MaildirFixture; readonly known: readonly Known[] }>
    | undefined;

  /** A copy with all that is in the first one, and what clients know of it. */
  async next(): Promise<{ readonly fixture: MaildirFixture; readonly before: readonly Known[] }> {
    this.#first ??= (async () => {
      const fixture = await doctoredMaildir();
      return { fixture, known: await known(fixture) };
    })();
    const { fixture: first, known: before } = await this.#first;
    const fixture = await MaildirFixture.make();
    copyTree(first.root, fixture.root);
    return { fixture, before };
  }

  async close(): Promise<void> {
    await (await this.#first)?.fixture[Symbol.asyncDispose]();
  }
}

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { mode: 0o700 });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    // By which it would be known for a copy.
    if (name === COMMITS_FILE) continue;
    if (isDirectory) copyTree(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

/** INBOX with six messages (the third is expunged), "Work" with three and "Old" with none. */
async function doctoredMaildir(): Promise<MaildirFixture> {
  const fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  await account.create("Work");
  await account.create("Old");
  for (
    const [n, keywords] of [["$Important"], [], [], ["$Important", "Plan"], ["Plan"], []].entries()
  ) {
    const system = n === 2 ? FLAG.deleted : n % 2 === 0 ? FLAG.seen : 0;
    await deliver(account, "INBOX", `inbox${n}`, { system, keywords });
  }
  for (let n = 0; n < 3; n++) {
    await deliver(account, "Work", `work${n}`, { system: FLAG.flagged, keywords: [] });
  }
  const inbox = await account.open("INBOX");
  await inbox.expunge();
  inbox.claimRecent();
  inbox.close();
  await fixture.close();
  return fixture;
}

/** Changes the index as no server does. */
export function damageIndex(fixture: MaildirFixture, sql: string): void {
  const database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

/** All messages' texts, wherever their files are and whatever they are called, each as often as it is there. */
export function texts(root: string): string[] {
  const found: string[] = [];
  const look = (path: string) => {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(path)) {
      if (isDirectory) look(`${path}/${name}`);
      else if (isFile && /\/(cur|new|tmp)$/.test(path)) {
        found.push(new TextDecoder("latin1").decode(Deno.readFileSync(`${path}/${name}`)));
      }
    }
  };
  look(root);
  return found.sort();
}

/** All that is below a folder, to the octet. */
export function everything(root: string): string[] {
  const found: string[] = [];
  for (const { name, isDirectory, isFile } of Deno.readDirSync(root)) {
    const path = `${root}/${name}`;
    const { mode, ino, size, mtime, uid } = Deno.lstatSync(path);
    const text = isFile && (mode ?? 0) & 0o400 ? Deno.readFileSync(path).toHex() : "";
    found.push(`${path} ${mode} ${ino} ${size} ${mtime?.getTime()} ${uid} ${text}`);
    if (isDirectory) found.push(...everything(path));
  }
  return found.sort();
}

/** What clients know of all mailboxes. */
export async function known(fixture: MaildirFixture): Promise<Known[]> {
  const account = await (await fixture.open()).account("ann");
  const all: Known[] = [];
  for (const { name } of account.list()) {
    const mailbox = await account.open(name);
    await mailbox.refresh();
    for (const [uid, flags, keywords] of flagsOf(mailbox)) {
      all.push([name, mailbox.uidValidity, uid, flags, keywords]);
    }
    mailbox.close();
  }
  await fixture.close();
  return all.sort();
}
