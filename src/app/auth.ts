/** Makes authenticators from their configs. */

import type { Authenticator } from "../auth/auth.ts";
import { PassTable } from "../auth/pass_table.ts";
import type { AuthConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import { openTable } from "./tables.ts";

/** Opens a module that checks passwords. @throws {Error} when its table cannot be read */
export async function openAuth(config: AuthConfig, log: Log): Promise<Authenticator> {
  const { allowPlain, scram } = config;
  return await PassTable.open({
    table: await openTable(config.table, log),
    allowPlain,
    scram,
    log,
  });
}
