/** The last minutes of the server's work, so that curves are there when somebody looks. */

import { clearInterval, setInterval } from "node:timers";
import { quantile } from "./latencies.ts";
import type { Measurements, Totals } from "./measurements.ts";

/** Milliseconds between two points. */
export const INTERVAL = 2000;
/** Points that are kept: 15 minutes. */
const KEPT = 450;

/** What happened in one interval. */
export interface Point {
  /** When it ended, in milliseconds since 1970. */
  readonly time: number;
  /** For each second. */
  readonly commands: number;
  /** Seconds; null where there was no command. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly octetsIn: number;
  readonly octetsOut: number;
  /** Messages that came into mailboxes, and logins that failed, within the interval. */
  readonly arrivals: number;
  readonly failedLogins: number;
  /** Connections at its end. */
  readonly connections: number;
  readonly loggedIn: number;
  /** Octets of memory at its end. */
  readonly memory: number;
}

/** What a point tells of one moment. */
export type Moment = Pick<Point, "connections" | "loggedIn" | "memory">;

/** Takes a point every two seconds. */
export class History {
  readonly #measurements: Measurements;
  readonly #moment: () => Moment;
  readonly #points: Point[] = [];
  #last: { readonly time: number; readonly totals: Totals };
  /** Points that were ever taken; the number of the newest one. */
  #count = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(measurements: Measurements, moment: () => Moment) {
    this.#measurements = measurements;
    this.#moment = moment;
    this.#last = { time: Date.now(), totals: measurements.totals() };
    this.#timer = setInterval(() => this.take(), INTERVAL).unref();
  }

  /** The number of the newest point. */
  get newest(): number {
    return this.#count;
  }

  /** Points that are newer than number `since`, and still there. */
  after(since: number): readonly Point[] {
    const missing = Math.max(0, this.#count - since);
    return missing === 0 ? [] : this.#points.slice(-missing);
  }

  /** Takes a point of what happened since the last one. */
  take(): void {
    const time = Date.now();
    const totals = this.#measurements.totals();
    const before = this.#last;
    this.#last = { time, totals };
    const seconds = Math.max(0.001, (time - before.time) / 1000);
    const latencies = totals.latencies.map((count, i) => count - before.totals.latencies[i]);
    const rate = (key: "commands" | "octetsIn" | "octetsOut") =>
      rounded((totals[key] - before.totals[key]) / seconds);
    this.#points.push({
      time,
      commands: rate("commands"),
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      octetsIn: rate("octetsIn"),
      octetsOut: rate("octetsOut"),
      arrivals: totals.arrivals - before.totals.arrivals,
      failedLogins: totals.failedLogins - before.totals.failedLogins,
      ...this.#moment(),
    });
    if (this.#points.length > KEPT) this.#points.shift();
    this.#count++;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
