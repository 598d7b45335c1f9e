/** No bytes that a client may send make the framer or a grammar fail in an unforeseen way. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { latin1, latin1Bytes } from "../../src/wire/bytes.ts";
import {
  appendArgs,
  appendPrefix,
  replaceArgs,
  replacePrefix,
} from "../../src/wire/append_grammar.ts";
import * as command from "../../src/wire/command_grammar.ts";
import { Framer } from "../../src/wire/framer.ts";
import { commandName, sequenceSet, tag } from "../../src/wire/grammar.ts";
import { listArgs, lsubArgs, statusArgs } from "../../src/wire/list_grammar.ts";
import { numbersIn, resolveRanges, uidsIn } from "../../src/wire/number_set.ts";
import { cancelUpdateArgs } from "../../src/wire/return_options.ts";
import { type Literal, Scanner, SyntaxFault } from "../../src/wire/scanner.ts";
import { searchArgs, UnknownCharset } from "../../src/wire/search_grammar.ts";
import { uidBatchesArgs } from "../../src/wire/uid_batches_grammar.ts";
import { selectArgs } from "../../src/wire/select_grammar.ts";

type Parser = (s: Scanner) => unknown;

const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ["NOOP", command.noArgs],
  ["ID", command.idArgs],
  ["ENABLE", command.enableArgs],
  ["LOGIN", command.loginArgs],
  ["AUTHENTICATE", command.authenticateArgs],
  ["SELECT", selectArgs],
  ["CREATE", command.createArgs],
  ["DELETE", command.mailboxArgs],
  ["RENAME", command.renameArgs],
  ["LIST", listArgs],
  ["LSUB", lsubArgs],
  ["STATUS", statusArgs],
  ["APPEND", appendArgs],
  ["REPLACE", replaceArgs],
  ["STORE", command.storeArgs],
  ["COPY", command.copyArgs],
  ["UID EXPUNGE", command.uidExpungeArgs],
  ["FETCH", command.fetchArgs],
  ["SEARCH", searchArgs],
  ["CANCELUPDATE", cancelUpdateArgs],
  ["UIDBATCHES", uidBatchesArgs],
]);

/** Of commands whose literals are messages. */
const PREFIXES: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ["APPEND", appendPrefix],
  ["REPLACE", replacePrefix],
]);

/** At least one valid command for each parser. */
const VALID = [
  "a NOOP",
  'a CANCELUPDATE "a" "b"',
  "a UIDBATCHES 500 1:20",
  "a SEARCH RETURN (SAVE UPDATE PARTIAL -1:-100) $ FILTER x",
  'a ID ("name" "x" "os" NIL)',
  "a ENABLE CONDSTORE",
  'a LOGIN {2+}\r\nme "pass\\"word"',
  "a AUTHENTICATE PLAIN AGEAYg==",
  "a SELECT INBOX (CONDSTORE)",
  "a CREATE a (USE (\\Drafts))",
  "a SETQUOTA #user/a (STORAGE 510 MESSAGE 0)",
  "a GETMETADATA (MAXSIZE 5 DEPTH infinity) a (/private/comment /shared/x)",
  'a SETMETADATA "" (/private/comment "x" /shared/vendor/v/x NIL)',
  'a LIST "" * RETURN (METADATA (/private/comment))',
  "a DELETE &U,BTFw-",
  'a RENAME a {3+}\r\n"b ',
  'a LIST (SUBSCRIBED RECURSIVEMATCH) "" (% "*") RETURN (CHILDREN STATUS (UNSEEN SIZE))',
  'a LSUB "" *',
  "a STATUS INBOX (MESSAGES UIDNEXT)",
  'a APPEND Sent (\\Seen $x) "17-Jul-1996 02:44:25 -0700" {5+}\r\nFrom:',
  "a APPEND b CATENATE (URL {2+}\r\n/c TEXT {1+}\r\nx UTF8 (~{1+}\r\ny)) (k) ~{2+}\r\n\0z",
  "a REPLACE 3 b (\\Draft) {2+}\r\nzz",
  "a STORE 1:3,7 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Deleted k)",
  "a COPY 1:* {1+}\r\nb",
  "a UID EXPUNGE 4294967295,*:2",
  "a FETCH 1 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS.NOT (From {2+}\r\nTo)]<0.10>) (CHANGEDSINCE 1)",
  "a FETCH * FULL",
  'a SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR (SEEN NOT FROM "\xc3\xa9") HEADER a {1+}\r\nb UID 1',
  "a SEARCH 1:3 SINCE 1-Feb-1994 LARGER 1 YOUNGER 60 KEYWORD k MODSEQ 9",
];

