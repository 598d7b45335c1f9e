// Messages whose parts are in each other, or too many, or much longer once they are decoded.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { assertBounded, MIB, residentMemory } from "./memory.ts";

function multipart(boundary: string, ...parts: string[]): string {
  return `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n` +
    parts.map((part) => `--${boundary}\r\n${part}\r\n`).join("") + `--${boundary}--\r\n`;
}

/** Structures in which a part seems to hold what it is in (CVE-2026-26312). */
const CYCLES: Record<string, string> = {
  "a multipart in one of the same boundary": multipart(
    "a",
    multipart("a", multipart("a", "\r\nx")),
  ),
  "the same boundary by turns": multipart("a", multipart("b", multipart("a", multipart("b", "")))),
  "a boundary that begins another one": multipart("a", multipart("aa", multipart("aaa", "\r\nx"))),
  "a boundary that another one begins": multipart("aaa", multipart("aa", multipart("a", "\r\nx"))),
  "a boundary that ends like an end": multipart("a--", multipart("a", "\r\nx")),
  "an empty boundary": multipart("", multipart("", "\r\nx")),
  "a boundary of blanks": multipart("   ", "\r\nx"),
  "a boundary of dashes": multipart("--", multipart("-", "\r\nx")),
  "messages in messages without an end": "Content-Type: message/rfc822\r\n\r\n".repeat(20_000),
  "messages and multiparts by turns":
    "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\n"
      .repeat(5000),
  "digests": `Content-Type: multipart/digest; boundary=a\r\n\r\n${"--a\r\n\r\n".repeat(20_000)}`,
  "a multipart of another one, that is closed twice": `${
    multipart("a", multipart("b", ""))
  }--b--\r\n--a--\r\n`,
  "many levels of one boundary each": Array.from(
    { length: 5000 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  ).join(""),
};

Deno.test("MIME bomb: cyclic and bottomless structures are described in bounded time and memory (CVE-2026-26312)", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.ok("SELECT INBOX");
  const before = await residentMemory(server.pid);
  let count = 0;
  for (const [what, message] of Object.entries(CYCLES)) {
    await client.append("INBOX", `Subject: x\r\n${message}`)
      .catch((error) => assert.fail(`${what}: ${error.message}`));
    count++;
    const fetched = await client.ok(
      `FETCH ${count} (ENVELOPE BODYSTRUCTURE BODY PREVIEW BODY.PEEK[1.1.1.1] BODY.PEEK[2.MIME])`,
    );
    const text = fetched.join("\n");
    assert.match(text, new RegExp(`\\* ${count} FETCH \\(`), what);
    assert.ok(text.length < 8 * MIB, `${what}: ${text.length} octets`);
    await client.ok(`SEARCH ${count} BODY nowhere`);
  }
  await assertBounded(server.pid, before);
});

Deno.test("MIME bomb: of 100,000 attachments the first 10,000 are told", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  const attachment = "Content-Type: a/b\r\nContent-Disposition: attachment\r\n\r\n";
  const before = await residentMemory(server.pid);
  await client.append(
    "INBOX",
    `Content-Type: multipart/mixed; boundary=a\r\n\r\n${
      `--a\r\n${attachment}x\r\n`.repeat(100_000)
    }--a--\r\n`,
  );
  await client.ok("SELECT INBOX");
  const [fetched] = await client.ok("FETCH 1 (BODYSTRUCTURE)");
  const parts = fetched.match(/\("a" "b"/gi)?.length ?? 0;
  assert.ok(parts > 9000 && parts <= 10_000, `${parts} parts`);
  for (let part = 1; part <= 20_000; part += 4999) await client.ok(`FETCH 1 BODY.PEEK[${part}]`);
  await client.ok("SEARCH BODY nowhere");
  await assertBounded(server.pid, before);
});

/** Octets of a text; what takes quadratic time takes minutes for so many. */
const SIZE = MIB / 2;

/** Texts that are short to send. */
const ENCODED: Record<string, readonly [encoding: string, type: string, body: string]> = {
  "base64 of padding": ["base64", "text/plain", "=".repeat(SIZE)],
  "base64 of one digit a line": ["base64", "text/plain", "A\r\n".repeat(SIZE / 3)],
  "base64 of groups that end": ["base64", "text/html", "QQ==".repeat(SIZE / 4)],
  "quoted-printable of soft breaks": ["quoted-printable", "text/plain", "=\r\n".repeat(SIZE / 3)],
  "quoted-printable of blanks": [
    "quoted-printable",
    "text/plain",
    `=${" ".repeat(99)}x`.repeat(SIZE / 101),
  ],
  "quoted-printable of equals": ["quoted-printable", "text/plain", "=".repeat(SIZE)],
  "UTF-7 that never shifts back": ["7bit", "text/plain; charset=utf-7", `+${"A".repeat(SIZE)}`],
  "UTF-7 of shifts": ["7bit", "text/plain; charset=utf-7", "+A-".repeat(SIZE / 3)],
  "ISO-2022-JP of escapes": [
    "8bit",
    "text/plain; charset=iso-2022-jp",
    "\x1b$B\x1b(B".repeat(SIZE / 6),
  ],
  "UTF-16 of halves": ["8bit", "text/plain; charset=utf-16le", "\x00\xd8".repeat(SIZE / 2)],
  "accents": ["8bit", "text/plain; charset=utf-8", "\xcc\x81".repeat(SIZE / 2)],
  "letters that grow when they are folded": [
    "8bit",
    "text/plain; charset=utf-8",
    "\xef\xb7\xba".repeat(SIZE / 3),
  ],
  "tags that never end": ["7bit", "text/html", "<a ".repeat(SIZE / 3)],
  "comments that never end": ["7bit", "text/html", "<!--".repeat(SIZE / 4)],
  "quotes in tags": ["7bit", "text/html", `<a b="'`.repeat(SIZE / 7)],
  "elements that are not shown": ["7bit", "text/html", "<script></style>".repeat(SIZE / 16)],
  "quotations in quotations": ["7bit", "text/html", "<blockquote>".repeat(SIZE / 12)],
  "entities": ["7bit", "text/html", "&#x10ffff;&amp".repeat(SIZE / 14)],
  "attributions": ["7bit", "text/html", '<div class="gmail_attr'.repeat(SIZE / 22)],
  "words": ["7bit", "text/plain", "ab ".repeat(SIZE / 3)],
  "no text at all": ["binary", "text/plain; charset=x", "\xff\xc3".repeat(SIZE / 2)],
};

Deno.test("MIME bomb: texts of half a megabyte are decoded, shown and searched in linear time", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.ok("SELECT INBOX");
  const before = await residentMemory(server.pid);
  let count = 0;
  for (const [what, [encoding, type, body]] of Object.entries(ENCODED)) {
    const header = `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
    await client.append("INBOX", Uint8Array.from(`${header}${body}`, (char) => char.charCodeAt(0)))
      .catch((error) => assert.fail(`${what}: ${error.message}`));
    count++;
    await client.ok(`FETCH ${count} (PREVIEW BODYSTRUCTURE)`);
    await client.ok(`SEARCH ${count} BODY "nowhere to be found"`);
    await client.ok(`SEARCH ${count} FUZZY BODY "nowhere found"`);
    await client.command(`FETCH ${count} (BINARY.SIZE[1])`);
  }
  await assertBounded(server.pid, before);
});
