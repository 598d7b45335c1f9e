import { equal } from "node:assert/strict";
import fc from "fast-check";
import { envelope } from "../../src/message/envelope.ts";
import { garbageMail } from "./mail_arbitrary.ts";

Deno.test("envelope gives NIL for what is missing", () => {
  equal(envelope("\r\n"), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
});

Deno.test("envelope gives all ten fields in order", () => {
  const header = [
    "Message-ID: <msg@id>",
    "In-Reply-To: <reply@to.id>",
    "Date: Sat, 01 Feb 2007 01:02:03 +0200",
    "Subject: subject header",
    "From: From Real <f@from.org>",
    "To: To Real <t@to.org>",
    "Cc: Cc Real <c@cc.org>",
    "Bcc: Bcc Real <b@bcc.org>",
    "Sender: Sender Real <s@sender.org>",
    "Reply-To: ReplyTo Real <r@replyto.org>",
    "",
    "",
  ].join("\r\n");
  equal(
    envelope(header),
    '("Sat, 01 Feb 2007 01:02:03 +0200" "subject header" (("From Real" NIL "f" "from.org")) ' +
      '(("Sender Real" NIL "s" "sender.org")) (("ReplyTo Real" NIL "r" "replyto.org")) ' +
      '(("To Real" NIL "t" "to.org")) (("Cc Real" NIL "c" "cc.org")) ' +
      '(("Bcc Real" NIL "b" "bcc.org")) "<reply@to.id>" "<msg@id>")',
  );
});

Deno.test("envelope takes From for Sender and Reply-To that are missing or empty", () => {
  const from = '((NIL NIL "a" "b"))';
  const expected = `(NIL NIL ${from} ${from} ${from} NIL NIL NIL NIL NIL)`;
  equal(envelope("From: a@b\r\n\r\n"), expected);
  equal(envelope("From: a@b\r\nSender:\r\nReply-To: \r\n ,\r\n\r\n"), expected);
});

Deno.test("envelope tells an empty Subject from none, and unfolds without decoding", () => {
  equal(envelope("Subject:\r\n\r\n"), '(NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)');
  equal(
    envelope("Subject: =?utf-8?q?=C3=A9?=\r\n =?utf-8?q?x?=\r\n\r\n"),
    '(NIL "=?utf-8?q?=C3=A9?= =?utf-8?q?x?=" NIL NIL NIL NIL NIL NIL NIL NIL)',
  );
});

Deno.test("envelope takes the first of two subjects and joins two address lists", () => {
  equal(
    envelope("Subject: 1\r\nSubject: 2\r\nTo: a@b\r\nTo: c@d\r\n\r\n"),
    '(NIL "1" NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL NIL NIL)',
  );
});

Deno.test("envelope writes groups between their markers", () => {
  equal(
    envelope("To: g: a@b;, h:;\r\n\r\n"),
    '(NIL NIL NIL NIL NIL ((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)' +
      '(NIL NIL "h" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)',
  );
});

Deno.test("envelope leaves out what would be more than 10,000 addresses of many fields", () => {
  const list = `To: ${"a@b, ".repeat(6000)}\r\n`;
  equal(envelope(list.repeat(4)).match(/"a" "b"/g)?.length, 12_000);
});

Deno.test("envelope of any header is a list that a client can read", () => {
  fc.assert(fc.property(garbageMail, (text) => {
    const rest = envelope(text.replace(/(?<!\r)\n/g, "\r\n"));
    equal(afterValue(rest, 0), rest.length);
  }));
});

/** Reads one IMAP value strictly; returns the index behind it. */
function afterValue(text: string, at: number): number {
  if (text.startsWith("NIL", at)) return at + 3;
  if (text[at] === "(") {
    for (at++; text[at] !== ")";) {
      at = afterValue(text, at);
      if (text[at] === " ") at++;
    }
    return at + 1;
  }
  const quoted = /"(?:[^"\\\r\n\0\x80-\xff]|\\["\\])*"/y;
  quoted.lastIndex = at;
  const string = quoted.exec(text);
  if (string !== null) return at + string[0].length;
  const literal = /\{(\d+)\}\r\n/y;
  literal.lastIndex = at;
  const head = literal.exec(text);
  if (head === null) throw new Error(`No value at ${at}: ${text.slice(at, at + 40)}`);
  const end = at + head[0].length + Number(head[1]);
  equal(end <= text.length && !text.slice(at, end).includes("\0"), true);
  return end;
}