/** Pieces of grammar that random bytes seldom make. */
const TOKENS = [
  ...' (){}[]<>"\\%*,:.+-=~\r\n\0\x80\xff0129'.split(""),
  "{3+}\r\n",
  "{0}\r\n",
  "{4294967296}",
  "{99999999999+}\r\n",
  "4294967296",
  "9223372036854775808",
  "NIL",
  "()",
  "((((",
  "OR NOT ",
  "BODY[",
  "CHARSET utf-16 ",
  "RETURN (",
];

/** Sends `bytes` in pieces of `size` and parses all that comes out; returns how many parsed. */
function converse(bytes: Uint8Array, size: number): number {
  const framer = new Framer({ line: 4096, literals: 4096 });
  let parsed = 0;
  for (let at = 0; at < bytes.length; at += size) {
    framer.push(bytes.slice(at, at + size));
    for (let event = framer.next(); event !== undefined; event = framer.next()) {
      if (event.type === "command") parsed += parse(event.text, event.literals) ? 1 : 0;
      if (event.type === "literal") decide(framer, event.text, event.literals);
    }
  }
  return parsed;
}

function decide(framer: Framer, text: string, literals: readonly Literal[]): void {
  const s = new Scanner(text, literals);
  const isMessage = foreseen(() => {
    tag(s);
    s.space();
    return PREFIXES.get(commandName(s))?.(s) !== undefined;
  });
  if (isMessage === true) framer.stream("message");
  else if (isMessage === false) framer.accept();
  else framer.discard();
}

function parse(text: string, literals: readonly Literal[]): boolean {
  const s = new Scanner(text, literals);
  const done = foreseen(() => {
    tag(s);
    s.space();
    PARSERS.get(commandName(s))?.(s);
    return true;
  });
  return done === true;
}

/** What `read` gives; undefined if it threw what callers of the grammar expect. */
function foreseen<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownCharset) return undefined;
    assert.ok(error instanceof SyntaxFault, String(error));
    assert.match(error.message, /^[ -~]+$/);
    return undefined;
  }
}

const pieceSize = fc.constantFrom(1, 3, 100, 100_000);

Deno.test("converse: parses each of the valid commands", () => {
  for (const text of VALID) {
    for (const size of [1, 1000]) {
      assert.equal(converse(latin1Bytes(`${text}\r\n`), size), 1, text);
    }
  }
  const names = VALID.map((text) => text.match(/^a (UID \w+|\w+)/)?.[1]);
  for (const name of PARSERS.keys()) assert.ok(names.includes(name), `no valid ${name}`);
});

