/** How well messages fit what was searched for fuzzily. @see RFC 6203 §4 */

/** Scores of messages, by sequence number: the mean of what each fuzzy key gave. */
export class Relevancy {
  readonly #scores = new Map<number, { sum: number; count: number }>();

  /** A fuzzy key gave a message a score, from 1 to 100. */
  note(seq: number, score: number): void {
    const known = this.#scores.get(seq);
    if (known === undefined) {
      this.#scores.set(seq, { sum: score, count: 1 });
    } else {
      known.sum += score;
      known.count++;
    }
  }

  /** From 1 to 100; 100 for what no text was compared for. */
  of(seq: number): number {
    const known = this.#scores.get(seq);
    return known === undefined ? 100 : Math.max(1, Math.round(known.sum / known.count));
  }
}
