/** Makes authenticators from their configs. */

import type { Authenticator } from "../auth/auth.ts";
import { PassTable } from "../auth/pass_table.ts";
import type { AuthConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import type { Tables } from "./tables.ts";

/** Opens a module that checks passwords. @throws {Error} when its table cannot be read */
export async function openAuth(
  config: AuthConfig,
  tables: Tables,
  log: Log,
): Promise<Authenticator> {
  return new PassTable({ table: await tables.open(config.table), log });
}
