import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  CACHED_FIELDS,
  cachedHeader,
  decodeHeader,
  fieldValues,
  firstField,
  headerFields,
  headerFilter,
  unfold,
} from "../../src/message/header.ts";
import { garbageMail } from "./mail_arbitrary.ts";

const HEADER = "From: a\r\nX-Long: 1\r\n\t2\r\nto : b\r\nno field\r\nFROM: c\r\n\r\n";

Deno.test("headerFields gives names, folded values and places", () => {
  const fields = headerFields(HEADER);
  deepEqual(fields.map(({ name, value }) => [name, value]), [
    ["From", " a"],
    ["X-Long", " 1\r\n\t2"],
    ["to", " b"],
    ["", "no field"],
    ["FROM", " c"],
  ]);
  equal(fields.map(({ start, end }) => HEADER.slice(start, end)).join("") + "\r\n", HEADER);
});

Deno.test("headerFields covers any header block without a gap", () => {
  fc.assert(fc.property(garbageMail, (text) => {
    const header = text.replace(/(?<!\r)\n/g, "\r\n");
    let end = 0;
    for (const field of headerFields(header)) {
      equal(field.start, end);
      end = field.end;
    }
    equal(end === header.length || header.startsWith("\r\n", end), true);
  }));
});

Deno.test("firstField gives the first of several", () => {
  equal(firstField(headerFields(HEADER), "from"), " a");
  equal(firstField(headerFields(HEADER), "subject"), undefined);
});

Deno.test("unfold removes line ends and keeps blanks", () => {
  equal(unfold(" a\r\n\tb\r\n  c"), " a\tb  c");
});

Deno.test("headerFilter keeps order, spelling and folds, and ends in the blank line", () => {
  equal(
    headerFilter(["TO", "from"], false)(HEADER),
    "From: a\r\nto : b\r\nFROM: c\r\n\r\n",
  );
  equal(headerFilter(["from", "to"], true)(HEADER), "X-Long: 1\r\n\t2\r\nno field\r\n\r\n");
  equal(headerFilter(["subject"], false)(HEADER), "\r\n");
  equal(headerFilter(["subject"], true)(""), "\r\n");
});

Deno.test("headerFilter ends the last line of a message that ends in its header", () => {
  equal(headerFilter(["subject"], false)("Subject: x"), "Subject: x\r\n\r\n");
});

Deno.test("cachedHeader answers a request for cached fields as the whole header does", () => {
  const names = fc.subarray([...CACHED_FIELDS]);
  const line = fc.tuple(
    fc.constantFrom(...CACHED_FIELDS, "received", "x-other", "Subject", "FROM "),
    fc.constantFrom(": a", ":", ": a\r\n b", " ", ":\t\xe9"),
  ).map(([name, rest]) => `${name}${rest}\r\n`);
  const header = fc.tuple(fc.array(line), fc.constantFrom("\r\n", "", "Subject: open"))
    .map(([lines, end]) => lines.join("") + end);
  fc.assert(fc.property(header, names, (text, fields) => {
    equal(headerFilter(fields, false)(cachedHeader(text)), headerFilter(fields, false)(text));
  }));
});

Deno.test("headerFields, fieldValues and headerFilter know the same names", () => {
  for (const end of ["", " ", "\t ", "\r", "\xa0", "\v", " \f"]) {
    const text = `From${end}: a\r\n`;
    const isField = !/[^ \t]/.test(end);
    const names = headerFields(text).map(({ name }) => name);
    deepEqual(names, isField ? ["From"] : [""], JSON.stringify(end));
    deepEqual([...fieldValues(text, "from")], isField ? [" a"] : []);
    equal(headerFilter(["from"], false)(text), isField ? `${text}\r\n` : "\r\n");
  }
});

Deno.test("cachedHeader has the listed fields alone", () => {
  equal(cachedHeader(HEADER), "From: a\r\nto : b\r\nFROM: c\r\n");
});

Deno.test("decodeHeader makes one space of each fold", () => {
  equal(decodeHeader(" hello\r\n\t beautiful\r\n world"), " hello beautiful world");
});

Deno.test("decodeHeader decodes encoded words in a block, not across its fields", () => {
  equal(
    decodeHeader("A: =?utf-8?q?=C3=A9?=\r\n =?utf-8?q?=C3=A9?=\r\nB: =?utf-8?q?x?=\r\n"),
    "A: éé\r\nB: x\r\n",
  );
});

Deno.test("decodeHeader takes 8-bit as UTF-8 where valid and else as windows-1252", () => {
  equal(decodeHeader("\xc3\xb6 \xf6 \x80"), "ö ö €");
});
