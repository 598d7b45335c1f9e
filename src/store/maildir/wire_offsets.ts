/**
 * Where wire offsets lie in large files with bare LFs, learnt while they are read, so that a
 * client that fetches such a message in many small ranges does not make each start from the top.
 */

/** Octets of a file that are read at once, and the distance of known offsets. */
export const PIECE = 128 * 1024;

/** Files remembered; at 64 MiB each that is some 130 KB. */
const REMEMBERED_FILES = 32;

const CR = 13;
const LF = 10;

/** What is known of one file: the wire offset at which each piece of {@link PIECE} octets begins. */
export class PieceOffsets {
  /** `#starts[i]` is the wire offset of file offset `i * PIECE`; the pieces up to there are known. */
  readonly #starts: number[] = [0];
  readonly #afterCr: boolean[] = [false];

  /** The last known piece that begins at or before a wire offset. */
  pieceAt(wireOffset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= wireOffset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The wire offset of a piece that is known. */
  startOf(piece: number): number {
    return this.#starts[piece];
  }

  /** Whether a known piece goes on after a CR: its first LF, if it has one there, is not bare. */
  afterCr(piece: number): boolean {
    return this.#afterCr[piece];
  }

  /** Learns where the next piece begins from the wire form of this one. */
  learn(piece: number, wire: Uint8Array): void {
    if (piece + 1 !== this.#starts.length) return;
    this.#starts.push(this.#starts[piece] + wire.length);
    this.#afterCr.push(wire.length > 0 && wire[wire.length - 1] === CR);
  }
}

/** {@link PieceOffsets} of the files read last; one per mailbox. */
export class WireOffsets {
  readonly #files = new Map<string, PieceOffsets>();

  /** Of the file with this base name and size (in octets on disk); new ones if not known. */
  of(base: string, fileSize: number): PieceOffsets {
    const key = `${fileSize}/${base}`;
    const offsets = this.#files.get(key) ?? new PieceOffsets();
    this.#files.delete(key);
    this.#files.set(key, offsets);
    if (this.#files.size > REMEMBERED_FILES) {
      for (const oldest of this.#files.keys()) {
        this.#files.delete(oldest);
        break;
      }
    }
    return offsets;
  }
}

/** Whether a piece begins with the LF of a CRLF whose CR ended the piece before. */
export function beginsInCrlf(piece: Uint8Array, afterCr: boolean): boolean {
  return afterCr && piece.length > 0 && piece[0] === LF;
}
