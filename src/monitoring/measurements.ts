/** All that the server measures of its own work. */

import type { CommandResult, ImapMeter, LoginResult, RefusedConnection } from "../imap/meter.ts";
import { type Counter, type Family, type Histogram, Registry } from "../metrics.ts";
import type { MeteredMailbox, StoreMeter, StoreOperation, Synced } from "../store/meter.ts";
import { LATENCIES, quantile } from "./latencies.ts";
import { networkOf } from "./networks.ts";
import { RecentCounts } from "./recent_counts.ts";

/** What is counted for one command, so that no labels are put together for each. */
interface CommandCounters {
  readonly results: Readonly<Record<CommandResult, Counter>>;
  readonly seconds: Histogram;
}

/** Operations by which a mailbox grows. */
const GROWTH: ReadonlySet<StoreOperation> = new Set(["append", "copy", "move", "adopt"]);

/** Counts what the server tells it. */
export class Measurements implements ImapMeter, StoreMeter {
  readonly registry = new Registry();
  /** Failed logins by the network that they came from. */
  readonly failedLogins: RecentCounts;
  /** Messages that came into mailboxes, by account and mailbox, with a NUL between them. */
  readonly arrivals: RecentCounts;
  readonly #accepted: Counter;
  readonly #refused: Family<Counter>;
  readonly #logins: Family<Counter>;
  readonly #results: Family<Counter>;
  readonly #seconds: Family<Histogram>;
  readonly #commands = new Map<string, CommandCounters>();
  readonly #received: Counter;
  readonly #sent: Counter;
  readonly #operations: Family<Counter>;
  readonly #messages: Family<Counter>;
  readonly #synced: Family<Histogram>;

  /** @param clock milliseconds since 1970 */
  constructor(clock: () => number = Date.now) {
    const { registry } = this;
    this.failedLogins = new RecentCounts(clock);
    this.arrivals = new RecentCounts(clock);
    this.#accepted = registry.counter({
      name: "imapd_connections_accepted",
      help: "Connections that were served",
    }).of();
    this.#refused = registry.counter({
      name: "imapd_connections_refused",
      help: "Connections that were not served, by the reason",
      labels: ["reason"],
    });
    this.#logins = registry.counter({
      name: "imapd_logins",
      help: "Attempts to log in, by mechanism (LOGIN is also the command) and result",
      labels: ["mechanism", "result"],
    });
    this.#results = registry.counter({
      name: "imapd_commands",
      help: "Commands of IMAP, by name and result",
      labels: ["command", "result"],
    });
    this.#seconds = registry.histogram({
      name: "imapd_command_seconds",
      help: "Time from the whole command to its tagged reply, without IDLE",
      labels: ["command"],
    }, LATENCIES);
    const octets = registry.counter({
      name: "imapd_octets",
      help: "Octets of IMAP from and to clients, without TLS",
      labels: ["direction"],
    });
    this.#received = octets.of("in");
    this.#sent = octets.of("out");
    this.#operations = registry.counter({
      name: "imapd_store_operations",
      help: "Operations of the store that changed something (adopt: other programs' deliveries)",
      labels: ["operation"],
    });
    this.#messages = registry.counter({
      name: "imapd_store_messages",
      help: "Messages that operations of the store made, changed or removed",
      labels: ["operation"],
    });
    this.#synced = registry.histogram({
      name: "imapd_fsync_seconds",
      help: "Time of the disk to make a message, a folder or a commit of the index durable",
      labels: ["what"],
    }, LATENCIES);
  }

  now(): number {
    return performance.now() / 1000;
  }

  command(name = "unknown", result: CommandResult, seconds: number | undefined): void {
    const counters = this.#commands.get(name) ?? this.#countersOf(name);
    counters.results[result].add();
    if (seconds !== undefined) counters.seconds.observe(seconds);
  }

  login(mechanism: string, result: LoginResult, remote: string): void {
    this.#logins.of(mechanism, result).add();
    if (result === "failed") this.failedLogins.add(networkOf(remote), 1);
  }

  received(octets: number): void {
    this.#received.add(octets);
  }

  sent(octets: number): void {
    this.#sent.add(octets);
  }

  accepted(): void {
    this.#accepted.add();
  }

  refused(why: RefusedConnection): void {
    this.#refused.of(why).add();
  }

  did(operation: StoreOperation, messages: number, { account, mailbox }: MeteredMailbox): void {
    this.#operations.of(operation).add();
    this.#messages.of(operation).add(messages);
    if (GROWTH.has(operation)) this.arrivals.add(`${account}\0${mailbox}`, messages);
  }

  synced(what: Synced, seconds: number): void {
    this.#synced.of(what).observe(seconds);
  }

  /** The commands that there were since the start, the most frequent first. */
  byCommand(): CommandSummary[] {
    return Array.from(this.#commands, ([command, { results, seconds }]) => ({
      command,
      ok: results.OK.value,
      failed: results.NO.value + results.BAD.value,
      p50: quantile(seconds.counts, 0.5),
      p99: quantile(seconds.counts, 0.99),
    })).sort((a, b) => b.ok + b.failed - a.ok - a.failed);
  }

  /** Sums from the start on, from which rates are made. */
  totals(): Totals {
    const latencies = new Float64Array(LATENCIES.length + 1);
    for (const { counts } of this.#seconds.members()) {
      counts.forEach((count, i) => latencies[i] += count);
    }
    return {
      commands: sum(this.#results.members()),
      latencies,
      octetsIn: this.#received.value,
      octetsOut: this.#sent.value,
      failedLogins: this.failedLogins.total,
      arrivals: this.arrivals.total,
    };
  }

  #countersOf(command: string): CommandCounters {
    const counters = {
      results: {
        OK: this.#results.of(command, "OK"),
        NO: this.#results.of(command, "NO"),
        BAD: this.#results.of(command, "BAD"),
      },
      seconds: this.#seconds.of(command),
    };
    this.#commands.set(command, counters);
    return counters;
  }
}

/** What there is to tell of one command since the start. */
export interface CommandSummary {
  readonly command: string;
  readonly ok: number;
  /** NO and BAD. */
  readonly failed: number;
  /** Seconds; null where they are not measured. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** What was counted since the start. */
export interface Totals {
  readonly commands: number;
  /** How many commands fall into each bucket of {@link LATENCIES}. */
  readonly latencies: Float64Array;
  readonly octetsIn: number;
  readonly octetsOut: number;
  readonly failedLogins: number;
  /** Messages. */
  readonly arrivals: number;
}

function sum(counters: Iterable<Counter>): number {
  let total = 0;
  for (const { value } of counters) total += value;
  return total;
}
