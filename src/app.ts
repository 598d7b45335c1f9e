/** Builds the server from a config; only this and `app/` name concrete drivers and modules. */

import { dirname } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import type { PenaltyTable, Sessions } from "./admin/operation.ts";
import { adminContext } from "./app/admin.ts";
import { countLimits, penaltyOptions } from "./app/client_limits.ts";
import { type OpenControl, openControl } from "./app/control.ts";
import { Generation, type Lasting } from "./app/generation.ts";
import { KnownPlacesFile } from "./app/known_places_file.ts";
import { Monitoring, storageFaults } from "./app/monitoring.ts";
import { ServerAnnotationsFile } from "./app/server_annotations.ts";
import { readSecret } from "./app/secret.ts";
import { Stores } from "./app/storage.ts";
import { TlsContexts } from "./app/tls.ts";
import { warmUp } from "./app/warm_up.ts";
import { LoginPenalties } from "./auth/penalties.ts";
import type { Config } from "./config/load.ts";
import type { ServerAnnotations } from "./imap/server_annotations.ts";
import type { Log } from "./log.ts";
import type { Surroundings } from "./monitoring/gauges.ts";
import { Measurements } from "./monitoring/measurements.ts";
import { ConnectionCounts } from "./net/connection_counts.ts";
import { readHandover } from "./net/inherited_sockets.ts";
import { canonicalAddress } from "./net/ip_address.ts";
import { Libc } from "./net/libc.ts";
import type { ListenAddress } from "./net/listen_address.ts";
import { Listeners } from "./net/listeners.ts";
import type { ImapServer } from "./net/server.ts";
import { SearchService } from "./store/maildir/search_service.ts";
import { VERSION } from "./version.ts";

/** A running server. */
export interface App {
  /** Connections that there are now. */
  readonly connections: number;
  /** Where it listens, with the real ports. */
  readonly listening: readonly ListenAddress[];
  /**
   * Goes over to another config. Addresses that stay are not interrupted, and who is connected
   * goes on with what there was before.
   *
   * @throws {Error} when it cannot be done; then everything is as before
   */
  reload(config: Config): Promise<void>;
  /** Says BYE to all, lets commands finish for `graceMs`, and lets go of everything. */
  close(graceMs: number): Promise<void>;
}

/** @throws {Error} when the server cannot start; nothing is left running then */
export async function startApp(config: Config, log: Log): Promise<App> {
  await makeStateDir(config.stateDir);
  const { limits } = config.imap[0];
  await warmUp(config.warmUp, config.stateDir, limits, log);
  const annotations = await ServerAnnotationsFile.open(config.stateDir, log);
  const secret = await readSecret(config.stateDir);
  const known = await KnownPlacesFile.open(config.stateDir, secret, log);
  const app = new RunningApp(config, { secret, annotations, known }, log);
  try {
    await app.reload(config);
    await app.openControl();
    return app;
  } catch (error) {
    await app.close(0);
    throw error;
  }
}

async function makeStateDir(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new Error(`state_dir: cannot make the folder ${path}: ${reason}`, { cause: error });
  }
}

/** What an earlier run left in `state_dir`. */
interface Kept {
  readonly secret: Uint8Array;
  readonly annotations: ServerAnnotations;
  readonly known: KnownPlacesFile;
}

class RunningApp implements App {
  listening: readonly ListenAddress[] = [];
  readonly #first: Config;
  readonly #log: Log;
  readonly #lasting: Lasting;
  readonly #known: KnownPlacesFile;
  readonly #listeners: Listeners;
  readonly #libc: Libc | undefined;
  readonly #monitoring: Monitoring;
  #control: OpenControl | undefined;
  #current: Generation | undefined;
  /** Earlier ones that may still have sessions, and the timers that close their modules. */
  readonly #retired = new Map<Generation, ReturnType<typeof setTimeout>>();

