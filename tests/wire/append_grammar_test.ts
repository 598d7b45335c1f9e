import assert from "node:assert/strict";
import {
  appendArgs,
  appendPrefix,
  replaceArgs,
  replacePrefix,
} from "../../src/wire/append_grammar.ts";
import { latin1Bytes } from "../../src/wire/bytes.ts";
import { STAR } from "../../src/wire/number_set.ts";
import { Scanner } from "../../src/wire/scanner.ts";
import { faultOf, refuses, scan } from "./scan.ts";

const NO_FLAGS = { system: 0, keywords: [] };
const PLAIN = { binary: false, utf8: false };
const x = latin1Bytes("x");

function text(literal: string, form = PLAIN) {
  return { kind: "text" as const, literal: latin1Bytes(literal), ...form };
}

/** A message of one literal. */
function whole(literal: string, form = PLAIN) {
  return { flags: NO_FLAGS, parts: [text(literal, form)], catenated: false };
}

Deno.test("appendArgs: may have flags and a date", () => {
  const date = { seconds: 837596665, zone: -420 };
  const messages = (text: string) => scan(appendArgs, `${text}{1}\r\n`, ["x"]);
  assert.deepEqual(messages(" inbox "), { mailbox: "INBOX", messages: [whole("x")] });
  assert.deepEqual(messages(" a (\\Seen k) "), {
    mailbox: "a",
    messages: [{ ...whole("x"), flags: { system: 1, keywords: ["k"] } }],
  });
  assert.deepEqual(messages(' a () "17-Jul-1996 02:44:25 -0700" '), {
    mailbox: "a",
    messages: [{ ...whole("x"), date }],
  });
  assert.deepEqual(messages(' a "17-Jul-1996 02:44:25 -0700" ').messages[0].date, date);
});

Deno.test("appendArgs: keeps a streamed literal", () => {
  const literal = { streamed: true, size: 9, message: {} } as const;
  const args = appendArgs(new Scanner(" {1}\r\n {9+}\r\n", [latin1Bytes("a"), literal]));
  assert.equal(args.mailbox, "a");
  assert.deepEqual(args.messages[0].parts, [{ kind: "text", literal, ...PLAIN }]);
});

Deno.test("appendArgs: takes several messages", () => {
  assert.deepEqual(scan(appendArgs, " a {1}\r\n (k) {2}\r\n ~{1+}\r\n", ["x", "yy", "z"]), {
    mailbox: "a",
    messages: [
      whole("x"),
      { ...whole("yy"), flags: { system: 0, keywords: ["k"] } },
      whole("z", { binary: true, utf8: false }),
    ],
  });
});

Deno.test("appendArgs: takes UTF8 data", () => {
  const utf8 = whole("x", { binary: true, utf8: true });
  assert.deepEqual(scan(appendArgs, " a UTF8 (~{1}\r\n)", ["x"]).messages, [utf8]);
  faultOf(appendArgs, " a UTF8 ({1}\r\n)", [x]);
  faultOf(appendArgs, " a UTF8 (~{1}\r\n", [x]);
  faultOf(appendArgs, " a UTF8 ~{1}\r\n", [x]);
});

Deno.test("appendArgs: takes messages that are put together", () => {
  const command = ' a CATENATE (URL "/b/;UID=1" TEXT {1}\r\n url {2}\r\n utf8 (~{1}\r\n)) {1}\r\n';
  assert.deepEqual(scan(appendArgs, command, ["x", "/c", "y", "z"]).messages, [
    {
      flags: NO_FLAGS,
      catenated: true,
      parts: [
        { kind: "url", url: "/b/;UID=1" },
        text("x"),
        { kind: "url", url: "/c" },
        text("y", { binary: true, utf8: true }),
      ],
    },
    whole("z"),
  ]);
  refuses(appendArgs, [
    " a CATENATE",
    " a CATENATE ()",
    " a CATENATE (URL)",
    ' a CATENATE (URL "")',
    " a CATENATE (FOO b)",
  ]);
  faultOf(appendArgs, " a CATENATE (TEXT{1}\r\n)", [x]);
  faultOf(appendArgs, " a CATENATE ({1}\r\n)", [x]);
});

