/** Random numbers that a seed decides, so that every run can be had again. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ mixed >>> 15, mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 4294967296 * limit);
  }

  /** One of them; there must be one. */
  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}

/** A number that depends on every octet, for choices that an input itself makes. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** `bytes` in pieces, cut where the octets themselves decide; each piece has memory of its own. */
export function piecesOf(bytes: Uint8Array): Uint8Array[] {
  const random = new Random(hashOf(bytes));
  const most = random.of(bytes.length > 8192 ? [500, 20_000] : [1, 2, 7, 64, 1000]);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(most);
    pieces.push(bytes.slice(at, end));
    at = end;
  }
  return pieces;
}
