/** The way of the commands to what they administrate. */

import { openAdmin } from "../app/control.ts";
import type { Admin } from "../admin/operations.ts";
import { type Config, loadConfig } from "../config/load.ts";
import { createLog } from "../log.ts";
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
  const admin = await openAdmin(config, log);
  try {
    return await work(admin, config);
  } finally {
    await admin.close();
    await log.close();
  }
}
