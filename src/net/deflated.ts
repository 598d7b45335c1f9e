/** The server's half of COMPRESS. @see RFC 4978 §4 */

import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";

/** Octets that are compressed at once: beyond them a window would not reach back anyway. */
const SLICE = 64 * 1024;

const OPTIONS = { finishFlush: constants.Z_SYNC_FLUSH, level: 4 } as const;

/**
 * The next part of a stream of DEFLATE, which ends at a whole octet so that the client can read all
 * of it. It refers to nothing before itself: so a connection keeps no compressor, which would be
 * 256 KB, and any part may follow any other.
 */
export function deflated(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= SLICE) return deflateRawSync(bytes, OPTIONS);
  const parts: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += SLICE) {
    parts.push(deflateRawSync(bytes.subarray(start, start + SLICE), OPTIONS));
  }
  return Buffer.concat(parts);
}
