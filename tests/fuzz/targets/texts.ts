/** Targets of `src/message`: fields of headers, and text. */

import assert from "node:assert/strict";
import { MAX_ADDRESSES, parseAddressList } from "../../../src/message/address.ts";
import { baseSubject } from "../../../src/message/base_subject.ts";
import { casemap, compareCodePoints } from "../../../src/message/casemap.ts";
import { charsetReader } from "../../../src/message/charset.ts";
import { parseContent, PLAIN_TEXT } from "../../../src/message/content.ts";
import { conversationOf } from "../../../src/message/conversation.ts";
import { parseDate, sentSeconds } from "../../../src/message/date.ts";
import { envelope } from "../../../src/message/envelope.ts";
import {
  CACHED_FIELDS,
  cachedHeader,
  decodeHeader,
  fieldValues,
  headerFields,
  headerFilter,
  unfold,
} from "../../../src/message/header.ts";
import { htmlText } from "../../../src/message/html_text.ts";
import { latin1FromBytes } from "../../../src/message/latin1.ts";
import { foldCase, Folding, searchedTexts } from "../../../src/message/search_text.ts";
import { sortKeysOf } from "../../../src/message/sort_keys.ts";
import { parseParameterized, parseWordList } from "../../../src/message/structured_field.ts";
import {
  orderedSubject,
  references,
  refs,
  type ThreadedMessages,
  type Threading,
} from "../../../src/message/threading.ts";
import { transferReader } from "../../../src/message/transfer_encoding.ts";
import { wireString } from "../../../src/message/wire_string.ts";
import { threadList } from "../../../src/wire/thread_response.ts";
import { parseNodes } from "../../transcript_match.ts";
import { hashOf, piecesOf, Random } from "../engine/random.ts";
import { pureTarget } from "../engine/target.ts";

/** Header blocks come in wire form. */
function blockOf(input: Uint8Array): string {
  return latin1FromBytes(input).replace(/(?<!\r)\n/g, "\r\n");
}

const HEADER = "Return-Path: <a@b>\r\nFrom: A <a@b>\r\nX-Mailer: y\r\n\tfolded\r\nno field\r\n" +
  "Subject : =?utf-8?q?J=C3=B6?=\r\nsubject: b\r\nTo:\r\n c@d\r\n\r\n";

export const header = pureTarget({
  name: "header",
  seeds: [
    HEADER,
    "\r\n",
    "a",
    ": x\r\nFrom: \xe9\r\n\r\nbody: 1\r\n",
    "A\r\n B: c\r\n",
    "References: <a@b> <c@d>\r\n",
  ],
  sources: [
    "message/header.ts",
    "message/sort_keys.ts",
    "message/conversation.ts",
    "message/search_text.ts",
  ],
  tokens: [
    "\r\n",
    "\r\n ",
    "\r\n\t",
    ":",
    " :",
    "From:",
    "<a@b>",
    "\r\n\r\n",
    '<"',
    "<",
    "@",
    ">",
    "\\",
  ],
  run(input) {
    const block = blockOf(input);
    const fields = headerFields(block);
    let end = 0;
    for (const field of fields) {
      assert.equal(field.start, end);
      assert.ok(
        field.end > field.start && block.slice(field.start, field.end).includes(field.value),
      );
      end = field.end;
    }
    assert.ok(end === block.length || block.startsWith("\r\n", end));
    const names = ["from", "subject", "x-mailer", "to"];
    for (const name of names) {
      const named = fields.filter((each) => each.name.toLowerCase() === name);
      assert.deepEqual([...fieldValues(block, name)], named.map(({ value }) => value));
    }
    const having = headerFilter(names, false)(block);
    const others = headerFilter(names, true)(block);
    assert.ok(having.endsWith("\r\n") && others.endsWith("\r\n"));
    assert.equal(headerFilter(names, false)(cachedHeader(block)), having);
    assert.ok(names.every((name) => CACHED_FIELDS.has(name)));
    const kept = having.length + others.length - 4;
    assert.ok(kept === end || kept === end + 2, "fields are lost, or doubled");
    assert.equal(parseNodes(envelope(block)).length, 1);
    // What is kept of a header says the same as the whole.
    const cached = cachedHeader(block);
    assert.deepEqual(sortKeysOf(cached), sortKeysOf(block));
    assert.deepEqual(conversationOf(cached), conversationOf(block));
    assert.deepEqual(searchedTexts(cached), searchedTexts(block));
    assert.equal(envelope(cached), envelope(block));
  },
});

