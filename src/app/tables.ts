/** Makes tables from their configs. */

import type { TableConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import { FileTable } from "../tables/file_table.ts";
import type { MutableTable } from "../tables/table.ts";

/** Opens a table that the command line may change, too. @throws {Error} when it cannot be read */
export function openTable(config: TableConfig, log: Log): Promise<MutableTable> {
  return FileTable.open({ path: config.path, log });
}
