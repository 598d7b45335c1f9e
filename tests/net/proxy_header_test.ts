import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  crc32c,
  type ProxyHeader,
  ProxyHeaderFault,
  readProxyHeader,
} from "../../src/net/proxy_header.ts";
import {
  ADDRESSES_4,
  ADDRESSES_6,
  ADDRESSES_UNIX,
  header,
  LOCAL,
  PROXY,
  ssl,
  TCP4,
  TCP6,
  tlv,
  UNIX,
  withChecksum,
} from "./proxy_bytes.ts";

const v1 = (text: string) => Buffer.from(`PROXY ${text}\r\n`, "latin1");

/** What it is, the header, the client's address, and whether the proxy says that it used TLS. */
const GOOD: readonly [string, Uint8Array, string | undefined, boolean?][] = [
  ["TCP4 of version 1", v1("TCP4 192.0.2.7 198.51.100.1 1234 143"), "192.0.2.7"],
  ["TCP6 of version 1", v1("TCP6 2001:DB8:0::7 ::1 65535 0"), "2001:db8::7"],
  ["a mapped address", v1("TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 1 2"), "192.0.2.7"],
  [
    "the longest addresses",
    v1(`TCP6 ${Array(2).fill("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").join(" ")} 65535 65535`),
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  ],
  ["UNKNOWN of version 1", v1("UNKNOWN"), undefined],
  ["UNKNOWN with more", v1("UNKNOWN ffff::1 ffff::2 65535 65535"), undefined],
  ["TCP4 of version 2", header(PROXY, TCP4, ADDRESSES_4), "192.0.2.7"],
  ["TCP6 of version 2", header(PROXY, TCP6, ADDRESSES_6), "2001:db8::7"],
  ["a unix client", header(PROXY, UNIX, ADDRESSES_UNIX), "unix"],
  ["LOCAL", header(LOCAL, 0), undefined],
  ["LOCAL with what is to be skipped", header(LOCAL, TCP4, Buffer.from("rubbish")), undefined],
  ["an unspecified family", header(PROXY, 0), undefined],
  ["a client with TLS", header(PROXY, TCP4, ADDRESSES_4, ssl(0x01)), "192.0.2.7", true],
  ["a client without TLS", header(PROXY, TCP4, ADDRESSES_4, ssl(0x00)), "192.0.2.7", false],
  ["a certificate but no TLS", header(PROXY, TCP4, ADDRESSES_4, ssl(0x02)), "192.0.2.7", false],
  [
    "TLVs of all kinds",
    header(PROXY, TCP6, ADDRESSES_6, tlv(1, Buffer.from("imap")), tlv(4, Buffer.alloc(9)), ssl(5)),
    "2001:db8::7",
    true,
  ],
  ["a checksum", withChecksum(PROXY, TCP4, ADDRESSES_4, ssl(1)), "192.0.2.7", true],
  [
    "4,096 octets",
    header(PROXY, TCP4, ADDRESSES_4, tlv(4, Buffer.alloc(4096 - 16 - 12 - 3))),
    "192.0.2.7",
  ],
];

/** The client's ports that are not 1234. */
const PORTS = new Map([
  ["TCP6 of version 1", 65535],
  ["a mapped address", 1],
  ["the longest addresses", 65535],
]);

for (const [what, bytes, source, tls = false] of GOOD) {
  Deno.test(`readProxyHeader() reads ${what}, and needs all of it and no more`, () => {
    const port = PORTS.get(what) ?? 1234;
    const hasPort = source !== undefined && source !== "unix";
    const expected: ProxyHeader = { length: bytes.length, source, tls, ...hasPort && { port } };
    deepStrictEqual(readProxyHeader(bytes), expected);
    deepStrictEqual(readProxyHeader(Buffer.concat([bytes, Buffer.from("a NOOP\r\n")])), expected);
    for (let size = 0; size < bytes.length; size++) {
      strictEqual(readProxyHeader(bytes.subarray(0, size)), undefined, String(size));
    }
  });
}

