/** Looks at what the server needs around it, and changes nothing. */

import type { Finding } from "../../admin/operation.ts";
import type { Config } from "../../config/load.ts";
import { certificateFindings } from "./certificates.ts";
import { folderFindings, logFindings } from "./folders.ts";
import { portFindings } from "./ports.ts";
import { clockFinding, descriptorFinding, inotifyFindings } from "./system.ts";

/** @param running whether this process is the server that is looked at */
export async function* examineServer(
  config: Config,
  running: boolean,
): AsyncGenerator<Finding, void> {
  for (const text of config.warnings) yield { level: "warning", subject: "config", text };
  if (config.warnings.length === 0) yield { level: "ok", subject: "config", text: "no faults" };
  yield running
    ? { level: "ok", subject: "server", text: `running, process ${Deno.pid}` }
    : { level: "warning", subject: "server", text: "not running", advice: "systemctl start imapd" };
  yield* folderFindings(config);
  yield* logFindings(config);
  yield clockFinding(config);
  yield* certificateFindings(config);
  yield* portFindings(config, running);
  yield* descriptorFinding(config, running);
  yield* inotifyFindings();
}
