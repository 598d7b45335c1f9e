/** Makes the maps of names of an endpoint from its config. */

import { type LoginNames, mappedNames } from "../auth/login_names.ts";
import type { ImapConfig, NormalizationName } from "../config/load.ts";
import { type Normalization, NORMALIZATIONS } from "../names/normalization.ts";
import type { Tables } from "./tables.ts";

const BY_NAME: Readonly<Record<NormalizationName, Normalization>> = NORMALIZATIONS;

/** The way of the config's name. */
export function normalizationOf(name: NormalizationName): Normalization {
  return BY_NAME[name];
}

/** @throws {Error} when one of the tables cannot be read */
export async function openLoginNames(config: ImapConfig, tables: Tables): Promise<LoginNames> {
  return mappedNames(
    { normalize: BY_NAME[config.authMapNormalize], table: await tables.open(config.authMap) },
    { normalize: BY_NAME[config.storageMapNormalize], table: await tables.open(config.storageMap) },
  );
}
