/** What becomes of the name that a client logs in with. */

import type { Normalization } from "../names/normalization.ts";
import type { Table } from "../tables/table.ts";

/** The two independent ways of a name. Each throws an error when its table cannot be read. */
export interface LoginNames {
  /** The name that authenticators know; undefined: nobody may log in by this name. */
  forAuth(name: string): Promise<string | undefined>;
  /** The form that names have before {@link forAuth} looks them up; undefined: nobody's name. */
  normalForAuth(name: string): string | undefined;
  /**
   * What it becomes on the way of {@link forAuth} without a look into any list; undefined: nobody's
   * name. All names for which it is the same are the same user's, whether that one exists or not.
   */
  ruledForAuth(name: string): string | undefined;
  /** The account's name; undefined: there is none. */
  forStorage(name: string): Promise<string | undefined>;
}

/** One way: the name is brought into one form, then looked up. */
export interface NameMap {
  readonly normalize: Normalization;
  readonly table: Table;
}

/** Makes {@link LoginNames} of the two ways. */
export function mappedNames(auth: NameMap, storage: NameMap): LoginNames {
  return {
    forAuth: (name) => mapped(name, auth),
    normalForAuth: auth.normalize,
    ruledForAuth: (name) => ruled(name, auth),
    forStorage: (name) => mapped(name, storage),
  };
}

async function mapped(name: string, { normalize, table }: NameMap): Promise<string | undefined> {
  const key = normalize(name);
  return key === undefined ? undefined : await table.lookup(key);
}

function ruled(name: string, { normalize, table }: NameMap): string | undefined {
  const key = normalize(name);
  return key === undefined ? undefined : table.rule?.apply(key) ?? key;
}
