/** `imapd check`: looks at the config, the certificates that it names, and the running server. */

import { loadCheckedConfig } from "../app/checked_config.ts";
import { type Arguments, configFile, EXIT, isOn, UsageError } from "./command.ts";
import { connectCheck } from "./connect_check.ts";
import { print, printError } from "./output.ts";

/** Prints warnings and "no faults"; faults are thrown as `ConfigError`. */
export async function check(args: Arguments): Promise<number> {
  const file = configFile(args);
  const connects = isOn(args, "connect");
  for (const name of ["user", "ca", "json"]) {
    if (args.options[name] === undefined || connects) continue;
    throw new UsageError(`Expected --connect beside --${name}, got none`);
  }
  const config = await loadCheckedConfig(file);
  for (const warning of config.warnings) printError(`warning: ${warning}`);
  if (!isOn(args, "json")) print(`${file}: no faults`);
  return connects ? await connectCheck(args, config) : EXIT.ok;
}
