/** Targets of `src/wire`, and what reads its values. */

import assert from "node:assert/strict";
import { ListPattern } from "../../../src/imap/list_pattern.ts";
import { folderOf, nameFolders, nameOf } from "../../../src/store/maildir/folder_name.ts";
import { StoreError } from "../../../src/store/store.ts";
import { latin1, latin1Bytes } from "../../../src/wire/bytes.ts";
import { dateTime as readDateTime } from "../../../src/wire/date_grammar.ts";
import { type FrameEvent, Framer, LineTooLong } from "../../../src/wire/framer.ts";
import { commandName, mailbox as readMailbox, numberSet, tag } from "../../../src/wire/grammar.ts";
import { parseImapUrl } from "../../../src/wire/imap_url.ts";
import * as names from "../../../src/wire/mailbox_name.ts";
import {
  formatNumberSet,
  formatRanges,
  isWithin,
  numbersIn,
  resolveRanges,
  STAR,
  uidsIn,
} from "../../../src/wire/number_set.ts";
import * as response from "../../../src/wire/response.ts";
import { isStreamed, type Literal, Scanner, SyntaxFault } from "../../../src/wire/scanner.ts";
import { UnknownCharset } from "../../../src/wire/search_grammar.ts";
import { hashOf, piecesOf, Random } from "../engine/random.ts";
import { pureTarget } from "../engine/target.ts";
import { PARSERS, PREFIXES, VALID } from "./commands.ts";

/** What `read` gives; undefined if it threw what callers of the grammar expect. */
function foreseen<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownCharset) return undefined;
    if (!(error instanceof SyntaxFault)) throw error;
    assert.match(error.message, /^[ -~]+$/);
    return undefined;
  }
}

/** The value of `text`, all of it; undefined if it is none. */
function scanned<T>(read: (s: Scanner) => T, text: string, literals: readonly Literal[] = []) {
  return foreseen(() => {
    const s = new Scanner(text, literals);
    const value = read(s);
    s.end();
    return value;
  });
}

const MOST_TOLD = 1000;

/** Reads all that a client sends and tells what a connection would make of it. */
export function conversation(
  pieces: Iterable<Uint8Array>,
  limits: { line: number; literals: number },
) {
  const framer = new Framer(limits);
  const told: string[] = [];
  let message = "";
  for (const piece of pieces) {
    framer.push(piece);
    for (let event = framer.next(); event !== undefined; event = framer.next()) {
      // To refuse a line takes microseconds, and a flood has 64,000 of them.
      if (told.length === MOST_TOLD) return { told, buffered: 0 };
      if (event.type === "chunk") {
        message += latin1(event.bytes);
        if (!event.last) continue;
        told.push(`message ${JSON.stringify(message)}`);
        message = "";
      } else told.push(tellEvent(framer, event, limits));
    }
  }
  return { told, buffered: framer.buffered };
}

function tellEvent(
  framer: Framer,
  event: Exclude<FrameEvent, { type: "chunk" }>,
  limits: { line: number; literals: number },
): string {
  assert.ok(event.text.length <= Math.max(limits.line, 1024) + 1, "a longer line than allowed");
  // How much of a lost command is told depends on how much had come.
  if (event.type === "fault") {
    return `fault ${event.reason} ${JSON.stringify(event.text.slice(0, 64))}`;
  }
  if (event.type === "literal") {
    return `literal ${event.size} ${event.synchronizing} ${decide(framer, event)}`;
  }
  const octets = event.literals.reduce(
    (sum, each) => sum + (isStreamed(each) ? 0 : each.length),
    0,
  );
  assert.ok(octets <= limits.literals, "more octets in literals than allowed");
  return `command ${JSON.stringify(event.text)} ${parsed(event.text, event.literals)}`;
}

function decide(framer: Framer, { text, literals }: FrameEvent & { type: "literal" }): string {
  const s = new Scanner(text, literals);
  const isMessage = foreseen(() => {
    tag(s);
    s.space();
    return PREFIXES.get(commandName(s))?.(s) !== undefined;
  });
  if (isMessage === true) {
    framer.stream("message");
    return "streamed";
  }
  if (isMessage === false) return framer.accept() ? "accepted" : "refused";
  framer.discard();
  return "discarded";
}

