/** Makes tables from their configs. */

import type { TableConfig } from "../config/load.ts";
import type { SQL_DRIVERS } from "../config/schema/tables.ts";
import type { Log } from "../log.ts";
import { chainTable } from "../tables/chain_table.ts";
import {
  emailLocalpartTable,
  emailWithDomainTable,
  optionalEmailLocalpartTable,
} from "../tables/email_tables.ts";
import { FileTable } from "../tables/file_table.ts";
import { identityTable, staticTable } from "../tables/fixed_tables.ts";
import { regexpTable } from "../tables/regexp_table.ts";
import type { SqlDriver } from "../tables/sql_driver.ts";
import { sqlTable, statementsOf } from "../tables/sql_table.ts";
import { openSqlite } from "../tables/sqlite_driver.ts";
import type { Table } from "../tables/table.ts";

const DRIVERS: Readonly<Record<typeof SQL_DRIVERS[number], SqlDriver>> = {
  sqlite: openSqlite,
  sqlite3: openSqlite,
};

/** Opens each table once, however many refer to it. */
export class Tables {
  readonly #log: Log;
  readonly #tables = new Map<TableConfig, Promise<Table>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @throws {Error} when the table cannot be read */
  open(config: TableConfig): Promise<Table> {
    const table = this.#tables.get(config) ?? this.#named(config);
    this.#tables.set(config, table);
    return table;
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#tables.values());
    for (const each of opened) if (each.status === "fulfilled") each.value.close?.();
  }

  /** Errors say which table they are about. */
  async #named(config: TableConfig): Promise<Table> {
    try {
      return await this.#make(config);
    } catch (error) {
      const { blockName, module } = config;
      const name = blockName === undefined ? `a table of module ${module}` : `[table.${blockName}]`;
      const reason = error instanceof Error ? error.message : error;
      throw new Error(`${name}: ${reason}`, { cause: error });
    }
  }

  async #make(config: TableConfig): Promise<Table> {
    switch (config.module) {
      case "identity":
        return identityTable();
      case "static":
        return staticTable(config.entries);
      case "file":
        return await FileTable.open({ path: config.path, log: this.#log });
      case "regexp":
        return regexpTable({ ...config, replacements: config.replacement });
      case "email_localpart":
        return emailLocalpartTable();
      case "email_localpart_optional":
        return optionalEmailLocalpartTable();
      case "email_with_domain":
        return emailWithDomainTable(config.domains);
      case "sql_query": {
        const { dsn, init, namedArgs, driver, ...statements } = config;
        return await sqlTable({ driver: DRIVERS[driver], dsn, init, namedArgs, statements });
      }
      case "sql_table": {
        const { init, statements } = statementsOf(config);
        const driver = DRIVERS[config.driver];
        return await sqlTable({
          driver,
          dsn: config.dsn,
          init: [init],
          namedArgs: true,
          statements,
        });
      }
      case "chain":
        return chainTable(
          await Promise.all(config.steps.map(async ({ table, optional }) => ({
            table: await this.open(table),
            optional,
          }))),
        );
    }
  }
}