  constructor(config: Config, { secret, annotations, known }: Kept, log: Log) {
    const hostname = config.hostname ?? Deno.hostname();
    const measurements = new Measurements();
    this.#first = config;
    this.#log = log;
    this.#known = known;
    this.#lasting = {
      hostname,
      stores: new Stores(log, dirname(config.controlPath), measurements, new SearchService()),
      tls: new TlsContexts(config.stateDir, hostname, log),
      secret,
      annotations,
      penalties: new LoginPenalties(penaltyOptions(config.limits), known.places),
      counts: new ConnectionCounts(countLimits(config.limits)),
      nextId: countUp(),
      meter: measurements,
      log,
    };
    const handover = readHandover((name) => Deno.env.get(name), Deno.pid);
    this.#libc = Libc.open();
    this.#listeners = new Listeners({ log, handover, libc: this.#libc });
    this.#monitoring = new Monitoring({
      measurements,
      around: this.#surroundings(hostname),
      penalties: this.#lasting.penalties,
      log,
      libc: this.#libc,
    });
  }

  async openControl(): Promise<void> {
    const sessions: Sessions = {
      list: () => this.#servers().flatMap((server) => server.sessions()),
      kick: (matches, reason) =>
        this.#servers().reduce((sum, server) => sum + server.kick(matches, reason), 0),
    };
    const context = () =>
      adminContext(this.#current?.config ?? this.#first, this.#lasting.stores, this.#log, {
        sessions,
        penalties: this.#penalties(),
      });
    this.#control = await openControl(this.#first, context, this.#log, this.#libc);
  }

  #penalties(): PenaltyTable {
    const { penalties } = this.#lasting;
    return {
      list: () => penalties.list(),
      clear: ({ address, user }) =>
        penalties.clear({ address: address && (canonicalAddress(address) ?? address), user }),
    };
  }

  async reload(config: Config): Promise<void> {
    this.#warnOfFixed(config);
    let next: Generation | undefined;
    try {
      next = await Generation.make(config, this.#lasting);
      const listening = await this.#listeners.apply(next.wanted);
      await this.#applyMonitoring(config);
      this.listening = listening;
    } catch (error) {
      if (next !== undefined) await next.close();
      await this.#lasting.tls.keepOnly(this.#configs());
      throw error;
    }
    this.#lasting.penalties.use(penaltyOptions(config.limits));
    this.#lasting.counts.use(countLimits(config.limits));
    if (this.#current !== undefined) this.#retire(this.#current);
    this.#current = next;
    for (const { storage } of [...config.imap, ...config.lmtp]) this.#lasting.stores.use(storage);
  }

  /** @throws {Error} when it cannot be done; then the mail is served where it was before, too */
  async #applyMonitoring({ openmetrics }: Config): Promise<void> {
    try {
      await this.#monitoring.apply(openmetrics);
    } catch (error) {
      await this.#listeners.apply(this.#current?.wanted ?? []);
      throw error;
    }
  }

  async close(graceMs: number): Promise<void> {
    await this.#control?.close();
    await this.#monitoring.close();
    await this.#listeners.close();
    const generations = this.#generations();
    for (const timer of this.#retired.values()) clearTimeout(timer);
    await Promise.all(generations.map((generation) => generation.closeServers(graceMs)));
    for (const generation of generations) await generation.closeModules();
    await this.#known.close();
    await this.#lasting.tls.close();
    await this.#lasting.stores.close();
  }

  /** Clients that are just logging in may still ask its modules. */
  #retire(generation: Generation): void {
    generation.retire();
    for (const [other] of this.#retired) if (other.connections === 0) this.#forget(other);
    const patience = Math.max(...generation.config.imap.map(({ limits }) => limits.login)) + 1000;
    const timer = setTimeout(() => {
      const closing = generation.closeModules().then(() =>
        this.#lasting.tls.keepOnly(this.#configs())
      );
      closing.catch((error) =>
        this.#log.warn("cannot close old modules", { error: String(error) })
      );
    }, patience);
    timer.unref();
    this.#retired.set(generation, timer);
  }

  /** Nobody is connected any more who came by it. */
  #forget(generation: Generation): void {
    clearTimeout(this.#retired.get(generation));
    this.#retired.delete(generation);
    generation.close().catch((error) =>
      this.#log.warn("cannot close old modules", { error: String(error) })
    );
  }

  #generations(): Generation[] {
    return [...this.#retired.keys(), ...this.#current ? [this.#current] : []];
  }

  /** Connections that there are now. */
  get connections(): number {
    return this.#servers().reduce((sum, server) => sum + server.connections, 0);
  }

  #servers(): ImapServer[] {
    return this.#generations().flatMap(({ servers }) => servers);
  }

  #configs(): Config[] {
    return this.#generations().map(({ config }) => config);
  }

  #surroundings(hostname: string): Surroundings {
    const { stores, tls } = this.#lasting;
    const started = Date.now();
    const certificates = () => tls.certificates();
    return {
      version: VERSION,
      hostname,
      started,
      connections: () => sums(this.#servers().map((server) => server.states())),
      certificates,
      mail: () => stores.measures(),
      faults: async () => [
        ...certificates().filter(({ notAfter }) => notAfter <= Date.now())
          .map(({ path }) => `The certificate ${path} has expired`),
        ...await storageFaults(this.#current?.config ?? this.#first),
      ],
    };
  }

  #warnOfFixed({ stateDir, controlPath, hostname }: Config): void {
    const changed = [
      ...controlPath === this.#first.controlPath ? [] : ["runtime_dir"],
      ...stateDir === this.#first.stateDir ? [] : ["state_dir"],
      ...hostname === this.#first.hostname ? [] : ["hostname"],
    ];
    for (const setting of changed) {
      this.#log.warn("a changed setting comes into force only by a restart", { setting });
    }
  }
}

function sums(all: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const total = new Map<string, number>();
  for (const counts of all) {
    for (const [key, count] of counts) total.set(key, (total.get(key) ?? 0) + count);
  }
  return total;
}

/** Short names that differ within the program. */
function countUp(): () => string {
  let count = 0;
  return () => (++count).toString(36);
}
