/** Room that the texts of messages are read into one after the other, until they are sent. */

/** Messages that are larger than what is left get an array of their own. */
export const MOST_ROOM = 256 * 1024;

/** Memory that was just used is faster than new one, which the system has to clear first. */
export class TextRoom {
  readonly #octets: Uint8Array;
  #used = 0;

  /** @param size octets that are to be read */
  constructor(size: number) {
    this.#octets = new Uint8Array(Math.min(size, MOST_ROOM));
  }

  /** What is free. */
  get free(): Uint8Array {
    return this.#octets.subarray(this.#used);
  }

  /** A text that may lie at the beginning of {@link free}. */
  take(text: Uint8Array): void {
    if (text.buffer === this.#octets.buffer) this.#used += text.length;
  }

  /** What was read is no longer needed. */
  clear(): void {
    this.#used = 0;
  }
}
