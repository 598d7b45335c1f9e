/**
 * Matches mailbox names against LIST patterns: `*` is anything, `%` anything without "/".
 * A step holds the set of all positions that the pattern may have reached, so no pattern takes
 * more than pattern × name steps.
 *
 * @see RFC 9051 §6.3.9
 */
export class ListPattern {
  readonly #pattern: string;
  readonly #matchesAll: boolean;
  readonly #plain: boolean;

  constructor(pattern: string) {
    this.#pattern = pattern.replace(/\*[*%]+|%+\*+[*%]*/g, "*").replace(/%+/g, "%");
    this.#matchesAll = this.#pattern === "*";
    this.#plain = !/[*%]/.test(pattern);
  }

  matches(name: string): boolean {
    if (this.#matchesAll) return true;
    if (this.#plain) return this.#pattern === name;
    return this.#run(name);
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
