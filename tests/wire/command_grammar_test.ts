import assert from "node:assert/strict";
import {
  authenticateArgs,
  copyArgs,
  createArgs,
  enableArgs,
  fetchArgs,
  idArgs,
  loginArgs,
  mailboxArgs,
  noArgs,
  renameArgs,
  storeArgs,
  uidExpungeArgs,
} from "../../src/wire/command_grammar.ts";
import { faultOf, refuses, scan, table } from "./scan.ts";

const ONE = { ranges: [[1, 1]] } as const;
const NO_FLAGS = { system: 0, keywords: [] };

Deno.test("noArgs: takes nothing", () => {
  table(noArgs, [["", undefined], [" ", undefined]]);
  refuses(noArgs, [" x", "x"]);
});

Deno.test("idArgs: takes fields, none, or NIL", () => {
  table(idArgs, [
    [" NIL", { fields: [] }],
    [" nil", { fields: [] }],
    [" ()", { fields: [] }],
    [' ("name" "Mail" "version" NIL)', { fields: [["name", "Mail"], ["version", undefined]] }],
    [' ("n" "\xc3\xa9")', { fields: [["n", "é"]] }],
  ]);
  assert.deepEqual(scan(idArgs, " ({1}\r\n {2+}\r\n)", ["a", "bc"]), { fields: [["a", "bc"]] });
  refuses(idArgs, ["", " ", ' ("a")', ' ("a" "b" "c")', " (a b)", ' "a" "b"', " NILL", " NIL x"]);
});

Deno.test("idArgs: takes up to 30 fields", () => {
  const fields = (count: number) => ` (${Array(count).fill('"a" "b"').join(" ")})`;
  assert.equal(scan(idArgs, fields(30)).fields.length, 30);
  refuses(idArgs, [fields(31)]);
});

Deno.test("enableArgs: gives names in upper case", () => {
  table(enableArgs, [
    [" condstore", { capabilities: ["CONDSTORE"] }],
    [" CONDSTORE UTF8=ACCEPT", { capabilities: ["CONDSTORE", "UTF8=ACCEPT"] }],
  ]);
  refuses(enableArgs, ["", " ", " (CONDSTORE)", ' "CONDSTORE"']);
});

Deno.test("loginArgs: gives byte strings", () => {
  table(loginArgs, [
    [" me secret", { username: "me", password: "secret" }],
    [' me@example.org "p\\"w \xc3\xa9"', { username: "me@example.org", password: 'p"w \xc3\xa9' }],
    [' "" ""', { username: "", password: "" }],
    [" NIL nil", { username: "NIL", password: "nil" }],
  ]);
  assert.deepEqual(scan(loginArgs, " {2}\r\n {3+}\r\n", ["me", "p w"]), {
    username: "me",
    password: "p w",
  });
  refuses(loginArgs, ["", " me", " me ", " me pw x", "  me pw", " me (pw)", ' me "pw']);
});

Deno.test("loginArgs: never repeats a password in a fault", () => {
  for (const text of [" me s3cr3t s3cr3t", " me s3cr3t(s3cr3t", ' me "x" s3cr3t', " (s3cr3t"]) {
    assert.doesNotMatch(faultOf(loginArgs, text).message, /s3c/);
  }
});

Deno.test("authenticateArgs: may have an initial response", () => {
  table(authenticateArgs, [
    [" plain", { mechanism: "PLAIN" }],
    [" PLAIN ", { mechanism: "PLAIN" }],
    [" PLAIN =", { mechanism: "PLAIN", initialResponse: "" }],
    [" SCRAM-SHA-256 YQ==", { mechanism: "SCRAM-SHA-256", initialResponse: "YQ==" }],
  ]);
  refuses(authenticateArgs, ["", " ", ' "PLAIN"', " PLAIN a b", ' PLAIN "YQ=="']);
  assert.doesNotMatch(faultOf(authenticateArgs, " PLAIN YQ== YQ==").message, /YQ/);
});

