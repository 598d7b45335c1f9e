/** Whatever octets come, and however they are cut, the LMTP side reads them as the RFCs say. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { addressText, recipientAddress, withoutDetail } from "../../src/delivery/address.ts";
import { HeaderFilter } from "../../src/delivery/header_filter.ts";
import { CommandFault, commandLine, path } from "../../src/lmtp/command_grammar.ts";
import { FramingFault, LmtpFramer } from "../../src/lmtp/framer.ts";
import { latin1, latin1Bytes } from "../../src/wire/bytes.ts";

/** Longer than what is gone through octet by octet. */
const LONG = "long ".repeat(15);

/** Text of the octets that decide. */
const text = fc.array(
  fc.constantFrom("\r\n", "\r", "\n", ".", "..", "a", " ", "\0", "\r\n.", LONG, `${LONG}\r\n..`),
).map((parts) => parts.join(""));

/** Sizes of the pieces that something is cut into. */
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(500)), {
  minLength: 1,
  maxLength: 8,
});

function* pieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length];
    yield bytes.slice(at, at + size);
    at += size;
  }
}

/** RFC 5321 §4.5.2, over the whole message at once. */
function stuffed(message: string): string {
  return `${message}\r\n`.split("\r\n").map((line) => line.startsWith(".") ? `.${line}` : line)
    .join("\r\n") + ".\r\n";
}

Deno.test("LmtpFramer.content: gives a message back as it was before it was stuffed, and no more", () => {
  fc.assert(fc.property(text, cuts, (message, sizes) => {
    const framer = new LmtpFramer(100);
    framer.startContent();
    let read = "";
    let ended = false;
    for (const piece of pieces(latin1Bytes(`${stuffed(message)}NOOP\r\n`), sizes)) {
      framer.push(piece);
      while (!ended) {
        const content = framer.content();
        if (content === undefined) break;
        read += latin1(content.bytes);
        ended = content.end;
      }
    }
    assert.equal(read, `${message}\r\n`);
    assert.equal(latin1(framer.line() ?? new Uint8Array(0)), "NOOP");
  }));
});

Deno.test("LmtpFramer.content: finds stuffed dots behind lines of any length", () => {
  for (let length = 0; length < 200; length++) {
    const message = `.\r\n${"x".repeat(length)}\r\n..\r\n${"y".repeat(length)}`;
    const framer = new LmtpFramer(100);
    framer.startContent();
    framer.push(latin1Bytes(stuffed(message)));
    const { bytes, end } = framer.content() ?? {};
    assert.equal(latin1(bytes ?? new Uint8Array(0)), `${message}\r\n`);
    assert.equal(end, true);
  }
});

Deno.test("LmtpFramer.line: gives lines that end in CRLF, and refuses all others", () => {
  fc.assert(fc.property(text, cuts, (lines, sizes) => {
    const framer = new LmtpFramer(20);
    try {
      for (const piece of pieces(latin1Bytes(lines), sizes)) {
        framer.push(piece);
        for (let line = framer.line(); line !== undefined; line = framer.line()) {
          assert.ok(line.length <= 20 && !line.includes(10));
          assert.ok(lines.startsWith(`${latin1(line)}\r\n`));
          lines = lines.slice(line.length + 2);
        }
      }
    } catch (error) {
      if (!(error instanceof FramingFault)) throw error;
      assert.ok(/(^|[^\r])\n/.test(lines) || lines.length > 20, JSON.stringify(lines));
    }
  }));
});

Deno.test("commandLine, path: read or refuse any octets, and let no control character through", () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(
      fc.constantFrom('"', "\\", "<", ">", "@", ":", "a", " ", "=", "FROM:", "MAIL ", "\xc3\xa9"),
    )
      .map((parts) => latin1Bytes(parts.join(""))),
  );
  fc.assert(fc.property(octets, (bytes) => {
    try {
      const { verb, argument } = commandLine(bytes);
      assert.doesNotMatch(verb + argument, /\p{Cc}/u);
      const { address } = path("FROM", argument);
      // Outside of quotes nothing of it could end the angle brackets.
      assert.doesNotMatch(address.replace(/"(?:[^"\\]|\\.)*"/gu, ""), /[<> ]/);
      const parsed = recipientAddress(address);
      if (parsed !== undefined) {
        assert.ok(addressText(withoutDetail(parsed, "+")?.base ?? parsed).length > 0);
      }
    } catch (error) {
      if (!(error instanceof CommandFault)) throw error;
    }
  }));
});

Deno.test("HeaderFilter: drops the same lines in whatever pieces a message comes", () => {
  const line = fc.constantFrom(
    "Return-Path: <a@b.c>",
    "return-path:",
    "Return-Path-Not: x",
    " folded",
    "\tfolded",
    "From ann Wed",
    "Message-ID: <1@x>",
    "Subject: x",
    "",
    "R",
  );
  fc.assert(fc.property(
    fc.array(line, { maxLength: 8 }),
    fc.constantFrom("\n", "\r\n"),
    fc.boolean(),
    cuts,
    (lines, end, closed, sizes) => {
      const message = lines.join(end) + (closed ? end : "");
      const filter = new HeaderFilter({ dropMboxLine: true, dropReturnPath: true });
      let kept = "";
      for (const piece of pieces(latin1Bytes(message), sizes)) kept += latin1(filter.push(piece));
      kept += latin1(filter.end());
      assert.equal(kept, filtered(message));
    },
  ));
});

/** The same over the whole message, line by line. */
function filtered(message: string): string {
  let kept = "";
  let dropping = false;
  let inHeader = true;
  for (const [i, line] of (message.match(/[^\n]*\n|[^\n]+$/g) ?? []).entries()) {
    const folded = i > 0 && /^[ \t]/.test(line);
    if (inHeader && !folded) {
      dropping = /^return-path:/i.test(line) || (i === 0 && line.startsWith("From "));
    }
    if (/^\r?\n$/.test(line)) inHeader = false;
    if (!dropping) kept += line;
  }
  return kept;
}
