/** The config, together with the files that it names. */

import { type Config, ConfigError, loadConfig } from "../config/load.ts";
import { capabilityFaults } from "./capabilities.ts";
import { lmtpFaults } from "./delivery.ts";
import { tokenFaults } from "./monitoring.ts";
import { tlsFileFaults } from "./tls_files.ts";

/**
 * Loads the config of a server that is to start: certificates and keys are read, too,
 * and names of local addresses looked up.
 *
 * @throws {ConfigError} when `file` cannot be read or has faults, or a file that it names has
 */
export async function loadCheckedConfig(file: string): Promise<Config> {
  const config = await loadConfig(file);
  const faults = [
    ...capabilityFaults(config, file),
    ...tlsFileFaults(config, file),
    ...await lmtpFaults(config, file),
    ...await tokenFaults(config, file),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}