function parsed(text: string, literals: readonly Literal[]): string {
  const value = scanned(
    (s) => {
      tag(s);
      s.space();
      const parser = PARSERS.get(commandName(s));
      if (parser === undefined) throw s.fault("a command");
      return { args: parser(s) };
    },
    text,
    literals,
  );
  return JSON.stringify(value) ?? "refused";
}

export const command = pureTarget({
  name: "command",
  seeds: VALID.map((text) => `${text}\r\n`),
  sources: [
    ..."append_grammar command_grammar date_grammar esearch_grammar fetch_grammar grammar".split(
      " ",
    ),
    ..."list_grammar mailbox_filter metadata_grammar notify_grammar quota_grammar".split(" "),
    ..."return_options scanner search_grammar select_grammar sort_grammar".split(" "),
    "uid_batches_grammar",
  ].map((file) => `wire/${file}.ts`),
  tokens: [" (", ")", "{3+}\r\n", "{0}\r\n", "~{1+}\r\n", "NIL", "\r\n", "a ", ...PARSERS.keys()],
  run(input) {
    const limits = { line: 4096, literals: 4096 };
    const whole = conversation([input], limits);
    const cut = conversation(piecesOf(input), limits);
    assert.deepEqual(cut.told, whole.told);
  },
});

/** Sizes and cuts only: commands are not looked into. */
export const framer = pureTarget({
  name: "framer",
  seeds: [
    "a NOOP\r\n",
    "a LOGIN {3}\r\nabc {4+}\r\nabcd\r\n",
    "a APPEND x {5+}\r\nabcde\r\nb NOOP\n",
    "a {4294967296}\r\nb {99999999999+}\r\nc\r\n",
    `a ${"x".repeat(70)}\r\nb\r\n`,
  ],
  sources: ["wire/framer.ts"],
  tokens: [
    "{1}\r\n",
    "{0+}\r\n",
    "{30+}\r\n",
    "{31+}\r\n",
    "{9}",
    "\r\n",
    "\n",
    "\r",
    "+}",
    "APPEND ",
  ],
  longest: 1024,
  run(input) {
    const limits = { line: 64, literals: 30 };
    assert.deepEqual(
      conversation(piecesOf(input), limits).told,
      conversation([input], limits).told,
    );
    const [whole, cut] = [[input], piecesOf(input)].map((pieces) => linesOf(pieces, limits));
    assert.deepEqual(cut, whole);
  },
});

function linesOf(pieces: readonly Uint8Array[], limits: { line: number; literals: number }) {
  const framer = new Framer(limits);
  const lines: string[] = [];
  for (const piece of pieces) {
    framer.push(piece);
    for (;;) {
      try {
        const line = framer.line();
        if (line === undefined) break;
        assert.ok(line.length <= limits.line && !line.includes("\n"));
        lines.push(line);
      } catch (error) {
        if (!(error instanceof LineTooLong)) throw error;
        lines.push("too long");
      }
    }
  }
  return lines;
}

export const imapUrl = pureTarget({
  name: "imap-url",
  seeds: [
    "imap://joe@example.com/INBOX;UIDVALIDITY=385759045/;UID=20/;PARTIAL=0.1024",
    "/~peter/%E6%97%A5%E6%9C%AC;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2.HEADER.FIELDS%20(To)",
    "imap://;AUTH=*@h:143/gray%20council/;uid=20/;section=1.MIME",
    ";UID=3/;SECTION=TEXT/;PARTIAL=7",
  ],
  sources: ["wire/imap_url.ts", "wire/fetch_grammar.ts"],
  tokens: [
    ";UID=1",
    "/;",
    ";UIDVALIDITY=2",
    "/;SECTION=",
    "/;PARTIAL=1.2",
    "%00",
    "%2F",
    "imap://",
  ],
  run(input) {
    const url = parseImapUrl(latin1(input));
    if (url === undefined) return;
    assert.ok(url.uid >= 1 && url.uid <= 4294967295);
    assert.ok(url.mailbox !== "" && url.mailbox?.isWellFormed() !== false);
    assert.equal(input.some((octet) => octet < 0x21 || octet > 0x7e), false);
    // A second reading of the names
    const path = /^(?:imap:\/\/[^/]*)?\/([^;]*?)\/?(?:;UIDVALIDITY|;UID|$)/i.exec(latin1(input));
    if (url.mailbox === undefined || path === null) return;
    const name = decodeURIComponent(path[1]);
    assert.equal(url.mailbox, name.toUpperCase() === "INBOX" ? "INBOX" : name);
  },
});

