/** A table made of others. */

import { allValues, type Rule, type Table } from "./table.ts";

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
  const lookup = async (key: string) => (await lookupAll(key)).at(0);
  return { lookupAll, lookup, rule: ruleOf(steps) };
}

/** That of the steps before the first list: what comes after one depends on what is in it. */
function ruleOf(steps: readonly ChainStep[]): Rule | undefined {
  const end = steps.findIndex(({ table }) => table.rule?.whole !== true);
  if (end === 0) return undefined;
  const ruled = end < 0 ? steps : steps.slice(0, end);
  const apply = (key: string) => {
    let value = key;
    for (const { table, optional } of ruled) {
      const found = table.rule?.apply(value);
      if (found === undefined && !optional) return undefined;
      value = found ?? value;
    }
    return value;
  };
  return { apply, whole: end < 0 };
}
