/** How far long work has come, on standard error. */

/** Milliseconds between two looks. */
const EVERY = 200;

/** One line on a terminal that is written anew; nothing elsewhere. */
export class Progress {
  readonly #terminal = Deno.stderr.isTerminal();
  readonly #started = Date.now();
  #last = 0;
  #shown = false;

  show({ messages, octets }: { readonly messages: number; readonly octets: number }): void {
    const now = Date.now();
    if (!this.#terminal || now - this.#last < EVERY) return;
    this.#last = now;
    this.#shown = true;
    const seconds = Math.max(1, now - this.#started) / 1000;
    const megabytes = (octets / 1e6).toFixed(1);
    this.#write(
      `\r\x1b[K${messages} messages, ${megabytes} MB, ${Math.round(messages / seconds)} messages/s`,
    );
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shown) this.#write("\r\x1b[K");
    this.#shown = false;
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
