/** The contract of an SQL database as tables use it. */

/** What a statement may refer to. */
export interface SqlArguments {
  readonly key?: string;
  readonly value?: string;
}

/** An open database. */
export interface SqlConnection {
  /** Runs statements that have no arguments. @throws {Error} */
  execute(statements: string): Promise<void>;
  /**
   * Checks a statement.
   *
   * @throws {Error} when the database does not take it, or it does not use one of `uses`
   */
  prepare(statement: string, uses: readonly (keyof SqlArguments)[]): Promise<SqlStatement>;
  /**
   * Runs statements of `work` as one transaction, which no other process can come in between; all is
   * undone if it throws. One runs after the other.
   *
   * @throws {Error} what `work` throws, or when the database does not allow it now
   */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

/** A statement that runs often. Both ways to run it throw an error when it cannot be done now. */
export interface SqlStatement {
  /** @returns the first column of all rows, without NULL */
  values(args: SqlArguments): Promise<readonly string[]>;
  /** @returns how many rows were changed */
  change(args: SqlArguments): Promise<number>;
}

/** Opens a database. @throws {Error} when it cannot */
export type SqlDriver = (options: SqlOptions) => Promise<SqlConnection>;

/** How to open a database. */
export interface SqlOptions {
  /** The driver's own way to say which database; for SQLite the path of its file. */
  readonly dsn: string;
  /** Statements have `:key` and `:value`; else `$1` and `$2`. */
  readonly namedArgs: boolean;
  /** Makes the database if there is none. */
  readonly create: boolean;
}