Deno.test("createArgs: tells known special uses from others", () => {
  table(createArgs, [
    [" a", { mailbox: "a", specialUse: [], unknownUse: [] }],
    [" a/", { mailbox: "a/", specialUse: [], unknownUse: [] }],
    [" a (USE (\\drafts))", { mailbox: "a", specialUse: ["\\Drafts"], unknownUse: [] }],
    [" a (use (\\Sent \\Foo \\SENT))", {
      mailbox: "a",
      specialUse: ["\\Sent"],
      unknownUse: ["\\Foo"],
    }],
    [" a (USE ())", { mailbox: "a", specialUse: [], unknownUse: [] }],
  ]);
  refuses(createArgs, [
    " a (USE)",
    " a (USE \\Sent)",
    " a (USE (Sent))",
    " a (FOO (\\Sent))",
    " a ()",
  ]);
});

Deno.test("mailboxArgs: takes one name", () => {
  table(mailboxArgs, [[" a", { mailbox: "a" }], [" Inbox ", { mailbox: "INBOX" }]]);
  refuses(mailboxArgs, ["", " ", "a", " a b", " %"]);
});

Deno.test("renameArgs: takes two names", () => {
  table(renameArgs, [[' inbox "a b"', { from: "INBOX", to: "a b" }]]);
  assert.deepEqual(scan(renameArgs, " {1}\r\n {1}\r\n", ["a", "b"]), { from: "a", to: "b" });
  refuses(renameArgs, ["", " a", " a ", " a b c"]);
});

Deno.test("storeArgs: adds, removes or replaces", () => {
  const flags = { system: 1, keywords: [] };
  table(storeArgs, [
    [" 1 FLAGS (\\Seen)", {
      set: ONE,
      unchangedSince: undefined,
      mode: "replace",
      silent: false,
      flags,
    }],
    [" 1 +flags.silent \\Seen", {
      set: ONE,
      unchangedSince: undefined,
      mode: "add",
      silent: true,
      flags,
    }],
    [" 1 (unchangedsince 0) -FLAGS ()", {
      set: ONE,
      unchangedSince: 0,
      mode: "remove",
      silent: false,
      flags: NO_FLAGS,
    }],
  ]);
  refuses(storeArgs, [
    "",
    " 1",
    " 1 FLAGS",
    " 1 FLAGS ",
    " 1 FLAGS\\Seen",
    " 1 *FLAGS (\\Seen)",
    " 1 + FLAGS (\\Seen)",
    " 1 FLAGS.LOUD (\\Seen)",
    " 1 (UNCHANGEDSINCE) FLAGS (\\Seen)",
    " 1 (UNCHANGEDSINCE -1) FLAGS (\\Seen)",
    " 1 (FOO 1) FLAGS (\\Seen)",
    " 0 FLAGS (\\Seen)",
    " 1 FLAGS (\\Seen) x",
  ]);
});

Deno.test("copyArgs: takes a set and a name", () => {
  table(copyArgs, [[" 1 inbox", { set: ONE, mailbox: "INBOX" }]]);
  refuses(copyArgs, ["", " 1", " 1 ", " a b", " 1 a b", " 1 2:*,"]);
});

Deno.test("uidExpungeArgs: takes a set", () => {
  table(uidExpungeArgs, [[" 1", { set: ONE }]]);
  refuses(uidExpungeArgs, ["", " ", " 1 2", " 0"]);
});

Deno.test("fetchArgs: may have CHANGEDSINCE and VANISHED", () => {
  const items = [{ name: "FLAGS" }] as const;
  table(fetchArgs, [
    [" 1 FLAGS", { set: ONE, items }],
    [" 1 (FLAGS) (CHANGEDSINCE 12345)", { set: ONE, items, changedSince: 12345 }],
    [" 1 FLAGS (VANISHED CHANGEDSINCE 7)", { set: ONE, items, vanished: true, changedSince: 7 }],
    [" 1 FLAGS (changedsince 0)", { set: ONE, items, changedSince: 1 }],
    [" $ FLAGS", { set: { ranges: [], saved: true }, items }],
    [" 1 FLAGS (PARTIAL -2:-1 CHANGEDSINCE 7)", {
      set: ONE,
      items,
      partial: { first: 1, last: 2, fromEnd: true, text: "-2:-1" },
      changedSince: 7,
    }],
  ]);
  refuses(fetchArgs, [
    "",
    " 1",
    " 1 ",
    " FLAGS",
    " 1 FLAGS UID",
    " 1 FLAGS ()",
    " 1 FLAGS (CHANGEDSINCE)",
    " 1 FLAGS (CHANGEDSINCE 9223372036854775808)",
    " 1 FLAGS (FROBS)",
    " 1 FLAGS (CHANGEDSINCE 1",
  ]);
});
