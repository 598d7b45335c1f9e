/** Who waits for a check of a password, in an order by which a flood leaves others their turns. */

import type { Standing } from "./auth.ts";

/** Who waits at each place, that whose turn is next first. */
type Places<T> = Map<string, T[]>;

/**
 * Gives a turn to each place, however many wait there, and every other turn to who is known where
 * they are: how many places others come from does not matter to them.
 */
export class WaitingLine<T> {
  readonly #most: number;
  readonly #known: Places<T> = new Map();
  readonly #others: Places<T> = new Map();
  #size = 0;
  #knownNext = true;

  /** @param most who may wait at once */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns who has to go since too many wait: the last one of the place that has most of them */
  join(item: T, { place, known }: Standing): T | undefined {
    const places = known ? this.#known : this.#others;
    const waiting = places.get(place);
    if (waiting === undefined) places.set(place, [item]);
    else waiting.push(item);
    this.#size++;
    return this.#size > this.#most ? this.#dropLast() : undefined;
  }

  /** Takes out whose turn it is. */
  next(): T | undefined {
    const [first, second] = this.#knownNext
      ? [this.#known, this.#others]
      : [this.#others, this.#known];
    const places = first.size > 0 ? first : second;
    this.#knownNext = places !== this.#known;
    for (const [place, waiting] of places) {
      const item = waiting.shift();
      places.delete(place);
      if (waiting.length > 0) places.set(place, waiting);
      this.#size--;
      return item;
    }
    return undefined;
  }

  /** Takes out all. */
  empty(): T[] {
    const all = [this.#known, this.#others].flatMap((places) => [...places.values()].flat());
    this.#known.clear();
    this.#others.clear();
    this.#size = 0;
    return all;
  }

  /** Who is not known goes first; of places with as many, the one that would come last. */
  #dropLast(): T | undefined {
    const places = this.#others.size > 0 ? this.#others : this.#known;
    let longest: readonly [place: string, waiting: T[]] | undefined;
    for (const each of places) {
      if (longest === undefined || each[1].length >= longest[1].length) longest = each;
    }
    if (longest === undefined) return undefined;
    const [place, waiting] = longest;
    const item = waiting.pop();
    if (waiting.length === 0) places.delete(place);
    this.#size--;
    return item;
  }
}
