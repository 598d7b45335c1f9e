/** The way of the commands to what they administrate. */

import { openAdmin } from "../app/control.ts";
import type { Admin } from "../admin/operations.ts";
import { type Config, loadConfig } from "../config/load.ts";
import { createLog, type Log } from "../log.ts";
import { type Arguments, configFile } from "./command.ts";

/**
 * Gives `work` the way to the running server, or to this process where none runs.
 *
 * @throws {AdminError} when a server runs that may not be asked
 */
export async function withAdmin<T>(
  args: Arguments,
  work: (admin: Admin, config: Config) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(configFile(args));
  const log = createLog(["stderr"], false);
  const admin = await openAdmin(config, onlyTroubles(log));
  try {
    return await work(admin, config);
  } finally {
    await admin.close();
    await log.close();
  }
}

/** What a command does it says itself. */
function onlyTroubles(log: Log): Log {
  return {
    debug() {},
    info() {},
    warn: (event, fields) => log.warn(event, fields),
    error: (event, fields) => log.error(event, fields),
    bug: (error, fields) => log.bug(error, fields),
    with: (fields) => onlyTroubles(log.with(fields)),
    debugged: () => onlyTroubles(log),
    debugging: false,
  };
}

/** The one result of an operation that has one. */
export async function only<T>(results: AsyncIterable<T>): Promise<T> {
  const [first] = await Array.fromAsync(results);
  return first;
}
