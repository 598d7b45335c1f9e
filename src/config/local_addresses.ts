/** Addresses that only programs of the same machine can reach. */

import { isIPv4, isIPv6 } from "node:net";
import { type Address, address } from "./addresses.ts";
import { type Kind, wrong } from "./setting.ts";
import type { Position } from "./toml.ts";

/** An address, and where it stands in the config: what its name means is found out later. */
export interface LocalAddress {
  readonly address: Extract<Address, { readonly kind: "inet" | "unix" }>;
  readonly key: string;
  readonly at: Position;
}

const EXPECTED = '"unix://PATH", or "tcp://HOST:PORT" with a loopback address and a port other ' +
  "than 25";

/** `unix://PATH`, or `tcp://HOST:PORT` where the host is a loopback address or a name. */
export function localAddress(): Kind<LocalAddress> {
  const any = address();
  return {
    name: "local address",
    expected: `${EXPECTED}; or a table with such an address`,
    read(value, key, reading) {
      const read = any.read(value, key, reading);
      if (read === undefined) return undefined;
      const place = value.type === "table" ? value.entries.get("address")?.value ?? value : value;
      if (!isLocal(read)) return wrong(reading, place, key, EXPECTED);
      return { address: read, key, at: place.at };
    },
  };
}

function isLocal(address: Address): address is LocalAddress["address"] {
  if (address.kind === "unix") return true;
  if (address.kind === "fd" || address.tls || address.port === 25) return false;
  const isName = !isIPv4(address.host) && !isIPv6(address.host);
  return isName || isLoopback(address.host);
}

/** Whether an IP address is one of this machine that no other can reach. */
export function isLoopback(ip: string): boolean {
  if (isIPv4(ip)) return ip.startsWith("127.");
  if (!isIPv6(ip) || ip.includes("%")) return false;
  const spelt = new URL(`http://[${ip}]/`).hostname;
  return spelt === "[::1]" || spelt.startsWith("[::ffff:7f");
}
