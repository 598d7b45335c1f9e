// Marks that stand above and below a letter by turns have to be put in order, which takes a normal
// form time that grows with the square of their number: for each of these texts, minutes.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

/** Octets of UTF-8. */
const OCTETS = 1_000_000;
const MARKS = "\u0301\u0323";

const TEXT = `a${MARKS.repeat(OCTETS / 4)}`;

function body(text: string): string {
  return `Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}`;
}

function encodedWords(): string {
  const word = `=?utf-8?b?${Buffer.from(MARKS.repeat(10)).toString("base64")}?=`;
  return Array(Math.floor(OCTETS / word.length)).fill(word).join("\r\n ");
}

const MESSAGES: Record<string, string> = {
  "a body": body(TEXT),
  "a body of halfwidth marks": body(`a${"\uff9e\u0334".repeat(OCTETS / 5)}`),
  "a body with one char of ASCII": body(`a${"\u00e9".repeat(OCTETS)}`),
  "a subject": `Subject: ${encodedWords()}\r\n\r\nx\r\n`,
  "names": `From: ${encodedWords()} <a@b.c>\r\nTo: ${encodedWords()} <a@b.c>\r\n\r\nx\r\n`,
};

async function login(server: TestServer): Promise<RawConnection> {
  return await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
}

Deno.test("combining marks: messages full of them are searched, sorted and indexed in linear time", async () => {
  await using server = await startServer();
  await using client = await login(server);
  for (const [what, message] of Object.entries(MESSAGES)) {
    await client.append("INBOX", message).catch((error) => assert.fail(`${what}: ${error}`));
  }
  await client.ok("SELECT INBOX");
  for (
    const command of [
      "FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW)",
      "SEARCH BODY nowhere",
      "SEARCH TEXT nowhere",
      "SEARCH FUZZY BODY nowhere",
      "SORT (SUBJECT FROM) UTF-8 ALL",
      "THREAD REFERENCES UTF-8 ALL",
    ]
  ) await client.ok(command);
  // Texts are indexed by one worker for everybody.
  await using other = await login(server);
  await other.append("INBOX", "Subject: x\r\n\r\nsomewhere\r\n");
  await other.ok("SELECT INBOX");
  assert.deepEqual(await other.ok("SEARCH BODY somewhere"), ["* SEARCH 1"]);
});

Deno.test("combining marks: what commands say is read in linear time", async () => {
  await using server = await startServer();
  await using client = await login(server);
  await client.append("INBOX", "Subject: x\r\n\r\nx\r\n");
  await client.ok("SELECT INBOX");
  // One char for each octet.
  const octets = Buffer.from(TEXT).toString("latin1");
  const literal = `{${octets.length}+}\r\n${octets}`;
  for (
    const command of [
      `SEARCH CHARSET UTF-8 BODY ${literal}`,
      `SEARCH CHARSET UTF-8 SUBJECT ${literal}`,
      `SEARCH CHARSET UTF-8 FUZZY SUBJECT ${literal}`,
      `STATUS ${literal} (MESSAGES)`,
      `CREATE ${literal}`,
      `LIST "" ${literal}`,
      `RENAME INBOX ${literal}`,
      `COPY 1 ${literal}`,
    ]
  ) await client.command(command);
  await client.ok("ENABLE UTF8=ACCEPT");
  for (const command of [`CREATE ${literal}`, `LIST "" ${literal}`]) await client.command(command);
  await client.ok("NOOP");
});