export const address = pureTarget({
  name: "address",
  seeds: [
    'Ann <ann@example.org>, "B, C" <b@c>, (x (y)) d@e (f), g: h@i, j; , <@r,@s:u@h>',
    '"q\\"x" <a . b @ c . d>, root, x y <>, undisclosed-recipients:;, a@[1.2.3.4]',
    '"unclosed <a@b>, c (d@e, <f@g',
  ],
  sources: ["message/address.ts"],
  tokens: ['"', "(", ")", "<", ">", "@", ",", ";", ":", "\\", "a@b", "[", "]", "g:", " . "],
  run(input) {
    const raw = blockOf(input);
    const list = parseAddressList(raw);
    assert.ok(list.length <= MAX_ADDRESSES + 2);
    let inGroup = false;
    for (const { mailbox, host } of list) {
      assert.ok(host === undefined || mailbox !== undefined);
      // A group is opened, then closed, and none is within another.
      if (host === undefined) {
        assert.notEqual(inGroup, mailbox !== undefined);
        inGroup = mailbox !== undefined;
      }
    }
    assert.equal(inGroup, false);
    assert.equal(parseNodes(envelope(`To: ${raw.replaceAll("\r\n", " ")}\r\n`)).length, 1);
  },
});

export const date = pureTarget({
  name: "date",
  seeds: [
    "Tue, 10 Feb 2026 10:00:00 +0100",
    "Thu Feb 13 23:31:30 2026",
    "1 Jan 70 00:00 EST (x (y))",
    "Fri, 29 Feb 2000 23:59:60 -0000",
    "31 Dec 099 1:2:3.5 +9959",
  ],
  sources: ["message/date.ts"],
  tokens: [
    "Jan",
    "Feb ",
    " 29 ",
    "2000",
    ":",
    "+0100",
    "-9999",
    "(",
    ")",
    ", ",
    "\r\n ",
    "EDT",
    "60",
  ],
  longest: 300,
  run(input) {
    const raw = blockOf(input);
    const parsed = parseDate(raw);
    const sent = sentSeconds(raw);
    if (parsed === undefined) {
      return assert.ok(sent === undefined || Number.isSafeInteger(sent));
    }
    const { seconds, zone, day } = parsed;
    assert.equal(sent, seconds);
    assert.ok(Number.isSafeInteger(seconds) && Number.isSafeInteger(day) && Math.abs(zone) < 1440);
    assert.ok(!Object.is(zone, -0));
    const local = seconds + zone * 60 - day * 86_400;
    assert.ok(local >= 0 && local <= 86_400, "the day is not the moment's");
    // Written out, it is read as the same again.
    const at = new Date(day * 86_400_000);
    if (at.getUTCFullYear() < 1900 || at.getUTCFullYear() > 9999) return;
    const two = (number: number) => String(number).padStart(2, "0");
    const [hour, minute] = [Math.floor(local / 3600), Math.floor(local / 60) % 60];
    if (hour > 23) return;
    const written = `${at.getUTCDate()} ${at.toUTCString().slice(8, 11)} ${at.getUTCFullYear()} ` +
      `${two(hour)}:${two(minute)}:${two(local % 60)} ${zone < 0 ? "-" : "+"}` +
      `${two(Math.floor(Math.abs(zone) / 60))}${two(Math.abs(zone) % 60)}`;
    assert.deepEqual(parseDate(written), parsed, written);
  },
});

