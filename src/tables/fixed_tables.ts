/** Tables that the config itself holds. */

import { ruleTable, type Table } from "./table.ts";

/** The table in which the value of every key is the key. */
export function identityTable(): Table {
  return ruleTable((key) => key);
}

/** The table of `entries`; each has at least one value. */
export function staticTable(entries: ReadonlyMap<string, readonly string[]>): Table {
  const all = [...entries.values()].flat();
  return {
    values: () => Promise.resolve(all),
    lookup: (key) => Promise.resolve(entries.get(key)?.[0]),
    lookupAll: (key) => Promise.resolve(entries.get(key) ?? []),
  };
}
