/** Makes what delivers mail from its config. */

import { lookup } from "node:dns/promises";
import type { Config, LmtpConfig, StorageConfig } from "../config/load.ts";
import { isLoopback, type LocalAddress } from "../config/local_addresses.ts";
import { StoreDelivery } from "../delivery/store_delivery.ts";
import type { Log } from "../log.ts";
import type { ListenAddress } from "../net/listen_address.ts";
import type { Store } from "../store/store.ts";
import { normalizationOf } from "./login_names.ts";
import { accountFault } from "./storage.ts";
import type { Tables } from "./tables.ts";

/** What deliveries of a server need beside their storage. */
export interface DeliveryContext {
  readonly hostname: string;
  readonly stateDir: string;
  readonly tables: Tables;
  readonly log: Log;
}

/** Delivers into `store`, which `config` describes. @throws {Error} when its map cannot be read */
export async function openDelivery(
  config: StorageConfig,
  store: Store,
  { hostname, stateDir, tables, log }: DeliveryContext,
): Promise<StoreDelivery> {
  return new StoreDelivery({
    store,
    map: await tables.open(config.deliveryMap),
    normalize: normalizationOf(config.deliveryNormalize),
    separator: config.deliverySeparator,
    refusesOverQuota: config.deliveryOverQuota === "reject",
    accountFault: (name) => accountFault(config, name),
    hostname,
    spoolFolder: stateDir,
    log,
  });
}

/** The addresses of an endpoint as listeners take them. */
export function lmtpAddresses({ listen }: LmtpConfig): ListenAddress[] {
  return listen.map(({ address }) => ({ ...address, key: "lmtp.listen" }));
}

/**
 * Faults of names to listen on that other machines can reach, each as `FILE:LINE:COLUMN: …`: whoever
 * connects may deliver. A name without any address is told of when it is opened.
 *
 * @param file the config's path
 * @param resolve IP addresses of a name
 */
export async function lmtpFaults(
  { lmtp }: Config,
  file: string,
  resolve = addressesOf,
): Promise<string[]> {
  const addresses = lmtp.flatMap(({ listen }) => listen);
  const faults = await Promise.all(addresses.map((each) => faultOf(each, file, resolve)));
  return faults.flat();
}

async function faultOf(
  { address, key, at }: LocalAddress,
  file: string,
  resolve: typeof addressesOf,
): Promise<string[]> {
  if (address.kind === "unix") return [];
  const open = (await resolve(address.host)).find((each) => !isLoopback(each));
  if (open === undefined) return [];
  return [
    `${file}:${at.line}:${at.column}: ${key} must be a name of loopback addresses only: got ` +
    `${address.host}, which is ${open}`,
  ];
}

async function addressesOf(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}
