/** How far long work has come, on standard error. */

/** Milliseconds between two looks on a terminal, and between two lines elsewhere. */
const EVERY = { terminal: 200, lines: 10_000 } as const;
const BAR = 24;

/** What was done so far. */
export interface Done {
  readonly messages: number;
  readonly octets: number;
}

/** One line on a terminal that is written anew; elsewhere a line now and then. */
export class Progress {
  /** Messages that there are, if that is known. */
  total: number | undefined;
  readonly #terminal = Deno.stderr.isTerminal();
  readonly #started = Date.now();
  #last = Date.now();
  #shown = false;

  show(done: Done): void {
    const now = Date.now();
    if (now - this.#last < (this.#terminal ? EVERY.terminal : EVERY.lines)) return;
    this.#last = now;
    const text = progressLine(done, this.total, now - this.#started);
    if (!this.#terminal) return this.#write(`${text}\n`);
    this.#shown = true;
    this.#write(`\r\x1b[K${text}`);
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

/**
 * `[######------] 50% 2,500 of 5,000 messages, 27.1 MB, 1250/s, 2s left`
 *
 * @param total messages, or undefined where nobody knows
 * @param ms since the beginning
 */
export function progressLine(
  { messages, octets }: Done,
  total: number | undefined,
  ms: number,
): string {
  const rate = messages / Math.max(ms, 1) * 1000;
  const tail = `${(octets / 1e6).toFixed(1)} MB, ${Math.round(rate)}/s`;
  if (total === undefined || total < messages) return `${counted(messages)} messages, ${tail}`;
  const part = total === 0 ? 1 : messages / total;
  const bar = "#".repeat(Math.round(part * BAR)).padEnd(BAR, "-");
  const left = rate > 0 ? `, ${timeOf((total - messages) / rate)} left` : "";
  return `[${bar}] ${Math.floor(part * 100)}% ${counted(messages)} of ${
    counted(total)
  } messages, ` +
    tail + left;
}

function counted(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

function timeOf(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  return `${Math.floor(whole / 3600)}h ${Math.floor(whole % 3600 / 60)}m`;
}