export const mailboxName = pureTarget({
  name: "mailbox-name",
  seeds: [
    "INBOX",
    "&U,BTFw-",
    "a&-b/c",
    "&2D3eAA-",
    "Entw\xc3\xbcrfe/x",
    "inbox/&AOk-",
    "&AC4-.&AC8-",
  ],
  sources: ["wire/mailbox_name.ts", "store/maildir/folder_name.ts"],
  tokens: [
    "&",
    "-",
    "&-",
    "&AOk-",
    "&2D0-",
    "/",
    ".",
    "INBOX",
    "&AAA-",
    "\xe2\x80\xa8",
    "..",
    "&ZeU-",
  ],
  longest: 600,
  run(input) {
    const text = latin1(input);
    const decoded = names.decodeModifiedUtf7(text);
    if (decoded !== undefined && /^[\x20-\x7e]*$/.test(text)) {
      assert.ok(decoded.isWellFormed() && !decoded.includes("\0"));
      const encoded = names.encodeModifiedUtf7(decoded);
      assert.match(encoded, /^[\x20-\x7e]*$/);
      assert.equal(names.decodeModifiedUtf7(encoded), decoded);
      // Two spellings of one name differ by nothing but neighbouring shifts.
      if (!/-&[^-]/.test(text)) assert.equal(encoded, text);
    }
    for (const utf8 of [false, true]) checkName(names.mailboxName(text, utf8), utf8);
    checkFolder(text);
  },
});

