/** One command of each kind, for what becomes of them under a fault. */

import assert from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, type TestServer } from "../harness.ts";

/** A message of some KB. */
export function message(subject: string, lines = 100): string {
  return `Subject: ${subject}\r\n\r\n${"0123456789\r\n".repeat(lines)}`;
}

/** Logs a client in. */
export function login(server: TestServer, user: string): Promise<ImapClient> {
  return ImapClient.login({ host: "127.0.0.1", port: server.port }, user, PASSWORD);
}

/** Runs a command that must work, and gives what came before its reply. */
export async function ok(client: ImapClient, command: string): Promise<string> {
  const { reply, untagged } = await client.command(command);
  assert.match(reply, /^OK/, `${command}: ${reply}`);
  return untagged.join("\n");
}

/** Mail of a user, with INBOX selected: ten messages in INBOX, and some mailboxes. */
export async function prepared(server: TestServer, user: string): Promise<ImapClient> {
  const client = await login(server, user);
  for (const box of ["Box", "Other", "Third"]) await ok(client, `CREATE ${box}`);
  for (let i = 1; i <= 10; i++) {
    // The last one is too large to be read at once.
    const text = message(`m${i}`, i === 10 ? 40_000 : 100);
    assert.match((await client.append("INBOX", text)).reply, /^OK/);
  }
  assert.match((await client.append("Box", message("boxed"))).reply, /^OK/);
  await ok(client, "SELECT INBOX");
  await ok(client, "STORE 9 +FLAGS (\\Deleted)");
  return client;
}

const COMMANDS = [
  "NOOP",
  "CHECK",
  "FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)",
  "FETCH 3 BODY.PEEK[]",
  "FETCH 10 BODY.PEEK[]",
  "STORE 2 +FLAGS (\\Seen keyword)",
  "SEARCH SUBJECT m3",
  "SEARCH TEXT 0123456789",
  "UID SORT (SUBJECT) UTF-8 ALL",
  "COPY 1:3 Box",
  "MOVE 4 Box",
  "EXPUNGE",
  "STATUS Third (MESSAGES UIDNEXT SIZE)",
  "CREATE New",
  "RENAME Other Another",
  "DELETE Third",
  "SUBSCRIBE Box",
  'SETMETADATA INBOX (/private/comment "x")',
  'LIST "" "*" RETURN (STATUS (MESSAGES))',
  "GETQUOTAROOT INBOX",
  "SELECT Box",
  "FETCH 1 BODY.PEEK[]",
  "SELECT INBOX",
] as const;

/** What each command was answered; APPEND and REPLACE are among them. */
export async function answers(client: ImapClient): Promise<Map<string, string>> {
  const replies = new Map<string, string>();
  const append = async (text: string) => (await client.append("INBOX", text)).reply;
  replies.set("APPEND", await append(message("appended")));
  replies.set("APPEND of a large message", await append(message("large", 40_000)));
  const text = message("replaced");
  const replace = `REPLACE 5 INBOX {${text.length}+}\r\n${text}`;
  replies.set("REPLACE", (await client.command(replace)).reply);
  for (const command of COMMANDS) replies.set(command, (await client.command(command)).reply);
  return replies;
}

/** Each reply must be OK, or NO with one of these codes, as in "UNAVAILABLE|OVERQUOTA". */
export function assertFitting(replies: ReadonlyMap<string, string>, codes: string): void {
  // After a SELECT that was refused there is no mailbox to fetch from; messages may have gone.
  const moot = "BAD (No mailbox is selected|Expected message numbers)";
  const fitting = new RegExp(`^(OK|NO \\[(${codes})\\]|${moot})`);
  const wrong = [...replies].filter(([, reply]) => !fitting.test(reply));
  assert.deepEqual(wrong, []);
}

/** Those of {@link prepared} that are still in the mailboxes, by their subjects, sorted. */
export async function subjects(server: TestServer, user: string): Promise<string[]> {
  await using client = await login(server, user);
  const listed = await ok(client, 'LIST "" "*"');
  const found: string[] = [];
  for (const [, name] of listed.matchAll(/"\/" "?([^"\n]+)"?$/gm)) {
    const { reply } = await client.command(`SELECT "${name}"`);
    if (!reply.startsWith("OK")) continue;
    // Of the text itself: what the index keeps of it may be damaged.
    const { untagged } = await client.command("FETCH 1:* BODY.PEEK[]");
    const text = untagged.join("\n");
    found.push(...[...text.matchAll(/^Subject: (.*?)\r?$/gm)].map(([, subject]) => subject));
  }
  return found.sort();
}

/** Nothing of {@link prepared} but what was expunged may be missing. */
export async function assertNothingLost(server: TestServer, user: string): Promise<void> {
  const found = await subjects(server, user);
  const wanted = ["m1", "m2", "m3", "m4", "m6", "m7", "m8", "m10", "boxed"];
  assert.deepEqual(wanted.filter((subject) => !found.includes(subject)), [], found.join());
  // Message 5 is there, or what replaced it.
  assert.ok(found.includes("m5") || found.includes("replaced"), found.join());
}
