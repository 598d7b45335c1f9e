/** `imapd check`: looks at the config and the certificates that it names. */

import { loadCheckedConfig } from "../app/checked_config.ts";
import { type Arguments, configFile, EXIT } from "./command.ts";
import { print, printError } from "./output.ts";

/** Prints warnings and "no faults"; faults are thrown as `ConfigError`. */
export async function check(args: Arguments): Promise<number> {
  const file = configFile(args);
  const config = await loadCheckedConfig(file);
  for (const warning of config.warnings) printError(`warning: ${warning}`);
  print(`${file}: no faults`);
  return EXIT.ok;
}
