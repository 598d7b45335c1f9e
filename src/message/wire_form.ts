/**
 * Wire form: a message with every line ending in CRLF. A bare LF becomes CRLF, a lone CR stays.
 *
 * @see RFC 5322 §2.3
 */

const CR = 13;
const LF = 10;

/** Brings a message that comes in chunks to wire form. */
export class WireForm {
  #changed = false;
  #afterCr = false;

  /** Has any bare LF been met so far? */
  get changed(): boolean {
    return this.#changed;
  }

  /** The chunk in wire form: the chunk itself, not a copy, when it has no bare LF. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const bare = countBareLf(chunk, this.#afterCr);
    const wire = bare === 0 ? chunk : insertCr(chunk, this.#afterCr, bare);
    if (bare > 0) this.#changed = true;
    this.#afterCr = chunk[chunk.length - 1] === CR;
    return wire;
  }
}

/** A whole message in wire form; the same array if it is that already. */
export function toWireForm(bytes: Uint8Array): Uint8Array {
  return new WireForm().push(bytes);
}

function countBareLf(bytes: Uint8Array, afterCr: boolean): number {
  let bare = 0;
  let at = bytes.indexOf(LF);
  if (at === 0) {
    if (!afterCr) bare++;
    at = bytes.indexOf(LF, 1);
  }
  for (; at > 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] !== CR) bare++;
  }
  return bare;
}

function insertCr(bytes: Uint8Array, afterCr: boolean, bare: number): Uint8Array {
  const wire = new Uint8Array(bytes.length + bare);
  let previous = afterCr ? CR : 0;
  let to = 0;
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from];
    if (byte === LF && previous !== CR) wire[to++] = CR;
    wire[to++] = byte;
    previous = byte;
  }
  return wire;
}
