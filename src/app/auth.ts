/** Makes authenticators from their configs. */

import type { Authenticator } from "../auth/auth.ts";
import { FirstOf } from "../auth/first_of.ts";
import { PassTable } from "../auth/pass_table.ts";
import { PlainSeparate } from "../auth/plain_separate.ts";
import type { AuthConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import { openTable } from "./tables.ts";

/** Opens each module once, however many refer to it. */
export class Authenticators {
  readonly #opened = new Map<AuthConfig, Promise<Authenticator>>();

  constructor(private readonly log: Log) {}

  /** One that asks all of `configs` in order. @throws {Error} when a module cannot be opened */
  async open(configs: readonly AuthConfig[]): Promise<Authenticator> {
    const members: Authenticator[] = [];
    for (const config of configs) {
      let opened = this.#opened.get(config);
      if (opened === undefined) {
        opened = this.#make(config);
        this.#opened.set(config, opened);
      }
      members.push(await opened);
    }
    return members.length === 1 ? members[0] : new FirstOf(members);
  }

  async close(): Promise<void> {
    for (const auth of this.#opened.values()) await (await auth.catch(() => undefined))?.close();
  }

  async #make(config: AuthConfig): Promise<Authenticator> {
    const { log } = this;
    switch (config.module) {
      case "pass_table": {
        const { allowPlain, scram } = config;
        return await PassTable.open({
          table: await openTable(config.table, log),
          allowPlain,
          scram,
          log,
        });
      }
      case "plain_separate": {
        const users = await Promise.all(config.user?.map((table) => openTable(table, log)) ?? []);
        return new PlainSeparate({ users, passwords: await this.open(config.pass), log });
      }
    }
  }
}