export const encodedWord = pureTarget({
  name: "encoded-word",
  seeds: [
    "=?utf-8?q?J=C3=B6?= =?utf-8?b?w7Y=?= x",
    "=?iso-8859-1*de?Q?a_b=E9?=",
    "=?iso-2022-jp?B?GyRCRnwbKEI=?=\r\n =?ISO-2022-JP?B?GyRCSlwbKEI=?=",
    "=?x?q??= =?utf-8?b?!?= =?=?=",
    "caf\xc3\xa9 \xe9",
  ],
  sources: ["message/encoded_word.ts", "message/charset.ts"],
  tokens: [
    "=?utf-8?q?",
    "=?utf-8?b?",
    "?=",
    "=?",
    "=?utf-16?b?",
    "=C3",
    "=",
    "_",
    "\r\n ",
    "=?utf-7?q?",
  ],
  run(input) {
    const text = decodeHeader(blockOf(input));
    assert.ok(text.length <= 4 * input.length + 4);
    if (!input.some((octet) => octet > 0x7e) && !/=\?/.test(latin1FromBytes(input))) {
      assert.equal(text, blockOf(input).replace(/\r\n[ \t]+/g, " "));
    }
  },
});

/** Content-Type and its kin. @see RFC 2231 */
export const parameters = pureTarget({
  name: "parameters",
  seeds: [
    'text/plain; charset="utf-8"; format=flowed',
    'attachment; filename*0*=utf-8\'\'%C3%A4; filename*1="x\\"y"; filename*2*=%20z',
    "multipart/mixed (x); boundary = (y) b (z) ; a",
    "attachment; filename=report (1).pdf",
    '; "; a="b; c=d',
  ],
  sources: ["message/structured_field.ts", "message/content.ts"],
  tokens: [
    ";",
    "=",
    '"',
    "(",
    ")",
    "\\",
    "*0*=",
    "*1=",
    "utf-8''",
    "%41",
    "; a=",
    " ",
    "\t",
    "\r\n ",
  ],
  run(input) {
    const raw = blockOf(input).replace(/\r\n(?![ \t])/g, " ");
    const { value, parameters: list } = parseParameterized(raw);
    const text = unfold(raw);
    for (const part of [value, ...list.flat()]) assert.ok(part.length <= text.length);
    for (const [name] of list) assert.notEqual(name, "");
    parseWordList(raw);
    // A value that is written as a quoted string is read as the same.
    const quoted = (word: string) => `"${word.replace(/["\\]/g, "\\$&")}"`;
    const simple = list.filter(([name]) => /^[a-z0-9*-]+$/i.test(name));
    const written = `x/y${simple.map(([name, each]) => `; ${name}=${quoted(each)}`).join("")}`;
    assert.deepEqual(parseParameterized(written), { value: "x/y", parameters: simple });
    const content = parseContent(
      `Content-Type: ${raw}\r\nContent-Disposition: ${raw}\r\n`,
      PLAIN_TEXT,
    );
    assert.match(`${content.contentType.type}/${content.contentType.subtype}`, /^[!-~]+\/[!-~]+$/);
    for (const word of [value, ...list.flat()]) {
      assert.equal(parseNodes(wireString(word)).length, 1);
    }
  },
});

