// Arguments that are short to send and long to work on: many patterns, names and items in one
// command. No answer may be long in coming, and nobody else may have to wait for it.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

/** Under what the server takes as the literals of one command. */
const OCTETS = 900_000;

function literal(unit: string, start = "", end = ""): string {
  const text = start + unit.repeat(Math.floor(OCTETS / unit.length)) + end;
  return `{${text.length}+}\r\n${text}`;
}

function many(count: number, item: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => item(i)).join(" ");
}

const COMMANDS: Record<string, string> = {
  "pattern of wildcards that match little": `LIST "" ${literal("%", "", "a")}`,
  "pattern of wildcards and letters": `LIST "" ${literal("*a")}`,
  "patterns": `LIST "" (${many(30_000, () => "a")})`,
  "patterns of subscriptions and their parents": `LIST (SUBSCRIBED RECURSIVEMATCH) "" (${
    many(999, (i) => `*${i}%*`)
  })`,
  "a reference before each of many patterns": `LIST ${literal("a")} (${many(999, () => "*")})`,
  "name in modified UTF-7": `CREATE ${literal("2D3eAA", "&", "-")}`,
  "name of accents": `CREATE ${literal("\xcc\x81")}`,
  "name of levels": `CREATE ${literal("a/")}`,
  "name of shifts": `SUBSCRIBE ${literal("&-")}`,
  "name of a root": `GETQUOTA ${literal("a", "#user/")}`,
  "name in a URL": `APPEND INBOX CATENATE (URL ${literal("/")})`,
  "name in percent signs": `APPEND INBOX CATENATE (URL ${literal("%61", "/", ";UID=1")})`,
  "items": `FETCH 1:* (${many(4000, () => "BODY.PEEK[]")})`,
  "parts": `FETCH 1:* (${many(3000, (i) => `BODY.PEEK[${i + 1}.1]`)})`,
  "keywords": `STORE 1 FLAGS (${many(9000, (i) => `k${i}`)})`,
  "search keys": `SEARCH ${many(9000, () => "TEXT x")}`,
  "search keys that are alternatives": `SEARCH ${"OR TEXT x ".repeat(99)}ALL`,
  "words that may be wrong": `SEARCH FUZZY TEXT ${literal("wort ")}`,
  "string to search for": `SEARCH BODY ${literal("a", `${"a".repeat(300)}b`)}`,
  "name of a field": `SEARCH HEADER ${literal("a-")} ""`,
  "mailboxes to search": `ESEARCH IN (${many(2000, () => "mailboxes m1")}) RETURN (COUNT) ALL`,
  "trees to search": `ESEARCH IN (subtree (${many(9000, (i) => `m${i}`)})) RETURN (COUNT) ALL`,
  "trees to be told of": `NOTIFY SET (subtree (${
    many(9000, (i) => `m${i}`)
  }) (MessageNew MessageExpunge))`,
  "annotations": `GETMETADATA INBOX (${many(4000, (i) => `/private/x${i}`)})`,
  "sort keys": `SORT (${many(7000, () => "SUBJECT")}) UTF-8 ALL`,
  "names of capabilities": `ENABLE ${many(8000, (i) => `X${i}`)}`,
  "fields of ID": `ID (${many(5000, () => '"a" "b"')})`,
  "URLs": `APPEND INBOX CATENATE (${many(2000, () => 'URL "/INBOX/;UID=1"')})`,
};

Deno.test("argument bomb: each command is answered, and the next one too", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.append("INBOX", "Subject: x\r\n\r\nx\r\n");
  await client.append("INBOX", `Subject: y\r\n\r\n${"a".repeat(4 * OCTETS)}\r\n`);
  for (let i = 0; i < 30; i++) await client.ok(`CREATE m${i}/a/b/c`);
  for (let i = 0; i < 30; i++) await client.ok(`SUBSCRIBE m${i}/a/b/c`);
  await client.ok("SELECT INBOX");
  for (const [what, command] of Object.entries(COMMANDS)) {
    const reply = (await client.command(command).catch((error) => [`${error}`])).pop() ?? "";
    assert.match(reply, /^t\d+ (OK|NO|BAD) /, what);
    assert.doesNotMatch(reply, /SERVERBUG/, what);
    assert.deepEqual(await client.ok("SEARCH SUBJECT x"), ["* SEARCH 1"], what);
  }
});

Deno.test("LIST: more than a thousand patterns are refused", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  assert.ok((await client.ok(`LIST "" (${many(1000, () => "*")})`)).length > 0);
  const reply = (await client.command(`LIST "" (${many(1001, () => "*")})`)).pop() ?? "";
  assert.match(reply, /^t\d+ NO \[LIMIT\] /);
});

Deno.test("argument bomb: a search is not kept whose text is long", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.append("INBOX", "Subject: x\r\n\r\nx\r\n");
  await client.ok("SELECT INBOX");
  const search = (keys: number) =>
    client.ok(`SEARCH RETURN (UPDATE COUNT) ${many(keys, () => `NOT SUBJECT ${"y".repeat(400)}`)}`);
  const told = (await search(50)).map((line) => line.replace(/"[^"]*"/, "t"));
  assert.deepEqual(told, [
    "* NO [NOUPDATE t] Expected a shorter search: this one is not followed",
    "* ESEARCH (TAG t) COUNT 1",
  ]);
  assert.equal((await search(5)).length, 1);
  // The short one is followed.
  const changes = await client.ok("STORE 1 +FLAGS.SILENT \\Deleted");
  assert.deepEqual(changes, []);
  const expunged = await client.ok("EXPUNGE");
  assert.equal(expunged.filter((line) => line.includes("REMOVEFROM")).length, 1);
});
