// Parentheses and operators nested so deep that a recursive parser runs out of stack.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { assertBounded, FLOOD_MIB, MIB, residentMemory } from "./memory.ts";

const DEPTH = 10_000;

function nested(open: string, inner: string, close: string, depth = DEPTH): string {
  return `${open.repeat(depth)}${inner}${close.repeat(depth)}`;
}

/** Wrong at any depth. */
const refused: Record<string, string> = {
  "SEARCH in parentheses that never close": `SEARCH ${"(".repeat(DEPTH)}`,
  "SEARCH of OR without arguments": `SEARCH ${"OR ".repeat(DEPTH)}`,
  "FETCH in parentheses": `FETCH 1 ${nested("(", "FLAGS", ")")}`,
  "FETCH in parentheses that never close": `FETCH 1 ${"(".repeat(DEPTH)}`,
  "FETCH of a section in brackets": `FETCH 1 ${nested("BODY[", "", "]", 5000)}`,
  "STORE in parentheses": `STORE 1 FLAGS ${nested("(", "\\Seen", ")")}`,
  "STATUS in parentheses": `STATUS INBOX ${nested("(", "MESSAGES", ")")}`,
  "LIST in parentheses": `LIST ${nested("(", "SUBSCRIBED", ")")} "" "*"`,
  "ID in parentheses": `ID ${nested("(", '"a" "b"', ")")}`,
};

/** Right, if absurd: a server may refuse it, or do it. */
const answered: Record<string, string> = {
  "SEARCH in parentheses": `SEARCH ${nested("(", "ALL", ")")}`,
  "SEARCH in parentheses with NOT": `SEARCH ${nested("NOT (", "SEEN", ")", 5000)}`,
  "SEARCH of many NOT": `SEARCH ${"NOT ".repeat(DEPTH)}SEEN`,
  "SEARCH of many OR": `SEARCH ${"OR SEEN ".repeat(7000)}ALL`,
  "FETCH of a part far down": `FETCH 1 BODY.PEEK[${"1.".repeat(DEPTH)}1]`,
};

Deno.test("nesting bomb: commands of 10,000 levels are answered and the session goes on", async (test) => {
  await using server = await startServer();
  for (const [what, command] of Object.entries({ ...refused, ...answered })) {
    await test.step(what, async () => {
      await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
      await client.append("INBOX", "Subject: x\r\n\r\nx\r\n");
      await client.ok("SELECT INBOX");
      const reply = (await client.command(command)).pop() ?? "";
      assert.match(reply, what in refused ? /^t\d+ (BAD|NO) / : /^t\d+ (OK|BAD|NO) /);
      assert.deepEqual(await client.ok("SEARCH SUBJECT x"), ["* SEARCH 1"]);
    });
  }
});

Deno.test("nesting bomb: a message nested 500 deep is stored and described", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  let multipart = "";
  for (let level = 0; level < 500; level++) {
    multipart += `Content-Type: multipart/mixed; boundary="b${level}"\r\n\r\n--b${level}\r\n`;
  }
  const rfc822 = "Content-Type: message/rfc822\r\n\r\n".repeat(500);
  for (const mail of [multipart, rfc822]) {
    await client.append("INBOX", `Subject: deep\r\n${mail}Content-Type: text/plain\r\n\r\nend\r\n`);
  }
  await client.ok("SELECT INBOX");
  const fetched = await client.ok("FETCH 1:2 (RFC822.SIZE ENVELOPE BODYSTRUCTURE)");
  assert.equal(fetched.filter((line) => /^\* \d FETCH .*BODYSTRUCTURE \(/.test(line)).length, 2);
  await client.ok("SEARCH BODY end");
  assert.deepEqual(await client.ok("SEARCH SUBJECT deep"), ["* SEARCH 1 2"]);
});

Deno.test('nesting bomb: "(" without an end before login takes no memory (CVE-2026-27857)', async () => {
  await using server = await startServer();
  const before = await residentMemory(server.pid);
  const piece = "(".repeat(MIB);
  for (const start of ["a NOOP ", "a ID ", "a LOGIN ", "a AUTHENTICATE ", "", "a "]) {
    await using client = await RawConnection.plain(server.port);
    await client.line();
    await client.send(start);
    const flood = start === "a ID " ? FLOOD_MIB : 1;
    for (let sent = 0; sent < flood && !client.ended; sent++) await client.send(piece);
    await client.send("\r\n");
    assert.match(await client.line() ?? "* BYE", /^(a|\*|\() ?(NO|BAD|BYE)/, start);
  }
  await assertBounded(server.pid, before);
  // As many as fit in a line, in many connections that never end it.
  const clients = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const client = await RawConnection.plain(server.port);
      await client.line();
      await client.send(`a ID ${"(".repeat(8000)}`);
      return client;
    }),
  );
  await assertBounded(server.pid, before);
  for (const client of clients) await client.close();
});
