/**
 * Matches mailbox names against LIST patterns: `*` is anything, `%` anything without "/".
 * A step holds the set of all positions that the pattern may have reached, so no pattern takes
 * more than pattern × name steps, and one that is much longer than the name takes none.
 *
 * @see RFC 9051 §6.3.9
 */
export class ListPattern {
  readonly #pattern: string;
  /** What is before the first wildcard. */
  readonly #prefix: string;
  /** The first wildcard, and what is after it. */
  readonly #rest: string;

  /** Chars that are no wildcards: a name that matches has so many at least. */
  readonly #least: number;

  constructor(pattern: string) {
    this.#pattern = withSingleWildcards(pattern);
    this.#least = this.#pattern.replaceAll(/[*%]/g, "").length;
    const first = this.#pattern.search(/[*%]/);
    this.#prefix = first < 0 ? this.#pattern : this.#pattern.slice(0, first);
    this.#rest = this.#pattern.slice(this.#prefix.length);
  }

  matches(name: string): boolean {
    if (name.length < this.#least || !name.startsWith(this.#prefix)) return false;
    switch (this.#rest) {
      case "":
        return name.length === this.#prefix.length;
      case "*":
        return true;
      case "%":
        return !name.includes("/", this.#prefix.length);
      default:
        return this.#run(name);
    }
  }

  #run(name: string): boolean {
    const pattern = this.#pattern;
    const end = pattern.length;
    let reached = new Uint8Array(end + 1);
    reached[0] = 1;
    for (let i = 0; i <= name.length; i++) {
      for (let p = 0; p < end; p++) {
        if (reached[p] && (pattern[p] === "*" || pattern[p] === "%")) reached[p + 1] = 1;
      }
      if (i === name.length) break;
      reached = this.#step(reached, name[i]);
    }
    return reached[end] === 1;
  }

  #step(reached: Uint8Array, char: string): Uint8Array<ArrayBuffer> {
    const pattern = this.#pattern;
    const next = new Uint8Array(pattern.length + 1);
    for (let p = 0; p < pattern.length; p++) {
      if (!reached[p]) continue;
      if (pattern[p] === "*" || (pattern[p] === "%" && char !== "/")) next[p] = 1;
      else if (pattern[p] === char) next[p + 1] = 1;
    }
    return next;
  }
}

/** A pattern that matches the same, with no two wildcards side by side. */
export function withSingleWildcards(pattern: string): string {
  return pattern.replaceAll(/[*%]+/g, (run) => run.includes("*") ? "*" : "%");
}