export const subject = pureTarget({
  name: "subject",
  seeds: [
    "Re: [list] Fwd: Hello (fwd)",
    "[a][b] Re[2]: [Fwd: [c] re : x] (fwd) (fwd)",
    "=?utf-8?q?Re=3A_J=C3=B6?=",
    "[fwd:[fwd:[fwd: a]]]",
    "fw :[x]",
  ],
  sources: ["message/base_subject.ts"],
  tokens: ["re:", "Fwd:", "[", "]", "(fwd)", "[fwd:", " ", "re[", "]:", "[x]", "\t"],
  run(input) {
    const { text, reply } = baseSubject(blockOf(input));
    assert.doesNotMatch(text, /^ | $|[\t\r\n]/);
    // Nothing more can be taken away. Encoded words in it would be decoded once more.
    if (!text.includes("=?") && !/[^ -~]/.test(text)) {
      assert.deepEqual(baseSubject(text), { text, reply: false });
    }
    assert.equal(typeof reply, "boolean");
  },
});

export const html = pureTarget({
  name: "html",
  seeds: [
    "<html><head><title>x</title><style>a{}</style></head><body>Hi &amp; <b>you</b><br>&#65;&#x1F600;</body>",
    "<blockquote type=cite>a<blockquote>b</blockquote></blockquote>c",
    '<div class="gmail_attr">On Mon</div><!-- <p> --><script>if(a<b)</script>x<svg><a>',
    "<a href='x>y\">z</a><p/",
  ],
  sources: ["message/html_text.ts"],
  tokens: [
    "<",
    ">",
    "</",
    "<!--",
    "-->",
    '"',
    "'",
    "&",
    ";",
    "&#",
    "<div",
    ' class="gmail_attr"',
    "<style>",
    "</style>",
  ],
  run(input) {
    const text = new TextDecoder().decode(input);
    const { own, quoted } = htmlText(text);
    assert.ok(own.length + quoted.length <= 2 * text.length + 2);
    if (!/[<&]/.test(text)) assert.deepEqual({ own, quoted }, { own: text, quoted: "" });
  },
});

/** The first line is `ENCODING CHARSET`, the rest what is encoded. */
export const decoding = pureTarget({
  name: "decoding",
  seeds: [
    "base64 utf-8\nSGVsbG8g\r\nV29ybGQ=",
    "quoted-printable iso-8859-1\na=E9=\r\nb =\t\r\nc=3",
    "7bit utf-7\n+AOk-x+-",
    "8bit iso-2022-jp\n\x1b$B\x46\x7c\x1b(Bx",
    "8bit gb18030\n\x81\x30\x81\x30",
    "base64 utf-16\n//5BAEIA",
    "8bit \nn\xc3\xa9 \xe9\x80\xff \xf0\x9f\x98\x80",
    "8bit hz-gb-2312\n~{<:Ky~}",
  ],
  sources: ["message/transfer_encoding.ts", "message/charset.ts"],
  tokens: [
    "base64 ",
    "quoted-printable ",
    "utf-8",
    "=",
    "==",
    "=\r\n",
    "=\t\r\n",
    "\xf0\x9f",
    "\xed\xa0\x80",
    "+",
    "\x1b$B",
  ],
  run(input) {
    const end = input.indexOf(10);
    const [encoding, label = ""] = latin1FromBytes(input.subarray(0, Math.max(0, end))).split(" ");
    const text = input.subarray(end + 1);
    const read = (pieces: readonly Uint8Array[]) => {
      const transfer = transferReader(encoding);
      const charset = charsetReader(label);
      let all = "";
      for (const piece of pieces) all += charset.read(transfer.read(piece, false), false);
      return all + charset.read(transfer.read(new Uint8Array(), true), true);
    };
    const whole = charsetReader(label).read(transferReader(encoding).read(text, true), true);
    assert.equal(read(piecesOf(text)), whole);
    assert.equal(read([text]), whole);
    assert.ok(whole.length <= 2 * text.length + 4);
  },
});

