/** The contract of a table: a map from a key to values. */
export interface Table {
  /** The first value of `key`, or undefined. @throws {Error} when the table cannot be read. */
  lookup(key: string): Promise<string | undefined>;
  /** All values, where the table has them at hand; the same array as long as nothing changed. */
  values?(): Promise<readonly string[]>;
}

/** A table that the command line may change. */
export interface MutableTable extends Table {
  keys(): Promise<readonly string[]>;
  set(key: string, value: string): Promise<void>;
  /** @returns whether the key was there */
  remove(key: string): Promise<boolean>;
}
