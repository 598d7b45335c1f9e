/** How much is under way at once, for who may hold the event loop for a moment if nobody else waits. */

/** Seconds below which a sync takes no longer than the way to another thread and back does. */
const QUICK = 0.0003;

/** Counts the changes that are under way in all accounts of a store. */
export class Traffic {
  #changes = 0;

  /** A change has begun; it ends with the first call of what is returned. */
  begin(): () => void {
    let under = true;
    this.#changes++;
    return () => {
      if (under) this.#changes--;
      under = false;
    };
  }

  /** There is no other change but that of who asks. */
  get alone(): boolean {
    return this.#changes <= 1;
  }
}

/** What a sync takes, about: the mean of the last ones. */
export class SyncTimes {
  #usual = QUICK;

  /** It can be made where it is wanted, if nobody else waits. */
  get quick(): boolean {
    return this.#usual <= QUICK;
  }

  add(seconds: number): void {
    this.#usual += (seconds - this.#usual) / 8;
  }
}
