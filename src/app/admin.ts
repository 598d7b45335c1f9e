/** What administration works with, by a config: in the server as well as in the command line. */

import { type AdminContext, AdminError, type Sessions } from "../admin/operation.ts";
import type { Config } from "../config/load.ts";
import type { Log } from "../log.ts";
import type { Stores } from "./storage.ts";

/** @param sessions those of the running server, if this is one */
export function adminContext(
  config: Config,
  stores: Stores,
  log: Log,
  sessions?: Sessions,
): AdminContext {
  return {
    storage(name) {
      const storages = config.imap.map(({ storage }) => storage);
      const chosen = storages.find(({ blockName }) => name === undefined || blockName === name);
      if (chosen !== undefined) return stores.open(chosen);
      const names = [...new Set(storages.flatMap(({ blockName }) => blockName ?? []))];
      throw new AdminError(
        `Expected a storage block of the config (${
          names.join(", ") || "there is none"
        }), got ${name}`,
        "usage",
      );
    },
    sessions,
    log,
  };
}
