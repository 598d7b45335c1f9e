/** SQL that is prepared when it is first needed, and kept. */

import type { DatabaseSync, StatementSync } from "node:sqlite";

/** The statements of one part of the index, by their text. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Rows come as objects. */
  of(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (!statement) this.#prepared.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }

  /** Rows come as arrays; for an SQL text that is never asked for as objects. */
  arrays(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      returnArrays(statement);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

/** Arrays are read twice as fast as objects. Deno has the function, its types lack it. */
function returnArrays(
  statement: StatementSync & { setReturnArrays?(on: boolean): void },
): void {
  statement.setReturnArrays?.(true);
}
