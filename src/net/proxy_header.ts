/**
 * The PROXY protocol's header, by which a proxy tells whose connection it hands on.
 *
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */

import { canonicalAddress, UNIX_PEER } from "./ip_address.ts";

/** The header cannot be believed; the message says what was wanted. */
export class ProxyHeaderFault extends Error {
  override name = "ProxyHeaderFault";
}

export interface ProxyHeader {
  /** Octets that it takes; what follows is the client's. */
  readonly length: number;
  /**
   * The client's address, "unix" for one of a unix socket. Undefined: the proxy speaks for itself
   * (LOCAL), or does not know (UNKNOWN), so that the connection's own address counts.
   */
  readonly source: string | undefined;
  /** The client's port, where `source` is an IP address. */
  readonly port?: number;
  /** The proxy says that the client came to it over TLS (PP2_TYPE_SSL). */
  readonly tls: boolean;
}

/** Octets of a header of version 1 with its CRLF. */
const LONGEST_V1 = 107;
/** Octets of a header of version 2 that are taken; the format would allow 65,551. */
const LONGEST_V2 = 4096;

const START_V1 = [..."PROXY "].map((char) => char.charCodeAt(0));
const START_V2 = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
/** Octets of a header of version 2 up to its addresses. */
const FIXED_V2 = 16;

const LOCAL = 0x20;
const PROXY = 0x21;

/** Octets of both addresses (and ports) by family and transport. */
const ADDRESSES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

const TYPE_CRC32C = 0x03;
const TYPE_SSL = 0x20;
/** Of the first octet of PP2_TYPE_SSL. */
const CLIENT_SSL = 0x01;

/**
 * Reads the header that `bytes` begin with.
 *
 * @returns undefined while more bytes are needed
 * @throws {ProxyHeaderFault} as soon as no further byte could make it a header
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | undefined {
  if (startsLike(bytes, START_V2)) return bytes.length < FIXED_V2 ? undefined : readV2(bytes);
  if (startsLike(bytes, START_V1)) return readV1(bytes);
  throw new ProxyHeaderFault("Expected a PROXY header, got something else");
}

/** Whether `bytes` could be the start of what begins with `start`. */
function startsLike(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.slice(0, bytes.length).every((octet, i) => bytes[i] === octet);
}

/**
 *     "PROXY" SP ("TCP4" / "TCP6") SP source SP destination SP port SP port CRLF
 *     "PROXY UNKNOWN" *(anything) CRLF
 */
function readV1(bytes: Uint8Array): ProxyHeader | undefined {
  const shown = bytes.subarray(0, LONGEST_V1);
  const end = shown.findIndex((octet, i) => octet === 0x0a && shown[i - 1] === 0x0d);
  if (end < 0) {
    if (bytes.length < LONGEST_V1) return undefined;
    throw new ProxyHeaderFault(`Expected a PROXY header of at most ${LONGEST_V1} octets`);
  }
  const length = end + 1;
  const words = String.fromCharCode(...shown.subarray(START_V1.length, end - 1)).split(" ");
  if (words[0] === "UNKNOWN") return { length, source: undefined, tls: false };
  const [family, source, destination, ...ports] = words;
  const good = (family === "TCP4" || family === "TCP6") && ports.length === 2 &&
    ports.every(isPort) && isOf(family, source) && isOf(family, destination);
  if (!good) throw new ProxyHeaderFault("Expected TCP4, TCP6 or UNKNOWN with its addresses");
  return { length, source: canonicalAddress(source), port: Number(ports[0]), tls: false };
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535;
}

function isOf(family: "TCP4" | "TCP6", address: string | undefined): boolean {
  return address !== undefined && address.includes(":") === (family === "TCP6") &&
    canonicalAddress(address) !== undefined;
}

function readV2(bytes: Uint8Array): ProxyHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const command = bytes[12];
  if (command !== LOCAL && command !== PROXY) {
    throw new ProxyHeaderFault(`Expected version 2 and LOCAL or PROXY, got ${hex(command)}`);
  }
  const length = FIXED_V2 + view.getUint16(14);
  if (length > LONGEST_V2) {
    throw new ProxyHeaderFault(
      `Expected a PROXY header of at most ${LONGEST_V2} octets, got ${length}`,
    );
  }
  if (bytes.length < length) return undefined;
  if (command === LOCAL) return { length, source: undefined, tls: false };
  const addresses = ADDRESSES.get(bytes[13]);
  if (addresses === undefined || FIXED_V2 + addresses > length) {
    throw new ProxyHeaderFault(
      `Expected TCP over IPv4 or IPv6, or a unix stream, with its addresses, got ${hex(bytes[13])}`,
    );
  }
  const header = bytes.subarray(0, length);
  const tls = readTypes(header, FIXED_V2 + addresses);
  const source = sourceOf(header, addresses);
  // Both addresses, then both ports
  if (addresses !== 12 && addresses !== 36) return { length, source, tls };
  return { length, source, port: view.getUint16(FIXED_V2 + addresses - 4), tls };
}

function sourceOf(header: Uint8Array, addresses: number): string | undefined {
  const at = (size: number) => [...header.subarray(FIXED_V2, FIXED_V2 + size)];
  switch (addresses) {
    case 12:
      return at(4).join(".");
    case 36: {
      const groups = at(16).map((octet) => octet.toString(16).padStart(2, "0")).join("")
        .match(/.{4}/g);
      return canonicalAddress((groups ?? []).join(":"));
    }
    case 216:
      return UNIX_PEER;
    default:
      return undefined;
  }
}

/**
 * Reads the type-length-value vectors and checks the checksum, if there is one.
 *
 * @returns whether one says that the client came over TLS
 */
function readTypes(header: Uint8Array, start: number): boolean {
  let tls = false;
  for (let at = start; at < header.length;) {
    const size = at + 3 > header.length ? Infinity : header[at + 1] << 8 | header[at + 2];
    const end = at + 3 + size;
    if (end > header.length) throw new ProxyHeaderFault("Expected a TLV within the PROXY header");
    if (header[at] === TYPE_SSL) tls = size >= 5 && (header[at + 3] & CLIENT_SSL) !== 0;
    if (header[at] === TYPE_CRC32C) checkSum(header, at + 3, size);
    at = end;
  }
  return tls;
}

function checkSum(header: Uint8Array, at: number, size: number): void {
  const wanted = size === 4
    ? new DataView(header.buffer, header.byteOffset + at, 4).getUint32(0)
    : -1;
  // slice() of a Buffer does not copy
  const blanked = Uint8Array.from(header);
  blanked.fill(0, at, at + size);
  if (crc32c(blanked) !== wanted) {
    throw new ProxyHeaderFault("Expected the CRC32C of the PROXY header, got another one");
  }
}

/** @see RFC 9260 Appendix A */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of bytes) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function hex(octet: number): string {
  return `0x${octet.toString(16).padStart(2, "0")}`;
}
