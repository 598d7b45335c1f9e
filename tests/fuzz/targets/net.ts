/** Targets of `src/net`, `src/lmtp` and `src/tls`: octets as they come from a socket. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { constants, createInflateRaw, deflateRawSync } from "node:zlib";
import { addressText, recipientAddress, withoutDetail } from "../../../src/delivery/address.ts";
import { HeaderFilter } from "../../../src/delivery/header_filter.ts";
import { CommandFault, commandLine, path } from "../../../src/lmtp/command_grammar.ts";
import { FramingFault, LmtpFramer } from "../../../src/lmtp/framer.ts";
import { latin1FromBytes } from "../../../src/message/latin1.ts";
import { deflated } from "../../../src/net/deflated.ts";
import { Inflation } from "../../../src/net/inflation.ts";
import { canonicalAddress } from "../../../src/net/ip_address.ts";
import { ProxyHeaderFault, readProxyHeader } from "../../../src/net/proxy_header.ts";
import {
  EXTENSION,
  HelloFault,
  keyShares,
  offersProtocol,
  offersVersion,
  readClientHello,
  serverName,
} from "../../../src/tls/client_hello.ts";
import { ADDRESSES_4, ADDRESSES_6, header, PROXY, ssl, TCP4, TCP6 } from "../../net/proxy_bytes.ts";
import { piecesOf } from "../engine/random.ts";
import { pureTarget } from "../engine/target.ts";

/** What `read` says, or its fault. */
function outcome<T>(read: () => T, fault: new (...args: never[]) => Error): T | string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof fault)) throw error;
    return error.message;
  }
}

export const proxy = pureTarget({
  name: "proxy",
  seeds: [
    "PROXY TCP4 192.0.2.7 198.51.100.1 1234 143\r\n",
    "PROXY TCP6 2001:db8::7 2001:db8::1 1234 143\r\n",
    "PROXY UNKNOWN x\r\n",
    header(PROXY, TCP4, ADDRESSES_4, ssl(1)).toString("latin1"),
    header(PROXY, TCP6, ADDRESSES_6).toString("latin1"),
  ],
  sources: ["net/proxy_header.ts", "net/ip_address.ts"],
  tokens: [
    "PROXY ",
    "TCP4 ",
    "TCP6 ",
    "\r\n",
    "::ffff:1.2.3.4",
    "65536",
    "\x20\0\x05\x01\0\0\0\0",
    "\x03\0\x04",
  ],
  longest: 400,
  run(input) {
    const whole = outcome(() => readProxyHeader(input), ProxyHeaderFault);
    for (let size = 0; size < Math.min(input.length, 600); size++) {
      const part = outcome(() => readProxyHeader(input.subarray(0, size)), ProxyHeaderFault);
      if (part === undefined) continue;
      return assert.deepEqual(part, whole);
    }
    if (typeof whole !== "object") return;
    assert.ok(whole.length >= 15 && whole.length <= input.length && whole.length <= 4096);
    const { source, port } = whole;
    if (source !== undefined && source !== "unix") assert.equal(canonicalAddress(source), source);
    assert.ok(port === undefined || (port >= 0 && port <= 65535));
  },
});

/** Inflates all that `pieces` bring, as a connection does. */
function inflated(pieces: readonly Uint8Array[]): Promise<string> {
  const done = Promise.withResolvers<string>();
  const socket = new PassThrough();
  let text = "";
  // deno-lint-ignore no-explicit-any -- a stream is all that it is asked for
  const inflation: Inflation = new Inflation(socket as any as Socket, new Uint8Array(), {
    bytes(bytes) {
      assert.ok(bytes.length <= 16 * 1024, "a piece that is too large");
      text += latin1FromBytes(bytes);
      if (text.length > 1 << 20) return done.resolve(text.slice(0, 1 << 20));
      queueMicrotask(() => inflation.resume());
    },
    failed: () => done.resolve(text),
  });
  inflation.resume();
  for (const piece of pieces) socket.write(piece);
  socket.end();
  socket.on("end", () => setTimeout(() => done.resolve(text), 0));
  return done.promise.finally(() => inflation.close());
}

const FLUSHED = { finishFlush: constants.Z_SYNC_FLUSH };

export const inflation = pureTarget({
  name: "inflation",
  seeds: [
    deflateRawSync("a NOOP\r\n", FLUSHED).toString("latin1"),
    Buffer.concat(
      ["a NOOP\r\n", "b NOOP\r\n", "x".repeat(300)].map((text) => deflateRawSync(text, FLUSHED)),
    ).toString("latin1"),
    deflateRawSync("a LOGOUT\r\n").toString("latin1"),
    deflateRawSync(Buffer.alloc(100_000), FLUSHED).toString("latin1"),
    deflateRawSync("abcdefgh".repeat(20), { ...FLUSHED, strategy: constants.Z_HUFFMAN_ONLY })
      .toString("latin1"),
  ],
  sources: ["net/inflation.ts"],
  tokens: ["\0\0\xff\xff", "\x03\0", "\0\x05\0\xfa\xffabcde"],
  longest: 1000,
  slow: 5000,
  async run(input) {
    if (input.length > 8192) return;
    const text = latin1FromBytes(input);
    // What the server writes can be read.
    const back = createInflateRaw();
    back.end(deflated(input));
    let read = "";
    back.on("data", (bytes: Buffer) => read += bytes.toString("latin1"));
    back.on("error", () => {});
    await new Promise((resolve) => back.once("close", resolve));
    assert.equal(read, text);
    const [whole, cut] = [await inflated([input]), await inflated(piecesOf(input))];
    assert.ok(whole.startsWith(cut) || cut.startsWith(whole), "two readings of one stream");
  },
});

