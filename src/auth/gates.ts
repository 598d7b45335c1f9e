/** Bounds how many attempts to log in are looked at, by what they have in common. */

/** Gates of a kind at most: who brings many names or addresses must not fill the memory. */
const MOST_GATES = 10_000;

/** Who waits that is woken by one that leaves: thousands may wait for a name, and thousands leave. */
const MOST_WOKEN = 100;

/**
 * Lets some attempts in, and more once the pause that began with the first of them is over, or once
 * one of them has turned out not to be a guess.
 */
export class Gate {
  failures = 0;
  /** When the last failure was; before that, when the gate was made. */
  at: number;
  /** The other side of all failures (a name, a place), as long as it is a single one. */
  by: string | undefined;
  /** Called when there may be room sooner than was said. */
  readonly wakers = new Set<() => void>();
  /** Digests of what was wrong in this pause. */
  readonly wrong = new Set<string>();
  #inside = 0;
  #until = 0;

  constructor(now: number) {
    this.at = now;
  }

  /** Milliseconds until one more may be let in, where there is room for `room` of them. */
  closedFor(now: number, room: number): number {
    return this.#inside < room ? 0 : Math.max(0, this.#until - now);
  }

  /** Lets one in. @returns makes room again for it */
  enter(now: number, pause: number): () => void {
    if (now >= this.#until) {
      [this.#inside, this.#until] = [0, now + pause];
      this.wrong.clear();
    }
    this.#inside++;
    const until = this.#until;
    return () => {
      if (until === this.#until && --this.#inside === 0) this.#until = 0;
      for (const wake of this.wakers.values().take(MOST_WOKEN)) wake();
    };
  }

  /** Has all who wait ask again. */
  wake(): void {
    for (const wake of this.wakers) wake();
  }

  /** True when a new one would do as well. */
  get isBlank(): boolean {
    return this.failures === 0 && this.#inside === 0;
  }
}

/** Gates by name or place. Those that are the longest without a failure are forgotten first. */
export class Gates {
  readonly #gates = new Map<string, Gate>();
  readonly #lifetime: () => number;

  /** @param lifetime milliseconds after its last failure until one is forgotten */
  constructor(lifetime: () => number) {
    this.#lifetime = lifetime;
  }

  get keys(): Iterable<string> {
    return this.#gates.keys();
  }

  get(key: string, now: number): Gate | undefined {
    const gate = this.#gates.get(key);
    return gate !== undefined && now - gate.at < this.#lifetime() ? gate : undefined;
  }

  /** The one that there is, or else a new one. */
  open(key: string, now: number): Gate {
    return this.get(key, now) ?? this.#put(key, new Gate(now), now);
  }

  /** Notes a failure. @returns how many there are */
  fail(key: string, by: string, now: number): number {
    const gate = this.open(key, now);
    gate.by = gate.failures === 0 || gate.by === by ? by : undefined;
    gate.failures++;
    gate.at = now;
    this.#put(key, gate, now);
    return gate.failures;
  }

  /** Forgets one, and so lets in who waits there. @returns how many failures it had */
  forget(key: string): number {
    const gate = this.#gates.get(key);
    this.#gates.delete(key);
    gate?.wake();
    return gate?.failures ?? 0;
  }

  /** Has all who wait anywhere ask again. */
  wake(): void {
    for (const gate of this.#gates.values()) gate.wake();
  }

  /** Those with so many failures. */
  failed(now: number, least: number): (readonly [key: string, gate: Gate])[] {
    return [...this.#gates].filter(([key, { failures }]) =>
      failures >= least && this.get(key, now) !== undefined
    );
  }

  /** Puts one at the end, and drops those at the beginning that are old or too many. */
  #put(key: string, gate: Gate, now: number): Gate {
    this.#gates.delete(key);
    this.#gates.set(key, gate);
    for (const [oldest, { at }] of this.#gates) {
      if (this.#gates.size <= MOST_GATES && now - at < this.#lifetime()) break;
      this.#gates.delete(oldest);
    }
    return gate;
  }
}
