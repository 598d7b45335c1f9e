/** Limits of accounts in a table. */

import type { TableConfig } from "../config/load.ts";
import { octetsOf } from "../config/kinds.ts";
import type { Log } from "../log.ts";
import type { QuotaSettings } from "../store/maildir/quota.ts";
import { Tables } from "./tables.ts";

const RESOURCES = ["storage", "messages", "mailboxes"] as const;

/** The setting `quota.map`; opened when it is first asked. */
export class QuotaTable {
  readonly #tables: Tables;
  readonly #log: Log;

  constructor(readonly config: TableConfig, log: Log) {
    this.#tables = new Tables(log);
    this.#log = log;
  }

  /**
   * What the table says of an account; nothing for one that is not in it.
   *
   * @throws {Error} when the table cannot be read, which the log tells
   */
  async limits(account: string): Promise<QuotaSettings> {
    let text: string | undefined;
    try {
      const table = await this.#tables.open(this.config);
      text = await table.lookup(account);
    } catch (error) {
      this.#log.error("limits of an account cannot be looked up", {
        account,
        error: error instanceof Error ? error.message : String(error),
      });
      throw error;
    }
    if (text === undefined) return {};
    const limits = quotaLimits(text);
    if (limits !== undefined) return limits;
    this.#log.error("limits of an account are not understood", { account, limits: text });
    return {};
  }

  close(): Promise<void> {
    return this.#tables.close();
  }
}

/**
 * Reads `storage=2GiB messages=1000 mailboxes=none`, with commas or spaces between.
 *
 * @returns undefined for anything else; Infinity stands for "none"
 */
export function quotaLimits(text: string): QuotaSettings | undefined {
  const limits: { -readonly [Resource in keyof QuotaSettings]: QuotaSettings[Resource] } = {};
  for (const word of text.split(/[\s,]+/).filter((word) => word !== "")) {
    const [name, value = ""] = word.split("=", 2);
    const resource = RESOURCES.find((each) => each === name);
    const limit = resource && limitOf(resource, value);
    if (resource === undefined || limit === undefined) return undefined;
    limits[resource] = limit;
  }
  return limits;
}

function limitOf(resource: typeof RESOURCES[number], value: string): number | undefined {
  if (value === "none") return Infinity;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  return resource === "storage" ? octetsOf(value) : undefined;
}
