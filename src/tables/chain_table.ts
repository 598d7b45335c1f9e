/** A table made of others. */

import { allValues, type Table } from "./table.ts";

/** One table of a chain. */
export interface ChainStep {
  readonly table: Table;
  /** Left out for keys of which it does not know every one, instead of ending the chain. */
  readonly optional: boolean;
}

/**
 * Looks up in each step what the step before has found, beginning with the key. Where a step
 * finds many values, all go on. A step that does not know one of them ends the search without a
 * value, or is left out if it is optional.
 */
export function chainTable(steps: readonly ChainStep[]): Table {
  const lookupAll = async (key: string) => {
    let keys: readonly string[] = [key];
    for (const { table, optional } of steps) {
      const found = await Promise.all(keys.map((each) => allValues(table, each)));
      if (found.every((values) => values.length > 0)) keys = [...new Set(found.flat())];
      else if (!optional) return [];
    }
    return keys;
  };
  return { lookupAll, lookup: async (key) => (await lookupAll(key)).at(0) };
}
