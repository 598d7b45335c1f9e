/** Gauges of what there is at the moment when somebody asks. */

import { cpuUsage, memoryUsage } from "node:process";
import type { Registry } from "../metrics.ts";

/** A certificate that the server shows to clients. */
export interface ShownCertificate {
  /** The first name that it is for. */
  readonly name: string;
  /** The file that it came from. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** What is open in the stores. */
export interface OpenMail {
  readonly accounts: number;
  readonly mailboxes: number;
  /** Messages of other programs that are not read yet. */
  readonly unprepared: number;
  /** Messages whose texts are to be indexed. */
  readonly unindexed: number;
}

/** Where the values lie. */
export interface Surroundings {
  readonly version: string;
  readonly hostname: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** Connections by state. */
  connections(): ReadonlyMap<string, number>;
  certificates(): readonly ShownCertificate[];
  mail(): OpenMail;
  /** Sentences about what keeps the server from serving. */
  faults(): Promise<readonly string[]>;
}

/** States that are told also where nobody is in them. */
export const STATES = ["preparing", "not-authenticated", "authenticated", "selected"] as const;

/** Adds the gauges to a registry. */
export function addGauges(registry: Registry, around: Surroundings): void {
  registry.info({ name: "imapd_build", help: "What the program was made of" }, {
    version: around.version,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
  });
  registry.gauge({ name: "process_start_time_seconds", help: "When it started, since 1970" }).of()
    .set(around.started / 1000);
  const connections = registry.gauge({
    name: "imapd_connections",
    help: "Connections by their state",
    labels: ["state"],
  });
  const expiry = registry.gauge({
    name: "imapd_certificate_expiry_seconds",
    help: "End of a certificate, since 1970",
    labels: ["name", "path"],
  });
  const gauge = (name: string, help: string) => registry.gauge({ name, help }).of();
  const accounts = gauge("imapd_accounts_open", "Accounts whose index is open");
  const mailboxes = gauge("imapd_mailboxes_open", "Mailboxes that a client has open");
  const lag = gauge(
    "imapd_index_lag_messages",
    "Messages in open mailboxes that other programs delivered, and that are not read yet",
  );
  const unindexed = gauge(
    "imapd_search_index_lag_messages",
    "Messages in open accounts whose texts are not indexed yet",
  );
  const resident = gauge("process_resident_memory_bytes", "Memory of the process");
  const heap = gauge("imapd_heap_used_bytes", "Memory in use by JavaScript's objects");
  const cpu = registry.counter({
    name: "process_cpu_seconds",
    help: "Processor time of the process",
  }).of();
  registry.collect(() => {
    const counts = around.connections();
    for (const state of STATES) connections.of(state).set(counts.get(state) ?? 0);
    expiry.clear();
    for (const { name, path, notAfter } of around.certificates()) {
      expiry.of(name, path).set(notAfter / 1000);
    }
    const mail = around.mail();
    accounts.set(mail.accounts);
    mailboxes.set(mail.mailboxes);
    lag.set(mail.unprepared);
    unindexed.set(mail.unindexed);
    const { rss, heapUsed } = memoryUsage();
    resident.set(rss);
    heap.set(heapUsed);
    const { user, system } = cpuUsage();
    cpu.add(Math.max(0, (user + system) / 1e6 - cpu.value));
  });
}
