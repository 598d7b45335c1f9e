/** What the watcher will tell of changes that this process makes itself. */

/**
 * Each rename, link or unlink in a watched folder comes back as events. Those that are expected need
 * not be looked at; all that another program does tells one more than is expected.
 */
export class Echoes {
  readonly #expected = new Map<string, number>();

  /** An event of that name will come: a change was made just now, in a folder that is watched. */
  expect(name: string): void {
    this.#expected.set(name, (this.#expected.get(name) ?? 0) + 1);
  }

  /** True for an event that was expected, once. */
  take(name: string): boolean {
    const count = this.#expected.get(name);
    if (count === undefined) return false;
    if (count === 1) this.#expected.delete(name);
    else this.#expected.set(name, count - 1);
    return true;
  }

  /** None that is on its way will come any more. */
  clear(): void {
    this.#expected.clear();
  }
}
