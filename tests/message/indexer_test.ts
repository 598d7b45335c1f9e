import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { MessageIndexer, type MessageSummary } from "../../src/message/indexer.ts";
import { bytesFromLatin1 } from "../../src/message/latin1.ts";
import { chunked, garbageMail } from "./mail_arbitrary.ts";

function index(chunks: readonly Uint8Array[]): MessageSummary {
  const indexer = new MessageIndexer();
  for (const chunk of chunks) indexer.push(chunk);
  return indexer.end();
}

Deno.test("MessageIndexer says the same of a file with LF and with CRLF, but for bareLf", () => {
  fc.assert(fc.property(garbageMail, fc.array(fc.nat()), (text, cuts) => {
    const wire = text.replace(/(?<!\r)\n/g, "\r\n");
    const { bareLf, ...summary } = index(chunked(text, cuts));
    equal(bareLf, wire !== text);
    deepEqual({ ...summary, bareLf: false }, index([bytesFromLatin1(wire)]));
    equal(summary.size, wire.length);
  }));
});

Deno.test("MessageIndexer gives the day that Date names in its own zone", () => {
  const sentDay = (date: string) => index([bytesFromLatin1(`Date: ${date}\n\n`)]).sentDay;
  equal(sentDay("Thu, 1 Jan 1970 23:59:00 -1200"), 0);
  equal(sentDay("Fri, 2 Jan 1970 00:01:00 +1200"), 1);
  equal(sentDay("never"), null);
  equal(index([]).sentDay, null);
});

Deno.test("MessageIndexer keeps the listed fields of the top header alone", () => {
  const text = "Received: x\nSubject: a\n b\nContent-Type: message/rfc822\n\nSubject: inner\n\n";
  equal(
    index([bytesFromLatin1(text)]).header,
    "Subject: a\r\n b\r\nContent-Type: message/rfc822\r\n",
  );
});
