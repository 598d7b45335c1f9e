/** What a connection's loop waits for: its client, or time; and the reason why it has to end. */

import { Disconnected } from "../imap/command.ts";

/** Why the server ends a connection; `message` is told in the BYE. */
export class Farewell extends Disconnected {
  override name = "Farewell";
}

/** One wait at a time. {@link forBytes} is no async function: those take memory while they wait. */
export class ClientWait {
  /** Ends the wait: with an error, that of the client's going. */
  #settle: ((error?: Error) => void) | undefined;
  /** {@link wake} ends it, too. */
  #forBytes = false;
  #ended: Disconnected | undefined;

  /** Why the connection has to end; undefined as long as it need not. */
  get ended(): Disconnected | undefined {
    return this.#ended;
  }

  /**
   * Waits for {@link wake}.
   *
   * @param patience milliseconds after which `tooLong` is called; undefined for as long as it takes
   * @throws {Disconnected} once the connection has to end
   */
  forBytes(patience: number | undefined, tooLong: () => void): Promise<void> {
    this.#forBytes = true;
    return this.#wait(patience, tooLong);
  }

  /**
   * Waits for so many milliseconds.
   *
   * @param wakers gets, meanwhile, what ends the wait sooner
   * @throws {Disconnected} once the connection has to end
   */
  async pause(milliseconds: number, wakers?: Set<() => void>): Promise<void> {
    if (this.#ended) throw this.#ended;
    if (milliseconds === 0) return;
    this.#forBytes = false;
    const goOn = () => this.#settle?.();
    wakers?.add(goOn);
    try {
      await this.#wait(milliseconds, goOn);
    } finally {
      wakers?.delete(goOn);
    }
  }

  /** Lets who waits for bytes go on. */
  wake(): void {
    if (this.#forBytes) this.#settle?.();
  }

  /** @returns false if that changes nothing: one farewell and one loss are enough */
  end(reason: Disconnected): boolean {
    const before = this.#ended;
    if (before !== undefined && before instanceof Farewell === reason instanceof Farewell) {
      return false;
    }
    this.#ended ??= reason;
    this.#settle?.(this.#ended);
    return true;
  }

  #wait(patience: number | undefined, tooLong: () => void): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const timer = patience === undefined ? undefined : setTimeout(tooLong, patience);
      this.#settle = (error) => {
        clearTimeout(timer);
        this.#settle = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
    });
  }
}
