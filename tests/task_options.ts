/** How the tasks that are programs of their own (`deno task soak`, `deno task fuzz`) are called. */

import { parseArgs, type ParseArgsConfig } from "node:util";

/** Reads the options of this process; tells how it is called, and ends, where `--help` or a fault stands. */
export function taskOptions<T extends NonNullable<ParseArgsConfig["options"]>>(
  usage: string,
  options: T,
) {
  if (Deno.args.includes("--help")) {
    console.log(usage);
    Deno.exit();
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(usage);
    Deno.exit(2);
  }
}
