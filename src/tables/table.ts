/** The contract of a table: a map from a key to values. */
export interface Table {
  /** The first value of `key`, or undefined. @throws {Error} when the table cannot be read. */
  lookup(key: string): Promise<string | undefined>;
  /** All values of `key`, the first one first; absent where a key has at most one. */
  lookupAll?(key: string): Promise<readonly string[]>;
  /** All values, where the table has them at hand; the same array as long as nothing changed. */
  values?(): Promise<readonly string[]>;
  /** Where the value, or the key that goes on to a list, follows from the key alone. */
  readonly rule?: Rule;
  /** Lets go of what the table has open; nothing is looked up after that. */
  close?(): void;
}

/** What becomes of a key without a look into any list, so that it tells nothing of who is in one. */
export interface Rule {
  /** Keys for which it is the same have the same value in the table, or none. */
  apply(key: string): string | undefined;
  /** It is the one value of the table. */
  readonly whole: boolean;
}

/** A table whose first value is that of a rule. @param whole there is no second one */
export function ruleTable(apply: Rule["apply"], whole = true): Table {
  return { lookup: (key) => Promise.resolve(apply(key)), rule: { apply, whole } };
}

/** A table that the command line may change. */
export interface MutableTable extends Table {
  keys(): Promise<readonly string[]>;
  /**
   * Makes `value` the one value of `key`.
   *
   * @param before what the key must have, undefined if it must not be there: for who has looked
   * @returns false if it has something else
   */
  set(key: string, value: string, ...before: readonly (string | undefined)[]): Promise<boolean>;
  /** @returns whether the key was there */
  remove(key: string): Promise<boolean>;
}

/** Whether `table` can be changed. */
export function isMutable(table: Table): table is MutableTable {
  return "keys" in table && "set" in table && "remove" in table;
}

/** All values that `table` has for `key`. @throws {Error} when the table cannot be read */
export async function allValues(table: Table, key: string): Promise<readonly string[]> {
  if (table.lookupAll !== undefined) return await table.lookupAll(key);
  const value = await table.lookup(key);
  return value === undefined ? [] : [value];
}
