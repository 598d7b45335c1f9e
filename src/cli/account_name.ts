/** Names of accounts that are to be made, as people type them. */

import { accountNameFault } from "../auth/account_name.ts";
import type { Config } from "../config/load.ts";
import { NORMALIZATIONS } from "../names/normalization.ts";
import { UsageError } from "./command.ts";

/**
 * The account that whoever logs in as `typed` reaches. Where `storage_map` is a table, accounts have
 * the names that it gives them, and this is one of them as it is.
 *
 * @param storage name of a storage block; the first one by default
 * @throws {UsageError} for a name that no account can have, or by which nobody could log in
 */
export function accountNamed(typed: string, { imap }: Config, storage?: string): string {
  const fault = typed === typed.trim() ? accountNameFault(typed) : "has spaces around it";
  if (fault !== undefined) {
    throw new UsageError(`Expected an account's name, got one that ${fault}`);
  }
  const endpoint = imap.find((each) => storage === undefined || each.storage.blockName === storage);
  if (endpoint?.storageMap.module !== "identity") return typed;
  const name = NORMALIZATIONS[endpoint.storageMapNormalize](typed);
  if (name !== undefined) return name;
  throw new UsageError(`Expected an account's name, got ${typed}, by which nobody could log in`);
}
