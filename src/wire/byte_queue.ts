/** Bytes that arrived and wait to be consumed. */

const SMALLEST = 256;

/** What all empty queues share: an array of its own would be 250 octets for each connection. */
const NOTHING = new Uint8Array(0);

/**
 * A queue of bytes in one array. What is pushed into an empty queue is kept without a copy, and
 * {@link take} gives views: bytes that were taken are never overwritten.
 */
export class ByteQueue {
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;
  /** False while `#bytes` is an array that was pushed, to which nothing may be added. */
  #owned = false;

  get length(): number {
    return this.#end - this.#start;
  }

  push(bytes: Uint8Array): void {
    if (this.length === 0) {
      this.#set(bytes, bytes.length, false);
    } else {
      if (!this.#owned || this.#bytes.length - this.#end < bytes.length) this.#grow(bytes.length);
      this.#bytes.set(bytes, this.#end);
      this.#end += bytes.length;
    }
  }

  /** Offset of `byte` in the queue, looked for from offset `from`; -1 if it is not there. */
  indexOf(byte: number, from: number): number {
    // Not in the whole array: the room behind the last byte may be long.
    const found = this.#bytes.subarray(this.#start + from, this.#end).indexOf(byte);
    return found < 0 ? -1 : found + from;
  }

  /** A view of the first `count` bytes, or of all if there are fewer; they stay in the queue. */
  peek(count: number): Uint8Array {
    return this.#bytes.subarray(this.#start, Math.min(this.#start + count, this.#end));
  }

  /** Removes the first `count` bytes, or all if there are fewer. */
  take(count: number): Uint8Array {
    const taken = this.peek(count);
    this.#start += taken.length;
    if (this.length === 0) this.#set(NOTHING, 0, false);
    return taken;
  }

  #grow(room: number): void {
    const bytes = new Uint8Array(Math.max(SMALLEST, 2 * (this.length + room)));
    const waiting = this.peek(this.length);
    bytes.set(waiting);
    this.#set(bytes, waiting.length, true);
  }

  #set(bytes: Uint8Array, end: number, owned: boolean): void {
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = end;
    this.#owned = owned;
  }
}