/** How texts are compared. */
export const folding = pureTarget({
  name: "folding",
  seeds: [
    "Stra\xc3\x9fe \xce\x9f\xce\x94\xce\x9f\xce\xa3",
    "\xef\xac\x81 \xc4\xb0 e\xcc\x81 \xc3\xa9",
    "\xe1\x83\x90\xe1\xb2\x90",
    "\xea\xb0\x80",
  ],
  sources: ["message/search_text.ts", "message/casemap.ts"],
  tokens: [
    "\xcc\x81",
    "\xce\xa3",
    "\xc4\xb1",
    "\xef\xac\x81",
    "\xf0\x90\x90\x80",
    "\xcd\x85",
    "a",
    " ",
  ],
  longest: 300,
  run(input) {
    const text = new TextDecoder().decode(input);
    const folded = foldCase(text);
    assert.equal(foldCase(folded), folded);
    assert.equal(foldCase(text.normalize("NFC")), foldCase(text.normalize("NFD")));
    const pieces = new Folding();
    const random = new Random(hashOf(input));
    let joined = "";
    for (let at = 0; at < text.length;) {
      const next = at + 1 + random.below(text.length > 2000 ? 4000 : 5);
      joined += pieces.fold(text.slice(at, next), next >= text.length);
      at = next;
    }
    assert.equal(joined, folded);
    const [a, b] = [casemap(text), casemap(folded)];
    assert.equal(a, b);
    assert.equal(Math.sign(compareCodePoints(a, text)), -Math.sign(compareCodePoints(text, a)) + 0);
  },
});

/** Three octets are a message: its id, what it answers, its subject and whether it is a reply. */
export const threads = pureTarget({
  name: "threads",
  seeds: [
    "\x01\x00\x01\x02\x10\x01\x03\x20\x81",
    "\x01\x21\x01\x02\x11\x01\x00\x00\x00",
    "aaabbbccc",
    "\x11\x22\x33",
  ],
  sources: [],
  tokens: ["\x01\x12\x03", "\x02\x21\x00"],
  longest: 300,
  run(input) {
    const messages = messagesOf(input);
    for (const algorithm of [orderedSubject, references, refs]) {
      const roots = finished(algorithm(messages));
      const numbers: number[] = [];
      const waiting = [...roots];
      for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
        if (node.message >= 0) numbers.push(node.message);
        else {assert.ok(
            node.children.length > 1 && roots.includes(node),
            "a dummy in the wrong place",
          );}
        waiting.push(...node.children);
      }
      // Every message once.
      assert.deepEqual(
        numbers.sort((a, b) => a - b),
        Array.from({ length: messages.count }, (_, i) => i),
      );
      const written = roots.map((root) => threadList(root, (each) => each + 1)).join("");
      assert.match(written, /^[()0-9 ]*$/);
      assert.doesNotMatch(written, / \)|\( |\(\)| {2}|\d\(/);
      assert.equal(written.match(/\d+/g)?.length ?? 0, messages.count);
    }
  },
});

function messagesOf(input: Uint8Array): ThreadedMessages {
  const count = Math.min(100, Math.floor(input.length / 3));
  const at = (message: number, field: number) => input[message * 3 + field];
  const all = Array.from({ length: count }, (_, i) => i);
  const sent = all.map((i) => at(i, 2) >> 2 & 7);
  const bySent = all.toSorted((a, b) => sent[a] - sent[b] || a - b);
  const sentRank = new Array<number>(count);
  bySent.forEach((message, place) => sentRank[message] = place);
  return {
    count,
    bySent,
    sentRank,
    arrived: all.map((i) => at(i, 2) >> 5),
    subject: all.map((i) => at(i, 2) & 3),
    reply: all.map((i) => at(i, 2) >> 7),
    id: all.map((i) => at(i, 0) & 15),
    references: all.map((i) =>
      [at(i, 0) >> 4, at(i, 1) >> 4, at(i, 1) & 15].filter((id) => id > 0)
    ),
    lastId: 15,
  };
}

function finished(threading: Threading) {
  for (let steps = 0;; steps++) {
    const step = threading.next();
    if (step.done) return step.value;
    assert.ok(steps < 1000, "it goes on and on");
  }
}
