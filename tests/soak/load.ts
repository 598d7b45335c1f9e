/** What the clients of a soak share while the server runs: when to stop, and what was counted. */

const LONGEST_TRACE = 5000;

/** From one start of the server to its end. */
export class Load {
  /** Clients finish what they do. */
  stopping = false;
  /** Whatever ends now ends because of the kill. */
  killed = false;
  port = 0;
  /** Where TLS begins at once. */
  tlsPort = 0;
  /** Path of the LMTP socket. */
  lmtp = "";
  /** What was said lately, for who looks for a bug. */
  readonly trace: string[] = [];
  readonly counts = new Map<string, number>();
  refused = 0;
  #tokens = 0;
  #answers = 0;
  #waiting: { readonly answers: number; readonly resolve: () => void } | undefined;

  /** A number that no other message has. */
  nextToken(): number {
    return ++this.#tokens;
  }

  note(line: string): void {
    this.trace.push(line);
    if (this.trace.length > LONGEST_TRACE) this.trace.splice(0, LONGEST_TRACE / 2);
  }

  /** An answer came. */
  count(verb: string, ok: boolean): void {
    if (!ok) this.refused++;
    this.counts.set(verb, (this.counts.get(verb) ?? 0) + 1);
    this.#answers++;
    if (this.#waiting !== undefined && this.#answers >= this.#waiting.answers) {
      this.#waiting.resolve();
    }
  }

  get operations(): number {
    return this.#answers;
  }

  /** Waits until so many more answers came. */
  answers(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { answers: this.#answers + count, resolve };
    });
  }
}