function checkName(name: string | undefined, utf8: boolean): void {
  if (name === undefined) return;
  assert.ok(name !== "" && name.isWellFormed() && !name.includes("\0"));
  assert.equal(name, name.normalize("NFC"));
  if (!names.isNewName(name)) return;
  // What a client is told of it names it again.
  const written = response.mailbox(name, utf8);
  assert.match(written, /^(?:[^\r\n"]*|"(?:[^"\\\r\n]|\\["\\])*"|\{\d+\}\r\n[^]*)$/);
  const read = literalOf(written);
  const back = scanned(readMailbox, read.text, read.literals);
  assert.ok(back !== undefined, `cannot read ${JSON.stringify(written)}`);
  if (!name.endsWith("/")) assert.equal(names.mailboxName(back, utf8), name);
  folderFor(name);
}

/** A response's string as a client would send it. */
function literalOf(written: string): { text: string; literals: Literal[] } {
  const literal = /^(\{\d+\}\r\n)([^]*)$/.exec(written);
  if (literal === null) return { text: written, literals: [] };
  return { text: literal[1], literals: [latin1Bytes(literal[2])] };
}

function folderFor(name: string): void {
  let folder: string;
  try {
    folder = folderOf(name);
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    return;
  }
  // Nothing in a name leaves the account's folder.
  assert.match(folder, /^(?:|\.[\x20-\x7e]{1,254})$/);
  assert.ok(!folder.includes("/") && !folder.includes("..") && !folder.endsWith("."));
  assert.equal(nameOf(folder), name.normalize("NFC"));
}

function checkFolder(text: string): void {
  const folders = [text, `.${text}`, `.${text.toUpperCase()}`];
  const named = nameFolders(folders);
  assert.equal(new Set(named.values()).size, named.size);
  assert.deepEqual([...nameFolders(folders.toReversed())].sort(), [...named].sort());
}

export const listPattern = pureTarget({
  name: "list-pattern",
  seeds: ["*\nINBOX", "a%b*\naxb/c", "%/%\na/b", "*%*%a\nbaab/a", "\n"],
  sources: ["imap/list_pattern.ts"],
  tokens: ["*", "%", "/", "*%", "%*", "a", "b", "ab", "\n"],
  longest: 300,
  run(input) {
    const [pattern, name = ""] = latin1(input.subarray(0, 2000)).split("\n");
    const parts = pattern.replace(/[*%]*\*[*%]*/g, "*").replace(/%+/g, "%");
    const matched = new ListPattern(pattern).matches(name);
    if (parts.length > 200 || name.length > 200) return;
    assert.equal(matched, matches(parts, name, 0, 0, new Map()));
  },
});

/** The same by going through all that a wildcard may stand for. */
function matches(p: string, n: string, i: number, j: number, known: Map<number, boolean>): boolean {
  const key = i * 1000 + j;
  const found = known.get(key);
  if (found !== undefined) return found;
  let answer: boolean;
  if (i === p.length) answer = j === n.length;
  else if (p[i] === "*" || p[i] === "%") {
    const passes = j < n.length && (p[i] === "*" || n[j] !== "/");
    answer = matches(p, n, i + 1, j, known) || (passes && matches(p, n, i, j + 1, known));
  } else answer = p[i] === n[j] && matches(p, n, i + 1, j + 1, known);
  known.set(key, answer);
  return answer;
}

export const numbers = pureTarget({
  name: "number-set",
  seeds: ["1", "1:*", "*:4,7", "4294967295:1,3:9,5,*", "2,4:6,8:7"],
  sources: ["wire/number_set.ts", "wire/grammar.ts"],
  tokens: ["1:4294967295", ",*:", ":", ",", "*", "40", "41"],
  run(input) {
    const set = scanned(numberSet, latin1(input));
    if (set === undefined) return;
    const written = set.ranges.map((range) =>
      range.map((each) => each === STAR ? "*" : String(each)).join(":")
    ).join(",");
    assert.deepEqual(scanned(numberSet, written), set);
    const max = hashOf(input) % 40;
    const expected = Array.from({ length: max }, (_, i) => i + 1).filter((number) =>
      set.ranges.some(([first, last]) => {
        const [a, b] = [first, last].map((each) => each === STAR ? max : each).sort((x, y) =>
          x - y
        );
        return number >= a && number <= b;
      })
    );
    assert.deepEqual(numbersIn(set, max), expected);
    assert.deepEqual(
      uidsIn(set, Uint32Array.from(expected), expected.length).every((uid) => uid > 0),
      true,
    );
    assert.equal(formatRanges(resolveRanges(set, max)), formatNumberSet(expected));
    if (isWithin(set, max)) assert.ok(expected.length > 0);
  },
});

/** What the server writes, read again. */
export const printed = pureTarget({
  name: "response-strings",
  seeds: [
    "INBOX",
    'a "b\\',
    "\r\nx OK\r\n",
    "NIL",
    "\0",
    "\xc3\xa9",
    "[ALERT] x",
    "x".repeat(1001),
  ],
  sources: ["wire/response.ts"],
  longest: 2000,
  run(input) {
    const text = latin1(input);
    const clean = text.replaceAll("\0", "");
    for (const write of [response.astring, response.string]) {
      const { text: written, literals } = literalOf(write(text));
      const read = (s: Scanner) => write === response.astring ? s.astring() : s.string();
      assert.equal(
        text === "" && write === response.astring ? "" : scanned(read, written, literals),
        clean,
      );
    }
    for (
      const line of [
        response.statusLine("*", "NO", text, "LIMIT"),
        response.statusLine("a", "BAD", text),
        response.statusLine("a", "OK", text, response.badUrlCode(text)),
      ]
    ) assert.match(line, /^[ -~]+\r\n$/);
    const random = new Random(hashOf(input));
    const zone = random.below(2 * 840 + 1) - 840;
    const seconds = random.below(253402300799 - 2 * 86400) + 86400;
    const date = scanned(readDateTime, response.dateTime(seconds, zone));
    assert.deepEqual(date, { seconds, zone });
  },
});
