/** Headers of the PROXY protocol's version 2, made for tests. */

import { Buffer } from "node:buffer";
import { crc32c } from "../../src/net/proxy_header.ts";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

export const LOCAL = 0x20;
export const PROXY = 0x21;
export const TCP4 = 0x11;
export const TCP6 = 0x21;
export const UNIX = 0x31;

/** 192.0.2.7:1234 → 198.51.100.1:143 */
export const ADDRESSES_4 = Buffer.from("c0000207c633640104d2008f", "hex");
/** [2001:db8::7]:1234 → [2001:db8::1]:143 */
export const ADDRESSES_6 = Buffer.from(
  "20010db800000000000000000000000720010db800000000000000000000000104d2008f",
  "hex",
);
export const ADDRESSES_UNIX = Buffer.alloc(216);

/** A header with `parts` after its first 16 octets. */
export function header(command: number, family: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const fixed = Buffer.from([command, family, body.length >> 8, body.length & 255]);
  return Buffer.concat([SIGNATURE, fixed, body]);
}

/** One type-length-value vector. */
export function tlv(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}

/** PP2_TYPE_SSL as HAProxy sends it for a client over TLS 1.3, or for one without TLS. */
export function ssl(client: number): Buffer {
  const version = client ? tlv(0x21, Buffer.from("TLSv1.3")) : Buffer.alloc(0);
  return tlv(0x20, Buffer.concat([Buffer.from([client, 0, 0, 0, 0]), version]));
}

/** `bytes` with its PP2_TYPE_CRC32C, which must be its last TLV, set right. */
export function withChecksum(command: number, family: number, ...parts: Uint8Array[]): Buffer {
  const bytes = header(command, family, ...parts, tlv(0x03, Buffer.alloc(4)));
  bytes.writeUInt32BE(crc32c(bytes), bytes.length - 4);
  return bytes;
}
