import { equal } from "node:assert/strict";
import fc from "fast-check";
import { body, bodystructure, bodyWithoutExtensions } from "../../src/message/bodystructure.ts";
import { garbageMail, partModel, writeMessage } from "./mail_arbitrary.ts";
import { parse, parseLines } from "./parse.ts";

const PLAIN = '"text" "plain" ("charset" "us-ascii") NIL NIL "7bit"';

Deno.test("bodystructure gives the defaults of RFC 2045 for a message without MIME fields", () => {
  equal(bodystructure(parse("Subject: x\r\n\r\na\r\nb\r\n")), `(${PLAIN} 6 2 NIL NIL NIL NIL)`);
});

Deno.test("bodystructure gives every field as it is written", () => {
  const { root } = parseLines(
    'Content-Type: IMAGE/Png; Name="a \\"b\\".png"; x*0*=utf-8\'\'%41; x*1=b (comment)',
    "Content-ID: <id@example.org>",
    "Content-Description: A\r\n picture",
    "Content-Transfer-Encoding: Base64",
    "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
    "Content-Disposition: Attachment; filename=a.png",
    "Content-Language: en, de",
    "Content-Location: http://example.org/a.png",
    "",
    "AAAA",
  );
  equal(
    bodystructure(root),
    '("IMAGE" "Png" ("Name" "a \\"b\\".png" "x*0*" "utf-8\'\'%41" "x*1" "b") "<id@example.org>" ' +
      '"A picture" "Base64" 4 "Q2hlY2sgSW50ZWdyaXR5IQ==" ("Attachment" ("filename" "a.png")) ' +
      '("en" "de") "http://example.org/a.png")',
  );
});

Deno.test("bodystructure puts parts side by side and their subtype behind", () => {
  const { root } = parseLines(
    'Content-Type: multipart/Mixed; boundary="b"',
    "Content-Language: en",
    "",
    "--b",
    "",
    "one",
    "--b",
    "Content-Type: application/pdf",
    "",
    "two",
    "--b--",
  );
  equal(
    bodystructure(root),
    `((${PLAIN} 3 0 NIL NIL NIL NIL)("application" "pdf" NIL NIL NIL "7bit" 3 NIL NIL NIL NIL) ` +
      '"Mixed" ("boundary" "b") NIL ("en") NIL)',
  );
  equal(body(root), `((${PLAIN} 3 0)("application" "pdf" NIL NIL NIL "7bit" 3) "Mixed")`);
});

Deno.test("bodystructure gives envelope, structure and lines of a message part", () => {
  const { root } = parseLines("Content-Type: message/rfc822", "", "Subject: x", "", "a", "b");
  const nils = Array(8).fill("NIL").join(" ");
  equal(
    bodystructure(root),
    `("message" "rfc822" NIL NIL NIL "7bit" 18 (NIL "x" ${nils}) ` +
      `(${PLAIN} 4 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)`,
  );
  equal(
    body(root),
    `("message" "rfc822" NIL NIL NIL "7bit" 18 (NIL "x" ${nils}) (${PLAIN} 4 1) 3)`,
  );
});

Deno.test("bodystructure shows an empty part in a multipart that has none", () => {
  equal(
    body(parse("Content-Type: multipart/mixed; boundary=b\r\n\r\nno part")),
    `((${PLAIN} 0 0) "mixed")`,
  );
});

Deno.test("bodystructure takes a multipart without boundary for plain text", () => {
  equal(body(parse("Content-Type: multipart/mixed\r\n\r\n--b\r\n")), `(${PLAIN} 5 1)`);
});

Deno.test("bodystructure of a digest counts parts as messages unless they say otherwise", () => {
  const { root } = parseLines(
    "Content-Type: multipart/digest; boundary=b",
    "",
    "--b",
    "",
    "Subject: x",
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "--b--",
  );
  equal(root.parts?.[0].message?.header, "Subject: x\r\n\r\n");
  equal(root.parts?.[1].message, undefined);
});

Deno.test("bodyWithoutExtensions gives what body gives for any message", () => {
  const wire = fc.oneof(
    garbageMail.map((text) => text.replace(/(?<!\r)\n/g, "\r\n")),
    partModel.map((model) => writeMessage(model).text),
  );
  fc.assert(fc.property(wire, (text) => {
    const root = parse(text);
    equal(bodyWithoutExtensions(bodystructure(root)), body(root));
  }));
});

Deno.test("bodyWithoutExtensions is not misled by parentheses in strings and literals", () => {
  const { root } = parseLines(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    'Content-Type: text/plain; name="a \\") (NIL \\\\"; x=")("',
    "Content-Description: \xe9) {3} (",
    'Content-Disposition: inline; x="\xe9(("',
    "",
    "--b--",
  );
  const part =
    `"text" "plain" ("name" "a \\") (NIL \\\\" "x" ")(") NIL {8}\r\n\xe9) {3} ( "7bit" 0 0`;
  equal(body(root), `((${part}) "mixed")`);
  equal(bodyWithoutExtensions(bodystructure(root)), body(root));
});
