/** What clients may send takes linear time, and every beginning of a command is read or refused. */

import assert from "node:assert/strict";
import { latin1Bytes } from "../../src/wire/bytes.ts";
import * as command from "../../src/wire/command_grammar.ts";
import { Framer } from "../../src/wire/framer.ts";
import { commandName, sequenceSet, tag } from "../../src/wire/grammar.ts";
import { listArgs } from "../../src/wire/list_grammar.ts";
import { numbersIn, resolveRanges, uidsIn } from "../../src/wire/number_set.ts";
import { Scanner, SyntaxFault } from "../../src/wire/scanner.ts";
import { searchArgs } from "../../src/wire/search_grammar.ts";
import { type Parser, VALID } from "./targets/commands.ts";
import { conversation } from "./targets/wire.ts";

const ROOMY = { line: 4096, literals: 4096 };

Deno.test("VALID: each of the commands is read", () => {
  for (const text of VALID) {
    const { told } = conversation([latin1Bytes(`${text}\r\n`)], ROOMY);
    assert.match(told.at(-1) ?? "", /^command .* \{.*\}$/, text);
  }
});

Deno.test("wire: every beginning of a command is refused or read", () => {
  for (const text of VALID) {
    for (let end = 0; end < text.length; end++) {
      conversation([latin1Bytes(`${text.slice(0, end)}\r\n`)], ROOMY);
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
