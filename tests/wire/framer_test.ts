import assert from "node:assert/strict";
import fc from "fast-check";
import { latin1, latin1Bytes } from "../../src/wire/bytes.ts";
import { Framer, LineTooLong } from "../../src/wire/framer.ts";
import { bytewise, type Frame, frames, ROOMY } from "./frames.ts";

function command(text: string, ...literals: string[]): Frame {
  return { command: text, literals };
}

/** What a client sends, and the frames it makes, however it is cut into pieces. */
const STREAMS: readonly (readonly [name: string, sent: string, expected: Frame[]])[] = [
  ["one line", "a NOOP\r\n", [command("a NOOP")]],
  ["a line that ends in LF alone", "a NOOP\n", [command("a NOOP")]],
  ["an empty line", "\r\na NOOP\r\n", [command(""), command("a NOOP")]],
  ["CR inside a line", "a N\rOOP\r\n", [command("a N\rOOP")]],
  ["pipelined lines", "a NOOP\r\nb NOOP\r\nc", [command("a NOOP"), command("b NOOP")]],
  ["8-bit bytes", "a \x80\x9f\xe9\xff\r\n", [command("a \x80\x9f\xe9\xff")]],
  ["a literal", "a LOGIN {2}\r\nme pw\r\n", [command("a LOGIN {2}\r\n pw", "me")]],
  ["a literal after LF alone", "a LOGIN {2}\nme pw\n", [command("a LOGIN {2}\r\n pw", "me")]],
  ["two literals", "a L {2+}\r\nme {0}\r\n\r\n", [command("a L {2+}\r\n {0}\r\n", "me", "")]],
  ["a literal with line ends", "a L {8}\r\nx\r\n{3}\r\n\r\n", [
    command("a L {8}\r\n", "x\r\n{3}\r\n"),
  ]],
  ["a literal that ends a quoted string", 'a L "{5}"\r\n', [command('a L "{5}"')]],
  ["braces that announce nothing", "a {}\r\nb {x}\r\nc {+}\r\nd 5}\r\n}\r\n", [
    command("a {}"),
    command("b {x}"),
    command("c {+}"),
    command("d 5}"),
    command("}"),
  ]],
  ["a streamed literal", "a APPEND i {5}\r\nhello\r\nb NOOP\r\n", [
    { streamed: "hello" },
    command("a APPEND i {5}\r\n", "streamed 5"),
    command("b NOOP"),
  ]],
  ["an empty streamed literal", "a APPEND i {0+}\r\n\r\n", [
    { streamed: "" },
    command("a APPEND i {0+}\r\n", "streamed 0"),
  ]],
  ["a discarded synchronizing literal", "a NO {5}\r\nb NOOP\r\n", [
    { refused: "a NO " },
    command("b NOOP"),
  ]],
  ["a discarded non-synchronizing literal", "a NO {5+}\r\n1\r\n2\r rest\r\nb NOOP\r\n", [
    { refused: "a NO " },
    command("b NOOP"),
  ]],
  ["all literals of a discarded command", "a NO {1+}\r\nx {6+}\r\na b\r\n3 {2}\r\nb NOOP\r\n", [
    { refused: "a NO " },
    command("b NOOP"),
  ]],
  ["a literal above 2^32-1", "a L {4294967296}\r\nb NOOP\r\n", [
    { fault: "bad-literal", text: "a L " },
    command("b NOOP"),
  ]],
  ["a literal of eleven digits", "a L {00000000001}\r\nb NOOP\r\n", [
    { fault: "bad-literal", text: "a L " },
    command("b NOOP"),
  ]],
  ["nothing after a non-synchronizing literal without end", "a L {99999999999+}\r\nb NOOP\r\n", [
    { fault: "bad-literal", text: "a L " },
  ]],
];

for (const [name, sent, expected] of STREAMS) {
  Deno.test(`Framer: ${name}`, () => {
    assert.deepEqual(frames([sent]), expected);
    assert.deepEqual(frames(bytewise(sent)), expected, "one byte at a time");
    for (let cut = 1; cut < sent.length; cut++) {
      assert.deepEqual(frames([sent.slice(0, cut), sent.slice(cut)]), expected, `cut at ${cut}`);
    }
  });
}

const TIGHT = { line: 20, literals: 10 };