const NOT_V1 = "Expected TCP4, TCP6 or UNKNOWN with its addresses";
const wrongSum = withChecksum(PROXY, TCP4, ADDRESSES_4);
wrongSum[16] ^= 1;

const BAD: readonly [string, Uint8Array, string][] = [
  ["a command", Buffer.from("a NOOP\r\n"), "Expected a PROXY header, got something else"],
  ["a ClientHello", Buffer.from([0x16, 3, 1]), "Expected a PROXY header, got something else"],
  ["lower case", Buffer.from("proxy "), "Expected a PROXY header, got something else"],
  ["an IPv6 address for TCP4", v1("TCP4 ::1 ::1 1 2"), NOT_V1],
  ["an IPv4 address for TCP6", v1("TCP6 192.0.2.7 192.0.2.7 1 2"), NOT_V1],
  ["a name", v1("TCP4 localhost 192.0.2.7 1 2"), NOT_V1],
  ["a port too high", v1("TCP4 192.0.2.7 192.0.2.7 65536 2"), NOT_V1],
  ["a port with zeros", v1("TCP4 192.0.2.7 192.0.2.7 01 2"), NOT_V1],
  ["a word too many", v1("TCP4 192.0.2.7 192.0.2.7 1 2 3"), NOT_V1],
  ["a word too few", v1("TCP4 192.0.2.7 192.0.2.7 1"), NOT_V1],
  ["two spaces", v1("TCP4  192.0.2.7 192.0.2.7 1 2"), NOT_V1],
  ["another family", v1("UDP4 192.0.2.7 192.0.2.7 1 2"), NOT_V1],
  [
    "108 octets",
    v1(`UNKNOWN ${"x".repeat(108 - 16)}`),
    "Expected a PROXY header of at most 107 octets",
  ],
  [
    "107 octets without an end",
    Buffer.from(`PROXY UNKNOWN ${"x".repeat(93)}`),
    "Expected a PROXY header of at most 107 octets",
  ],
  ["version 3", header(0x31, TCP4, ADDRESSES_4), "Expected version 2 and LOCAL or PROXY, got 0x31"],
  ["another command", header(0x22, TCP4), "Expected version 2 and LOCAL or PROXY, got 0x22"],
  [
    "UDP",
    header(PROXY, 0x12, ADDRESSES_4),
    "Expected TCP over IPv4 or IPv6, or a unix stream, with its addresses, got 0x12",
  ],
  [
    "half the addresses",
    header(PROXY, TCP4, ADDRESSES_4.subarray(0, 6)),
    "Expected TCP over IPv4 or IPv6, or a unix stream, with its addresses, got 0x11",
  ],
  [
    "a TLV that goes on behind the end",
    header(PROXY, TCP4, ADDRESSES_4, Buffer.from([4, 0, 9, 0])),
    "Expected a TLV within the PROXY header",
  ],
  [
    "half a TLV",
    header(PROXY, TCP4, ADDRESSES_4, Buffer.from([4, 0])),
    "Expected a TLV within the PROXY header",
  ],
  ["a wrong checksum", wrongSum, "Expected the CRC32C of the PROXY header, got another one"],
  [
    "a checksum of two octets",
    header(PROXY, TCP4, ADDRESSES_4, tlv(3, Buffer.alloc(2))),
    "Expected the CRC32C of the PROXY header, got another one",
  ],
];

for (const [what, bytes, message] of BAD) {
  Deno.test(`readProxyHeader() refuses ${what}`, () => {
    throws(() => readProxyHeader(bytes), new ProxyHeaderFault(message));
  });
}

Deno.test("readProxyHeader() refuses 4,097 octets before it has read them", () => {
  const bytes = header(PROXY, TCP4, Buffer.alloc(4097 - 16)).subarray(0, 16);
  throws(
    () => readProxyHeader(bytes),
    new ProxyHeaderFault("Expected a PROXY header of at most 4096 octets, got 4097"),
  );
});

Deno.test("crc32c() of the usual check string", () => {
  strictEqual(crc32c(Buffer.from("123456789")), 0xe3069283);
});
