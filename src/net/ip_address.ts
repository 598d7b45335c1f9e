/** IP addresses as text, and sets of networks. */

import { BlockList, isIPv4, isIPv6 } from "node:net";

/** What peers of a unix socket are called, who have no IP address. */
export const UNIX_PEER = "unix";

/**
 * One spelling for each address: IPv6 as RFC 5952 wants it, IPv4-mapped IPv6 as IPv4; undefined if
 * `text` is no IP address.
 *
 * @see RFC 5952 §4
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const spelt = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(spelt);
  if (mapped === null) return spelt;
  const [high, low] = [parseInt(mapped[1], 16), parseInt(mapped[2], 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/**
 * What one customer of a provider has of addresses: an IPv4 address, or an IPv6 network of 64 bits.
 * Where many share such a network it is the whole address.
 *
 * @param address as {@link canonicalAddress} spells it; anything else (such as "unix") stays as it is
 */
export function customerNetwork(address: string): string {
  // IPv4 behind a translator (RFC 6052), and one link's own addresses.
  if (!address.includes(":") || /^(64:ff9b::|fe80:)/.test(address)) return address;
  const [head, tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after].slice(0, 4);
  return `${groups.join(":")}::/64`;
}

/** IPv4 and IPv6 networks. */
export class Networks {
  readonly #list = new BlockList();
  readonly #unix: boolean;

  /** @param entries addresses, subnets as `10.0.0.0/8`, and "unix" for peers of unix sockets */
  constructor(entries: readonly string[]) {
    this.#unix = entries.includes(UNIX_PEER);
    for (const entry of entries) {
      if (entry === UNIX_PEER) continue;
      const [address, length] = entry.split("/");
      const family = isIPv4(address) ? "ipv4" : "ipv6";
      const whole = family === "ipv4" ? 32 : 128;
      this.#list.addSubnet(address, length === undefined ? whole : Number(length), family);
    }
  }

  /** @param peer an address as {@link canonicalAddress} spells it, or "unix" */
  includes(peer: string): boolean {
    if (peer === UNIX_PEER) return this.#unix;
    if (isIPv4(peer)) return this.#list.check(peer, "ipv4");
    return isIPv6(peer) && this.#list.check(peer, "ipv6");
  }
}