const LIMITED: readonly (readonly [name: string, sent: string, expected: Frame[]])[] = [
  ["a line of the limit", `a ${"x".repeat(18)}\r\n`, [command(`a ${"x".repeat(18)}`)]],
  ["a line above the limit", `a ${"x".repeat(2000)}\r\nb NOOP\r\n`, [
    { fault: "line-too-long", text: "a " },
    command("b NOOP"),
  ]],
  [
    "a long line with literals to be dropped",
    `a ${"x".repeat(2000)} {4+}\r\nc\r\n \r\nb NOOP\r\n`,
    [
      { fault: "line-too-long", text: "a " },
      command("b NOOP"),
    ],
  ],
  ["text between literals counts as one line", `a {1}\r\nx 1234567890123456789\r\nb NOOP\r\n`, [
    { fault: "line-too-long", text: "a {1}\r\n " },
    command("b NOOP"),
  ]],
  ["literals of the limit", "a {4}\r\nabcd {6}\r\nefghij\r\n", [
    command("a {4}\r\n {6}\r\n", "abcd", "efghij"),
  ]],
  ["literals above the limit", "a {4}\r\nabcd {7}\r\nb NOOP\r\n", [
    { fault: "literals-too-long", text: "a {4}\r\n " },
    command("b NOOP"),
  ]],
  ["non-synchronizing literals above the limit", "a {11+}\r\nNOOP\r\nNOOP\r rest\r\nb NOOP\r\n", [
    { fault: "literals-too-long", text: "a " },
    command("b NOOP"),
  ]],
  ["a streamed literal above the limit of literals", "a APPEND {12}\r\nNOOP\r\nNOOP\r\n\r\n", [
    { streamed: "NOOP\r\nNOOP\r\n" },
    command("a APPEND {12}\r\n", "streamed 12"),
  ]],
];

/** How much of a line too long is told depends on how it was cut; its beginning does not. */
function beginnings(found: readonly Frame[], expected: readonly Frame[]): Frame[] {
  return found.map((frame, i) => {
    const wanted = expected[i];
    if (!("fault" in frame) || wanted === undefined || !("fault" in wanted)) return frame;
    return { ...frame, text: frame.text.slice(0, wanted.text.length) };
  });
}

for (const [name, sent, expected] of LIMITED) {
  Deno.test(`Framer limits: ${name}`, () => {
    for (const pieces of [[sent], bytewise(sent), sent.match(/[^]{1,7}/g) ?? []]) {
      assert.deepEqual(beginnings(frames(pieces, TIGHT), expected), expected);
    }
  });
}

Deno.test("Framer: holds no more than the limit of a line without end", () => {
  const framer = new Framer({ line: 1000, literals: 0 });
  for (let i = 0; i < 10_000; i++) {
    framer.push(latin1Bytes("x".repeat(100)));
    assert.equal(framer.next(), undefined);
    assert.ok(framer.buffered <= 1001, `${framer.buffered} octets held`);
  }
  framer.push(latin1Bytes("\n"));
  assert.equal(framer.next()?.type, "fault");
});

Deno.test("Framer: refuses the 1,001st literal of a command", () => {
  const found = frames([`a ${"{0+}\r\n".repeat(1001)}\r\nb NOOP\r\n`]);
  assert.equal(found.length, 2);
  assert.equal("fault" in found[0] && found[0].fault, "literals-too-long");
  assert.deepEqual(found[1], command("b NOOP"));
});

Deno.test("Framer.next: waits for the verdict on a literal", () => {
  const framer = new Framer(ROOMY);
  framer.push(latin1Bytes("a L {2+}\r\nme\r\nb NOOP\r\n"));
  assert.deepEqual(framer.next(), {
    type: "literal",
    text: "a L ",
    literals: [],
    size: 2,
    synchronizing: false,
  });
  assert.equal(framer.next(), undefined);
  assert.equal(framer.accept(), true);
  assert.equal(framer.next()?.type, "command");
});

Deno.test("Framer.accept: is false above the limit", () => {
  const framer = new Framer(TIGHT);
  framer.push(latin1Bytes("a L {11}\r\n"));
  assert.equal(framer.next()?.type, "literal");
  assert.equal(framer.accept(), false);
  assert.deepEqual(framer.next(), { type: "fault", reason: "literals-too-long", text: "a L " });
  assert.equal(framer.next(), undefined);
});

Deno.test("Framer.accept: throws when no literal was announced", () => {
  assert.throws(() => new Framer(ROOMY).accept(), /Expected a literal to decide on/);
});

