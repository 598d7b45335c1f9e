import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeMailboxName,
  decodeModifiedUtf7,
  encodeMailboxName,
  encodeModifiedUtf7,
  isNewName,
  mailboxName,
  suppliedName,
  withInbox,
} from "../../src/wire/mailbox_name.ts";

/** UTF-8 as it comes from the wire, one char per byte. */
function latin1(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/** Any text a mailbox name can be, in both codecs' trouble spots. */
const anyName = fc.string({
  unit: fc.oneof(
    fc.constantFrom(..."&-,+/.~%*AZaz09 "),
    fc.string({ unit: "grapheme", size: "=" }),
  ),
}).filter((name) => name.isWellFormed() && !name.includes("\0"));

Deno.test("encodeMailboxName writes the examples of RFC 3501", () => {
  assert.equal(
    encodeMailboxName("~peter/mail/台北/日本語"),
    "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
  );
  assert.equal(encodeMailboxName("Entwürfe"), "Entw&APw-rfe");
  assert.equal(encodeMailboxName("A&B"), "A&-B");
  assert.equal(encodeMailboxName("😀"), "&2D3eAA-");
  assert.equal(encodeMailboxName(""), "");
});

Deno.test("encodeMailboxName gives printable ASCII, which decodeMailboxName reads", () => {
  fc.assert(fc.property(anyName, (name) => {
    const encoded = encodeMailboxName(name);
    assert.match(encoded, /^[\x20-\x7e]*$/);
    assert.equal(decodeMailboxName(encoded), name);
  }));
});

Deno.test("decodeMailboxName reads the UTF-8 that clients send unasked", () => {
  fc.assert(fc.property(anyName, (name) => {
    fc.pre(!name.includes("&"));
    assert.equal(decodeMailboxName(latin1(name)), name);
  }));
  assert.equal(decodeMailboxName(latin1("Entw&APw-rfe/Übersicht")), "Entwürfe/Übersicht");
  assert.equal(decodeMailboxName(latin1("Müller & Söhne")), "Müller & Söhne");
});

Deno.test("decodeMailboxName accepts only what the encoder writes, or neighbouring shifts", () => {
  const bytes = fc.string({ unit: fc.constantFrom(..."&-,+/AEIQgw08.") });
  fc.assert(
    fc.property(bytes, (text) => {
      const name = decodeMailboxName(text);
      if (name === undefined || /-&/.test(text)) return;
      assert.equal(encodeMailboxName(name), text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("decodeMailboxName refuses malformed and ambiguous names", () => {
  const bad = {
    "no end": "&APw",
    "lone ampersand": "AT&T",
    "plain ampersand before text": "A & B-",
    "printable ASCII in base64": "&AEE-",
    "a hidden separator": "a&AC8-b",
    "a hidden ampersand": "&ACY-",
    "bits left over": "&APx-",
    "half a character": "&AA-",
    "base64 padding": "&APw=-",
    "the alphabet of plain base64": "&U/BTFw-",
    "lone high surrogate": "&2D0-",
    "lone low surrogate": "&3gA-",
    "NUL": "&AAA-",
    "broken UTF-8": "\xc3(",
    "UTF-8 of a surrogate": "\xed\xa0\x80",
    "NUL in UTF-8": "\xc3\xbc\0",
  };
  for (const [why, name] of Object.entries(bad)) {
    assert.equal(decodeMailboxName(name), undefined, why);
  }
});

Deno.test("decodeMailboxName reads neighbouring shifts as one", () => {
  assert.equal(decodeMailboxName("&U,A-&UxcA-"), undefined);
  assert.equal(decodeMailboxName("&U,A-&Uxc-"), "台北");
  assert.equal(decodeMailboxName("&2D0-&3gA-"), "😀");
});

Deno.test("encodeModifiedUtf7 shifts the characters it is told to", () => {
  assert.equal(encodeModifiedUtf7("a.b", "."), "a&AC4-b");
  assert.equal(encodeModifiedUtf7("ü.b", "."), "&APwALg-b");
  assert.equal(decodeModifiedUtf7("a&AC4-b", "."), "a.b");
  assert.equal(decodeModifiedUtf7("a&AC4-b"), undefined);
});

Deno.test("withInbox knows INBOX in any case, as a whole first level only", () => {
  assert.equal(withInbox("inBox"), "INBOX");
  assert.equal(withInbox("Inbox/Foo"), "INBOX/Foo");
  assert.equal(withInbox("inboxes"), "inboxes");
  assert.equal(withInbox("foo/inbox"), "foo/inbox");
});

Deno.test("mailboxName makes one name of all its spellings", () => {
  assert.equal(mailboxName("inbox"), "INBOX");
  assert.equal(mailboxName("inbox/Sub/"), "INBOX/Sub");
  assert.equal(mailboxName("Foo/"), "Foo");
  assert.equal(mailboxName("Foo//"), "Foo/");
  assert.equal(mailboxName(encodeMailboxName("Entwu\u0308rfe")), "Entwürfe");
  assert.equal(mailboxName(latin1("Entwürfe")), "Entwürfe");
});

Deno.test("mailboxName refuses what no mailbox can be called", () => {
  for (const bytes of ["", "/", "AT&T", "\xff"]) assert.equal(mailboxName(bytes), undefined, bytes);
});

Deno.test("suppliedName: reads a name as it was given, but for its last separator and INBOX's case", () => {
  assert.strictEqual(suppliedName("Bu\xcc\x88ro/", true), "Bu\u0308ro");
  assert.strictEqual(suppliedName("inbox/a", true), "INBOX/a");
  assert.strictEqual(suppliedName("a & b", true), "a & b");
  assert.strictEqual(suppliedName("a &- b"), "a & b");
  assert.strictEqual(suppliedName("\xfc", true), undefined);
  assert.strictEqual(suppliedName("/", true), undefined);
});

// Were it more, these would take minutes.
Deno.test("decodeModifiedUtf7 and encodeModifiedUtf7 take linear time for a long shift", () => {
  const text = "\u53f0".repeat(1 << 21);
  const encoded = encodeModifiedUtf7(text);
  assert.equal(decodeModifiedUtf7(encoded), text);
  assert.equal(decodeModifiedUtf7(encoded, "."), text);
});

Deno.test("isNewName: refuses control characters, ends of lines, and INBOX below INBOX", () => {
  for (const name of ["a", "INBOX/a", "INBOX/inboxes", "a/INBOX/INBOX", "\u00a0", "\u2030"]) {
    assert.strictEqual(isNewName(name), true, name);
  }
  for (const name of ["\0", "a\x1f", "\x7f", "\x80", "\x9f", "\u2028", "\u2029", "INBOX/inbox"]) {
    assert.strictEqual(isNewName(name), false, name);
  }
  assert.strictEqual(isNewName("INBOX/Inbox/a"), false);
});
