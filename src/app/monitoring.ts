/** The status page and the metrics of a running server. */

import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Penalties } from "../auth/auth.ts";
import type { Config, OpenMetricsConfig } from "../config/load.ts";
import { isToken, TOKEN } from "../config/schema/openmetrics.ts";
import type { Log } from "../log.ts";
import { watchEventLoop } from "../monitoring/event_loop.ts";
import type { Surroundings } from "../monitoring/gauges.ts";
import { HttpServer } from "../monitoring/http.ts";
import type { Measurements } from "../monitoring/measurements.ts";
import { Site } from "../monitoring/site.ts";
import type { Libc } from "../net/libc.ts";
import { Listeners } from "../net/listeners.ts";
import { ListenError } from "../net/listen_address.ts";

/** Octets of a disk below which it counts as full. */
const LEAST_FREE = 32 * 1024 * 1024;

export interface MonitoringOptions {
  readonly measurements: Measurements;
  readonly around: Surroundings;
  readonly penalties: Penalties;
  readonly log: Log;
  readonly libc: Libc | undefined;
}

/** Serves the status page where the config wants it; nothing runs where it does not. */
export class Monitoring {
  readonly #options: MonitoringOptions;
  readonly #listeners: Listeners;
  #running: { readonly site: Site; readonly server: HttpServer; close(): void } | undefined;

  constructor(options: MonitoringOptions) {
    this.#options = options;
    const { log, libc } = options;
    this.#listeners = new Listeners({ log, libc, handover: { names: [] } });
  }

  /**
   * Goes over to another config.
   *
   * @throws {Error} when the address cannot be had, or the token not be read; then all is as before
   */
  async apply(config: OpenMetricsConfig | undefined): Promise<void> {
    if (config === undefined) return await this.#listeners.apply([]).then(() => {});
    const token = await tokenOf(config);
    const { site, server } = this.#running ??= this.#start();
    try {
      await this.#listeners.apply([{ address: config.listen, acceptor: server }]);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      const message = error.message.replace(/^imap\.listen/, "openmetrics");
      throw new ListenError(message, { cause: error });
    }
    site.protect(token);
  }

  async close(): Promise<void> {
    await this.#listeners.close();
    this.#running?.close();
  }

  #start() {
    const { measurements, around, penalties, log } = this.#options;
    const site = new Site({ measurements, around, penalties, log });
    const endWatch = watchEventLoop(measurements.registry);
    const server = new HttpServer((request) => site.answer(request), (error) => {
      log.bug(error);
    });
    const close = () => {
      server.close();
      endWatch();
      site.close();
    };
    return { site, server, close };
  }
}

/**
 * The token that has to be known, if one has to.
 *
 * @throws {Error} when its file cannot be read or has none
 */
export async function tokenOf(
  { token, tokenFile }: OpenMetricsConfig,
): Promise<string | undefined> {
  if (tokenFile === undefined) return token;
  const text = (await Deno.readTextFile(tokenFile.path)).trim();
  if (!isToken(text)) throw new Error(`openmetrics.token_file: expected ${TOKEN}`);
  return text;
}

/** Faults of the file with the token, as `FILE:LINE:COLUMN: …`. */
export async function tokenFaults({ openmetrics }: Config, file: string): Promise<string[]> {
  const where = openmetrics?.tokenFile;
  if (openmetrics === undefined || where === undefined) return [];
  try {
    await tokenOf(openmetrics);
    return [];
  } catch (error) {
    const got = error instanceof Deno.errors.NotFound
      ? "no such file"
      : error instanceof Error && !/^openmetrics/.test(error.message)
      ? error.message
      : "something else in it";
    const { line, column } = where.at;
    return [`${file}:${line}:${column}: ${where.key} must be a file with ${TOKEN}: got ${got}`];
  }
}

/** What keeps the server from serving mail from the folders of a config. */
export async function storageFaults({ imap, lmtp, stateDir }: Config): Promise<string[]> {
  const roots = [
    ...new Set([stateDir, ...[...imap, ...lmtp].map(({ storage }) => rootOf(storage.path))]),
  ];
  const faults = await Promise.all(roots.map(folderFaults));
  return faults.flat();
}

/** The folder that all accounts are in. */
function rootOf(template: string): string {
  return dirname(`${template.split("{")[0]}_`);
}

async function folderFaults(folder: string): Promise<string[]> {
  try {
    const info = await Deno.stat(folder);
    if (!info.isDirectory) return [`${folder} is not a folder`];
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize < LEAST_FREE ? [`The disk of ${folder} is full`] : [];
  } catch (error) {
    // It is made when the first account is.
    if (error instanceof Deno.errors.NotFound && dirname(folder) !== folder) {
      return await folderFaults(dirname(folder));
    }
    return [`${folder} cannot be used: ${error instanceof Error ? error.message : error}`];
  }
}