Deno.test("wire: random bytes are framed and refused", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fc.constantFrom(...TOKENS, ...VALID), { maxLength: 30 })
      .map((tokens) => latin1Bytes(tokens.join(""))),
  );
  fc.assert(
    fc.property(bytes, pieceSize, (bytes, size) => {
      converse(bytes, size);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("wire: mutated commands are parsed or refused", () => {
  const edit = fc.record({
    at: fc.nat(200),
    remove: fc.nat(4),
    insert: fc.oneof(fc.constantFrom("", ...TOKENS), fc.uint8Array({ maxLength: 4 }).map(latin1)),
  });
  const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...VALID), edits, pieceSize, (valid, edits, size) => {
      let text = valid;
      for (const { at, remove, insert } of edits) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + insert + text.slice(start + remove);
      }
      converse(latin1Bytes(`${text}\r\nb NOOP\r\n`), size);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("wire: every beginning of a command is refused or parsed", () => {
  for (const text of VALID) {
    for (let end = 0; end < text.length; end++) {
      converse(latin1Bytes(`${text.slice(0, end)}\r\n`), 1000);
    }
  }
});

/** Lines of a megabyte; were anything quadratic in them, this file would not end. */
const LONG = 1 << 20;

Deno.test("wire: long lines take linear time", () => {
  const limits = { line: 2 * LONG, literals: 0 };
  const fill = (piece: string) => piece.repeat(LONG / piece.length);
  const lines: readonly (readonly [string, Parser])[] = [
    [` "${fill('\\"')}" x`, command.renameArgs],
    [` ${fill("a")} x`, command.renameArgs],
    [` ${fill("1:3,7,")}1 FLAGS`, command.fetchArgs],
    [` 1 (${fill("UID FLAGS ")}UID)`, command.fetchArgs],
    [` 1 BODY[${fill("1.")}1]`, command.fetchArgs],
    [` 1 BODY[HEADER.FIELDS (${fill("From ")}To)]`, command.fetchArgs],
    [` 1 FLAGS (${fill("key1 key2 ")}key3)`, command.storeArgs],
    [` ${fill("A B ")}C`, command.enableArgs],
    [` "" (${fill("a %* ")}b)`, listArgs],
  ];
  for (const [args, parser] of lines) {
    const framer = new Framer(limits);
    const bytes = latin1Bytes(`a X${args}\r\n`);
    for (let at = 0; at < bytes.length; at += 1000) framer.push(bytes.slice(at, at + 1000));
    const event = framer.next();
    assert.ok(event?.type === "command");
    const s = new Scanner(event.text, event.literals);
    tag(s);
    s.space();
    commandName(s);
    parser(s);
    assert.ok(s.atEnd);
  }
});

Deno.test("wire: long lines that are wrong are refused in linear time", () => {
  const lines: readonly (readonly [string, Parser])[] = [
    [` ${"9".repeat(LONG)}`, command.uidExpungeArgs],
    [` 1 (UNCHANGEDSINCE ${"9".repeat(LONG)}) FLAGS ()`, command.storeArgs],
    [` "${"a".repeat(LONG)}`, command.mailboxArgs],
    [` ${"(".repeat(LONG)}`, searchArgs],
    [` ${"NOT ".repeat(LONG)}ALL`, searchArgs],
    [` ${"ALL ".repeat(LONG)}ALL`, searchArgs],
    [" ".repeat(LONG) + "x", command.noArgs],
  ];
  for (const [args, parser] of lines) {
    assert.throws(() => parser(new Scanner(args)), SyntaxFault);
  }
});

Deno.test("Framer: a long line that comes byte by byte takes linear time", () => {
  const framer = new Framer({ line: LONG, literals: 0 });
  for (let i = 0; i < LONG; i++) {
    framer.push(Uint8Array.of(0x61));
    assert.equal(framer.next(), undefined);
  }
  framer.push(Uint8Array.of(0x0a));
  const event = framer.next();
  assert.ok(event?.type === "command");
  assert.equal(event.text.length, LONG);
});

Deno.test("number sets: a set of the whole range many times over costs no more than the mailbox", () => {
  const uids = Uint32Array.from({ length: 1000 }, (_, i) => 2 * i + 1);
  const set = sequenceSet(new Scanner(Array(100_000).fill("1:4294967295,*:1").join(",")));
  assert.deepEqual(resolveRanges(set, 1000), [[1, 1000]]);
  assert.equal(numbersIn(set, 1000).length, 1000);
  assert.deepEqual(uidsIn(set, uids, uids.length), [...uids]);
});
