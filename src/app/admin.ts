/** What administration works with, by a config: in the server as well as in the command line. */

import {
  type AdminContext,
  AdminError,
  type PenaltyTable,
  type Sessions,
} from "../admin/operation.ts";
import type { Config, StorageConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import { accountPath } from "../auth/account_name.ts";
import { diskUsage } from "../store/maildir/disk_usage.ts";
import { examineServer } from "./doctor/doctor.ts";
import { openDelivery } from "./delivery.ts";
import type { Stores } from "./storage.ts";
import { Tables } from "./tables.ts";

/** What only a running server has. */
export interface ServerState {
  readonly sessions: Sessions;
  readonly penalties: PenaltyTable;
}

/** @param server that of the running server, if this is one */
export function adminContext(
  config: Config,
  stores: Stores,
  log: Log,
  server?: ServerState,
): AdminContext {
  const running = server !== undefined;
  return {
    storage: (name) => stores.open(storageOf(config, name)),
    async delivery(name) {
      const storage = storageOf(config, name);
      const tables = new Tables(log);
      const { stateDir, hostname = Deno.hostname() } = config;
      const context = { hostname, stateDir, tables, log };
      const delivery = await openDelivery(storage, stores.open(storage), context);
      return {
        limit: deliveryLimit(config, storage),
        recipient: (address, create) => delivery.recipient(address, create),
        begin: (envelope) => delivery.begin(envelope),
        close: () => tables.close(),
      };
    },
    appendLimit: (name) => appendLimit(config, storageOf(config, name)),
    ...server,
    running,
    log,
    diskUsage: (account, name) => diskUsage(accountPath(storageOf(config, name).path, account)),
    examineServer: () => examineServer(config, running),
    examineAccount: async function* (account, { repair = false, thorough = false }, name, gone) {
      const store = stores.maildirs(storageOf(config, name));
      const found = repair ? store.repair : store.examine;
      yield* await found.call(store, account, thorough, gone);
    },
  };
}

/** Where no endpoint says otherwise; that of `[[lmtp]]`. */
const DELIVERY_LIMIT = 64 * 1024 * 1024;

function deliveryLimit({ lmtp }: Config, storage: StorageConfig): number {
  const endpoint = lmtp.find((each) => each.storage === storage) ?? lmtp.at(0);
  return endpoint?.limits.message ?? DELIVERY_LIMIT;
}

function appendLimit({ imap }: Config, storage: StorageConfig): number {
  const endpoint = imap.find((each) => each.storage === storage) ?? imap[0];
  return Math.min(endpoint.limits.append, storage.appendlimit ?? Infinity);
}

/** @throws {AdminError} when the config has none of that name */
function storageOf(config: Config, name: string | undefined): StorageConfig {
  const storages = [...config.imap, ...config.lmtp].map(({ storage }) => storage);
  const chosen = storages.find(({ blockName }) => name === undefined || blockName === name);
  if (chosen !== undefined) return chosen;
  const names = [...new Set(storages.flatMap(({ blockName }) => blockName ?? []))];
  throw new AdminError(
    `Expected a storage block of the config (${names.join(", ") || "there is none"}), got ${name}`,
    "usage",
  );
}
