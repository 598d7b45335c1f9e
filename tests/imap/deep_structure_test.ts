// Messages nested deeper than the server looks: what is beyond is text, and is there as a whole.

import { match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer } from "../harness.ts";

const LEVELS = 150;

/** Levels that are looked into: RFC 9051 has no bound, a parser needs one. */
const SEEN = 99;

interface Nested {
  readonly message: string;
  /** The number of the part that is not looked into, and its octets. */
  readonly deepest: string;
  readonly rest: string;
}

function multiparts(): Nested {
  let message = "Subject: deep\r\n";
  let rest = "";
  for (let level = 0; level < LEVELS; level++) {
    const piece = `Content-Type: multipart/mixed; boundary="b${level}x"\r\n\r\n--b${level}x\r\n`;
    message += piece;
    if (level > SEEN) rest += piece;
    else if (level === SEEN) rest += piece.slice(piece.indexOf("\r\n\r\n") + 4);
  }
  const end = "Content-Type: text/plain\r\n\r\nthe end\r\n";
  return { message: message + end, deepest: Array(SEEN).fill("1").join("."), rest: rest + end };
}

function messages(): Nested {
  let message = "Subject: outermost\r\n";
  let rest = "";
  for (let level = 0; level < LEVELS; level++) {
    const piece = `Content-Type: message/rfc822\r\n\r\nSubject: in ${level}\r\n`;
    message += piece;
    if (level > SEEN) rest += piece;
    else if (level === SEEN) rest += piece.slice(piece.indexOf("\r\n\r\n") + 4);
  }
  const end = "\r\nthe end\r\n";
  return { message: message + end, deepest: Array(SEEN + 1).fill("1").join("."), rest: rest + end };
}

for (
  const [what, { message, deepest, rest }] of [["multiparts", multiparts()], [
    "messages",
    messages(),
  ]] as const
) {
  Deno.test(`FETCH of ${what} nested ${LEVELS} deep: what is beyond level ${SEEN} is one text`, async () => {
    await using server = await startServer();
    const address = { host: "127.0.0.1", port: server.port };
    await using client = await ImapClient.login(address, server.freshUser(), PASSWORD);
    match((await client.append("INBOX", message)).reply, /^OK /);
    await client.command("SELECT INBOX");
    const fetched = async (item: string) => {
      const { untagged, reply } = await client.command(`FETCH 1 (${item})`);
      match(reply, /^OK /, item);
      return untagged[0] ?? "";
    };
    const structure = await fetched("BODYSTRUCTURE");
    // Innermost parentheses come first to their end.
    const text = /\("text" "plain" \("charset" "us-ascii"\) NIL NIL "7bit" (\d+) (\d+)/i.exec(
      structure,
    );
    strictEqual(Number(text?.[1]), rest.length);
    strictEqual(Number(text?.[2]), rest.split("\r\n").length - 1);
    strictEqual(
      await fetched(`BODY.PEEK[${deepest}]`),
      `* 1 FETCH (BODY[${deepest}] {${rest.length}}\r\n${rest})`,
    );
    strictEqual(
      await fetched(`BINARY.PEEK[${deepest}]`),
      `* 1 FETCH (BINARY[${deepest}] {${rest.length}}\r\n${rest})`,
    );
    strictEqual(
      await fetched(`BINARY.SIZE[${deepest}]`),
      `* 1 FETCH (BINARY.SIZE[${deepest}] ${rest.length})`,
    );
    match(await fetched(`BODY.PEEK[${deepest}.2]`), / NIL\)$/);
    strictEqual(
      (await fetched("BODY.PEEK[]")).endsWith(`{${message.length}}\r\n${message})`),
      true,
    );
    strictEqual((await client.command('SEARCH BODY "the end"')).untagged[0], "* SEARCH 1");
  });
}