Deno.test("appendArgs: wants a literal, and nothing else after it", () => {
  refuses(appendArgs, ["", " a", " a ", ' a "text"', " a (\\Seen)", " a text", " a ~"]);
  const wrong = [
    " a {1}\r\nx",
    " a {1}\r\n (\\Seen)",
    " a(\\Seen) {1}\r\n",
    " a (\\Seen){1}\r\n",
  ];
  for (const text of wrong) faultOf(appendArgs, text, [x]);
});

Deno.test("appendPrefix: tells a message from an argument", () => {
  const prefix = (text: string) => appendPrefix(new Scanner(text));
  const open = { flags: NO_FLAGS, parts: [], catenated: false };
  assert.equal(prefix(" "), undefined);
  assert.equal(prefix(" a CATENATE (URL "), undefined);
  assert.deepEqual(prefix(" inbox "), { mailbox: "INBOX", messages: [open], ...PLAIN });
  assert.deepEqual(prefix(" inbox ~"), {
    mailbox: "INBOX",
    messages: [open],
    binary: true,
    utf8: false,
  });
  assert.deepEqual(prefix(" inbox UTF8 (~"), {
    mailbox: "INBOX",
    messages: [open],
    binary: true,
    utf8: true,
  });
  assert.deepEqual(prefix(' a (\\Draft) " 1-Jan-1970 00:00:00 +0000" '), {
    mailbox: "a",
    messages: [{
      ...open,
      flags: { system: 16, keywords: [] },
      date: { seconds: 0, zone: 0 },
    }],
    ...PLAIN,
  });
  assert.deepEqual(prefix(" a CATENATE (URL b TEXT "), {
    mailbox: "a",
    messages: [{ flags: NO_FLAGS, parts: [{ kind: "url", url: "b" }], catenated: true }],
    ...PLAIN,
  });
});

Deno.test("appendPrefix: reads the messages before", () => {
  const open = { flags: NO_FLAGS, parts: [], catenated: false };
  assert.deepEqual(appendPrefix(new Scanner(" {1}\r\n {1}\r\n ", [latin1Bytes("a"), x])), {
    mailbox: "a",
    messages: [whole("x"), open],
    ...PLAIN,
  });
});

Deno.test("appendPrefix: refuses a literal where none may stand", () => {
  const wrong = [
    "",
    " a",
    " a (",
    " a (\\Seen ",
    " a (\\Seen)",
    ' a "',
    ' a "1-Jan',
    " a (\\Foo) ",
    " a b ",
    " (",
    ' a " 1-Jan-1970 00:00:00 +0000"',
    " a CATENATE (",
    " a UTF8 (",
  ];
  for (const text of wrong) faultOf(appendPrefix, text);
  faultOf(appendPrefix, " a {1}\r\n", [x]);
});

Deno.test("replaceArgs: takes one number and one message", () => {
  assert.deepEqual(scan(replaceArgs, " 4 inbox (k) {1}\r\n", ["x"]), {
    set: { ranges: [[4, 4]] },
    mailbox: "INBOX",
    message: { ...whole("x"), flags: { system: 0, keywords: ["k"] } },
  });
  assert.deepEqual(scan(replaceArgs, " * a ~{1}\r\n", ["x"]).set, { ranges: [[STAR, STAR]] });
  faultOf(replaceArgs, " 1:2 a {1}\r\n", [x]);
  faultOf(replaceArgs, " 1 a {1}\r\n {1}\r\n", [x, x]);
  refuses(replaceArgs, ["", " 1", " 1 a", " 1 a b"]);
});

Deno.test("replacePrefix: tells the message from an argument", () => {
  const open = { flags: NO_FLAGS, parts: [], catenated: false };
  assert.equal(replacePrefix(new Scanner(" 4 ")), undefined);
  assert.deepEqual(replacePrefix(new Scanner(" 4 a ")), {
    replaces: { ranges: [[4, 4]] },
    mailbox: "a",
    messages: [open],
    ...PLAIN,
  });
  faultOf(replacePrefix, " 4 a {1}\r\n ", [x]);
});