/** What LMTP reads: lines, paths and content. */
export const lmtp = pureTarget({
  name: "lmtp",
  seeds: [
    "LHLO mx.example.org\r\nMAIL FROM:<a@b> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<c+d@e>\r\nDATA\r\nx\r\n..y\r\n.\r\nQUIT\r\n",
    'RCPT TO:<@a,@b:"q\\"x"@d>\r\nRCPT TO: <j\xc3\xb6@d> X=1\r\nRSET\r\n',
    "DATA\r\nReturn-Path: x\r\nFrom a\r\n\r\nb\r\n.\r\n.\r\n",
  ],
  sources: [
    "lmtp/framer.ts",
    "lmtp/command_grammar.ts",
    "lmtp/session.ts",
    "delivery/address.ts",
    "delivery/header_filter.ts",
  ],
  tokens: [
    "\r\n",
    "\n",
    "\r",
    ".",
    "\r\n.\r\n",
    "\n.\n",
    "..",
    "<",
    ">",
    "@",
    '"',
    "DATA\r\n",
    "RCPT TO:<",
    "MAIL FROM:<",
  ],
  run(input) {
    const whole = lmtpConversation([input]);
    assert.deepEqual(lmtpConversation(piecesOf(input)), whole);
    const filter = new HeaderFilter({ dropMboxLine: true, dropReturnPath: true });
    const cut = new HeaderFilter({ dropMboxLine: true, dropReturnPath: true });
    const kept = latin1FromBytes(filter.push(input)) + latin1FromBytes(filter.end());
    let pieces = "";
    for (const piece of piecesOf(input)) pieces += latin1FromBytes(cut.push(piece));
    assert.equal(pieces + latin1FromBytes(cut.end()), kept);
    assert.ok(kept.length <= input.length);
  },
});

function lmtpConversation(pieces: readonly Uint8Array[]): string[] {
  const framer = new LmtpFramer(200);
  const told: string[] = [];
  let content: string | undefined;
  try {
    for (const piece of pieces) {
      framer.push(piece);
      for (let more = true; more && told.length < 1000;) {
        if (content !== undefined) {
          const found = framer.content();
          more = found !== undefined;
          content += found === undefined ? "" : latin1FromBytes(found.bytes);
          if (!found?.end) continue;
          assert.ok(content === "" || content.endsWith("\r\n"));
          told.push(`content ${JSON.stringify(content)}`);
          content = undefined;
          continue;
        }
        const line = framer.line();
        more = line !== undefined;
        if (line === undefined) continue;
        told.push(lmtpCommand(line));
        if (told.at(-1) !== "DATA") continue;
        framer.startContent();
        content = "";
      }
    }
  } catch (error) {
    if (!(error instanceof FramingFault)) throw error;
    told.push("fault");
  }
  return told;
}

function lmtpCommand(line: Uint8Array): string {
  try {
    const { verb, argument } = commandLine(line);
    assert.doesNotMatch(verb + argument, /\p{Cc}/u);
    const word = verb === "MAIL" ? "FROM" : verb === "RCPT" ? "TO" : undefined;
    if (word === undefined) return verb;
    const { address, parameters } = path(word, argument);
    assert.doesNotMatch(address.replace(/"(?:[^"\\]|\\.)*"/gu, ""), /[<> ]/);
    const recipient = recipientAddress(address);
    if (recipient !== undefined) {
      assert.ok(addressText(withoutDetail(recipient, "+")?.base ?? recipient).length > 0);
    }
    return JSON.stringify([verb, address, [...parameters]]);
  } catch (error) {
    if (!(error instanceof CommandFault)) throw error;
    return `fault ${error.message}`;
  }
}

/** A ClientHello with these extensions, in one record. */
function hello(extensions: string): string {
  const vector = (octets: number, text: string) =>
    Buffer.concat([
      Buffer.from([text.length >> 8, text.length & 255].slice(2 - octets)),
      Buffer.from(text, "latin1"),
    ]).toString("latin1");
  const body = `\x03\x03${"r".repeat(32)}${vector(1, "session")}${vector(2, "\x13\x01\x13\x02")}${
    vector(1, "\0")
  }${vector(2, extensions)}`;
  const message = `\x01\0${vector(2, body)}`;
  return `\x16\x03\x01${vector(2, message)}`;
}

export const clientHello = pureTarget({
  name: "client-hello",
  seeds: [
    hello(
      "\0\0\0\x0e\0\x0c\0\0\x09localhost" + "\0\x10\0\x0d\0\x0b\x0aacme-tls/1" +
        "\0\x2b\0\x03\x02\x03\x04",
    ),
    hello("\0\x33\0\x08\0\x06\0\x1d\0\x02ab"),
  ],
  sources: ["tls/client_hello.ts"],
  tokens: ["\x16\x03\x01", "\0\x10", "acme-tls/1", "\0\x2b", "\0\x33"],
  longest: 600,
  run(input) {
    const read = (bytes: Uint8Array) =>
      outcome(() => {
        const found = readClientHello(bytes);
        if (found === undefined) return undefined;
        const { extensions } = found;
        return JSON.stringify([
          serverName(extensions.get(EXTENSION.serverName)),
          offersProtocol(extensions.get(EXTENSION.alpn), "acme-tls/1"),
          offersVersion(extensions.get(EXTENSION.supportedVersions), 0x0304),
          [...keyShares(extensions.get(EXTENSION.keyShare))],
        ]);
      }, HelloFault);
    const whole = read(input);
    for (let size = 0; size < Math.min(input.length, 600); size++) {
      const part = read(input.subarray(0, size));
      if (part === undefined) continue;
      return assert.equal(part, whole);
    }
  },
});