Deno.test("Framer.stream: gives each chunk as it comes, with its message", () => {
  const framer = new Framer(ROOMY);
  const message = {};
  framer.push(latin1Bytes("a APPEND {6}\r\nab"));
  assert.equal(framer.next()?.type, "literal");
  framer.stream(message);
  const chunk = (text: string, last: boolean) => ({
    type: "chunk",
    message,
    bytes: latin1Bytes(text),
    last,
  });
  assert.deepEqual(framer.next(), chunk("ab", false));
  assert.equal(framer.next(), undefined);
  framer.push(latin1Bytes("cdef\r"));
  assert.deepEqual(framer.next(), chunk("cdef", true));
  framer.push(latin1Bytes("\n"));
  assert.deepEqual(framer.next(), {
    type: "command",
    text: "a APPEND {6}\r\n",
    literals: [{ streamed: true, size: 6, message }],
  });
});

Deno.test("Framer.stream: a chunk stays as it is when more bytes come", () => {
  const framer = new Framer(ROOMY);
  for (const byte of "a APPEND {6}\r") framer.push(latin1Bytes(byte));
  framer.push(latin1Bytes("\nabcdef"));
  framer.next();
  framer.stream(undefined);
  const event = framer.next();
  assert.ok(event?.type === "chunk");
  for (let i = 0; i < 1000; i++) framer.push(latin1Bytes("xyz"));
  assert.equal(latin1(event.bytes), "abcdef");
});

Deno.test("Framer.line: takes raw lines between commands", () => {
  const framer = new Framer(ROOMY);
  framer.push(latin1Bytes("a AUTHENTICATE PLAIN\r\nAGE{3}\r\nDONE\nb NO"));
  framer.next();
  assert.equal(framer.line(), "AGE{3}");
  assert.equal(framer.line(), "DONE");
  assert.equal(framer.line(), undefined);
  framer.push(latin1Bytes("OP\r\n"));
  assert.deepEqual(framer.next(), { type: "command", text: "b NOOP", literals: [] });
});

Deno.test("Framer.line: drops a line that is too long, then throws", () => {
  for (const size of [1, 30, 5000]) {
    const framer = new Framer(TIGHT);
    const sent = `${"x".repeat(100)}\r\nDONE\r\n`;
    const got: unknown[] = [];
    for (let i = 0; i < sent.length; i += size) {
      framer.push(latin1Bytes(sent.slice(i, i + size)));
      try {
        for (let line = framer.line(); line !== undefined; line = framer.line()) got.push(line);
      } catch (error) {
        assert.ok(error instanceof LineTooLong);
        got.push(error.reason);
        got.push(...[framer.line()].filter((line) => line !== undefined));
      }
    }
    assert.deepEqual(got, ["line-too-long", "DONE"], `in pieces of ${size}`);
  }
});

Deno.test("Framer.takeRest: gives what was not consumed", () => {
  const framer = new Framer(ROOMY);
  framer.push(latin1Bytes("a COMPRESS DEFLATE\r\n\x01\x02"));
  framer.next();
  assert.equal(framer.buffered, 2);
  assert.equal(latin1(framer.takeRest()), "\x01\x02");
  assert.equal(framer.buffered, 0);
  framer.push(latin1Bytes("b NOOP\r\n"));
  assert.equal(framer.next()?.type, "command");
});

Deno.test("Framer: cuts any stream the same way, however it arrives", () => {
  const piece = fc.constantFrom(
    "a NOOP\r\n",
    "b L {3}\r\nabc {2+}\r\n\r\n\n",
    "c APPEND {4}\r\n\r\n{1\r\n",
    "d NO {9+}\r\n{3}\r\n{2+}\r\n",
    "{12345678901}\r\n",
    "x".repeat(40),
    "\r",
    "\n",
    "{1+}",
    '"',
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(200)), (parts, cuts) => {
      const sent = parts.join("");
      const pieces: string[] = [];
      let at = 0;
      for (const cut of cuts) pieces.push(sent.slice(at, at += cut));
      pieces.push(sent.slice(at));
      const limits = { line: 1000, literals: 1000 };
      assert.deepEqual(frames(pieces, limits), frames([sent], limits));
    }),
  );
});

Deno.test("Framer: a number without end announces nothing, however its line comes", () => {
  const line = `a ${"9".repeat(20)} {${"9".repeat(70)}+}\r\nb NOOP\r\n`;
  for (const size of [1, 7, 1000]) {
    const pieces = line.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
    const found = frames(pieces, { line: 64, literals: 64 });
    assert.equal("fault" in found[0] && found[0].fault, "line-too-long");
    assert.deepEqual(found.slice(1), [{ command: "b NOOP", literals: [] }], `in pieces of ${size}`);
  }
});
