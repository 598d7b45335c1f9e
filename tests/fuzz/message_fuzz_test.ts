import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { body, bodystructure, bodyWithoutExtensions } from "../../src/message/bodystructure.ts";
import { MessageIndexer } from "../../src/message/indexer.ts";
import { bytesFromLatin1 } from "../../src/message/latin1.ts";
import { MimeParser } from "../../src/message/mime.ts";
import { foldCase, messageContains, TextSearch } from "../../src/message/search_text.ts";
import { toWireForm } from "../../src/message/wire_form.ts";
import { garbageMail } from "../message/mail_arbitrary.ts";

/** IMAPD_FUZZ_RUNS asks for more than the gate's share. */
const RUNS = Number(Deno.env.get("IMAPD_FUZZ_RUNS") ?? 500);
const GOLDEN = new URL("../golden/", import.meta.url);

/** A golden mail with some bytes replaced, removed and doubled. */
const mutatedMail: fc.Arbitrary<Uint8Array> = (() => {
  const mails = Array.from(Deno.readDirSync(GOLDEN), (entry) => entry.name)
    .filter((name) => name.endsWith(".eml")).sort()
    .map((name) => Deno.readFileSync(new URL(name, GOLDEN)))
    .filter((mail) => mail.length < 20_000);
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 40 }),
    insert: fc.oneof(fc.constantFrom("", '"', "(", "\n", "\r", "--", ";", "=", "\0"), garbageMail),
  });
  return fc.tuple(fc.constantFrom(...mails), fc.array(edit, { maxLength: 6 })).map(
    ([mail, edits]) => {
      let bytes: readonly number[] = [...mail];
      for (const { at, remove, insert } of edits) {
        const start = at % (bytes.length + 1);
        const inserted = bytesFromLatin1(insert);
        bytes = [...bytes.slice(0, start), ...inserted, ...bytes.slice(start + remove)];
      }
      return Uint8Array.from(bytes);
    },
  );
})();

const anyMail = fc.oneof(mutatedMail, garbageMail.map(bytesFromLatin1), fc.uint8Array());

Deno.test("MessageIndexer describes any bytes in lists that close, without a negative number", () => {
  fc.assert(
    fc.property(anyMail, (file) => {
      const indexer = new MessageIndexer();
      indexer.push(file);
      const summary = indexer.end();
      equal(afterValue(summary.envelope, 0), summary.envelope.length);
      equal(afterValue(summary.bodystructure, 0), summary.bodystructure.length);
      const parser = new MimeParser();
      parser.push(toWireForm(file));
      const root = parser.end();
      equal(summary.bodystructure, bodystructure(root));
      equal(bodyWithoutExtensions(summary.bodystructure), body(root));
    }),
    { numRuns: RUNS },
  );
});

Deno.test("TextSearch agrees with messageContains on any bytes", () => {
  const needle = fc.constantFrom("a", "é", "the", "\r\n", "hello world", "größe", "日本");
  fc.assert(
    fc.property(
      anyMail,
      needle,
      fc.boolean(),
      fc.integer({ min: 1, max: 700 }),
      (file, word, headers, step) => {
        const wire = toWireForm(file);
        const indexer = new MessageIndexer();
        indexer.push(wire);
        const parts = JSON.parse(indexer.end().parts);
        const search = new TextSearch(foldCase(word), { headers }, parts);
        for (let at = 0; at < wire.length; at += step) search.push(wire.subarray(at, at + step));
        equal(search.end(), messageContains(file, parts, foldCase(word), headers));
      },
    ),
    { numRuns: RUNS },
  );
});

/** Reads one IMAP value strictly; returns the index behind it. */
function afterValue(text: string, at: number): number {
  if (text[at] === "(") {
    for (at++; text[at] !== ")";) {
      at = afterValue(text, at);
      if (text[at] === " ") at++;
    }
    return at + 1;
  }
  const value = /NIL|\d+|"(?:[^"\\\r\n\0\x80-\xff]|\\["\\])*"|\{(\d+)\}\r\n/y;
  value.lastIndex = at;
  const match = value.exec(text);
  ok(match !== null, `No value at ${at}: ${text.slice(at, at + 40)}`);
  const end = value.lastIndex + Number(match[1] ?? 0);
  ok(end <= text.length && !text.slice(at, end).includes("\0"));
  return end;
}
