// Keywords by the thousand, on many messages: what they make of an answer is written in pieces.

import { match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer } from "../harness.ts";
import { assertBounded, residentMemory } from "../attacks/memory.ts";

const MESSAGES = 900;
/** A command line has room for some of them. */
const KEYWORDS = Array.from(
  { length: 4 },
  (_, n) => Array.from({ length: 240 }, (_, k) => `k${n}x${k}`.padEnd(250, "y")).join(" "),
);

Deno.test("flags of long keywords: told in pieces", async () => {
  await using server = await startServer();
  const address = { host: "127.0.0.1", port: server.port };
  const user = server.freshUser();
  await using one = await ImapClient.login(address, user, PASSWORD);
  await using deaf = await ImapClient.login(address, user, PASSWORD);
  one.line(`a APPEND INBOX${" {5+}\r\na: b\n".repeat(MESSAGES)}`);
  match((await one.answer("a", 60_000)).reply, /^OK /);
  for (const client of [one, deaf]) await client.command("SELECT INBOX");
  const before = await residentMemory(server.pid);
  for (const keywords of KEYWORDS) {
    match((await one.command(`STORE 1:* +FLAGS.SILENT (${keywords})`, 60_000)).reply, /^OK /);
  }
  // Some 240 KB of each message. This one reads nothing of it.
  deaf.line("b NOOP");
  match((await one.command("NOOP", 60_000)).reply, /^OK /);
  await assertBounded(server.pid, before);
  match((await one.command(`STORE 1 +FLAGS (${"z".repeat(256)})`)).reply, /^NO \[LIMIT\] /);
  match((await one.command(`STORE 1 +FLAGS (${"z".repeat(255)})`)).reply, /^(OK|NO \[LIMIT\])/);
});

Deno.test("flags of many messages: another session hears of each of them once, in order", async () => {
  await using server = await startServer();
  const address = { host: "127.0.0.1", port: server.port };
  const user = server.freshUser();
  await using one = await ImapClient.login(address, user, PASSWORD);
  await using other = await ImapClient.login(address, user, PASSWORD);
  one.line(`a APPEND INBOX${" {5+}\r\na: b\n".repeat(1000)}`);
  match((await one.answer("a", 60_000)).reply, /^OK /);
  await one.command("SELECT INBOX");
  await other.command("SELECT INBOX");
  const keywords = KEYWORDS[0].split(" ").slice(0, 8).join(" ");
  const stored = await one.command(`STORE 1:* +FLAGS (${keywords})`, 60_000);
  await one.command("STORE 2 +FLAGS.SILENT (\\Deleted)");
  await one.command("EXPUNGE");
  match((await one.append("INBOX", "a: b\r\n")).reply, /^OK /);
  const { untagged } = await other.command("NOOP", 60_000);
  for (const [heard, last] of [[stored.untagged, 1000], [untagged, 999]] as const) {
    const fetched = heard.filter((response) => / FETCH /.test(response));
    strictEqual(fetched.length, last);
    fetched.forEach((response, i) => match(response, new RegExp(`^\\* ${i + 1} FETCH .*k0x7y`)));
  }
  strictEqual(untagged.filter((response) => response === "* 2 EXPUNGE").length, 1);
  strictEqual(untagged.includes("* 1000 EXISTS"), true);
  strictEqual(
    untagged.indexOf("* 1000 EXISTS") > untagged.findIndex((each) => /^\* 999 FETCH/.test(each)),
    true,
  );
  const again = await other.command("NOOP");
  strictEqual(again.untagged.length, 0);
});
