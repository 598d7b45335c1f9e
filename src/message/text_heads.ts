/** The beginnings of the texts of a message, kept while the message streams by. */

import { joinBytes } from "./bytes.ts";

/** Octets that are kept of each text. */
export const HEAD_OCTETS = 64 * 1024;

/** Texts that are kept of one message. */
const MAX_HEADS = 8;

interface Head {
  readonly start: number;
  readonly pieces: Uint8Array[];
  length: number;
}

/** Keeps the first {@link HEAD_OCTETS} of the bodies that it is told of. */
export class TextHeads {
  readonly #heads: Head[] = [];
  /** Octets before the next chunk. */
  #base = 0;
  #open = 0;

  /** A text begins at `start`, which lies in the chunk to come or behind it. */
  begin(start: number): void {
    if (this.#heads.length === MAX_HEADS) return;
    this.#heads.push({ start, pieces: [], length: 0 });
    this.#open++;
  }

  /** Takes the next octets in wire form; the array may be reused afterwards. */
  push(wireBytes: Uint8Array): void {
    const base = this.#base;
    this.#base += wireBytes.length;
    if (this.#open === 0) return;
    for (const head of this.#heads) {
      const from = Math.max(0, head.start - base);
      const room = HEAD_OCTETS - head.length;
      if (room === 0 || from >= wireBytes.length) continue;
      const piece = wireBytes.slice(from, from + room);
      head.pieces.push(piece);
      head.length += piece.length;
      if (head.length === HEAD_OCTETS) this.#open--;
    }
  }

  /** What was kept of the text from `start` up to `end`; undefined if it was not kept. */
  of(start: number, end: number): Uint8Array | undefined {
    const head = this.#heads.find((each) => each.start === start);
    return head && joinBytes(head.pieces).subarray(0, Math.max(0, end - start));
  }
}
