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
  return isInIpv6Network(address) ? ipv6Network(address, 64) : address;
}

/**
 * What many customers of a provider may share, and one large customer may have: 24 bits of IPv4, or 48
 * of IPv6; undefined where that says nothing of who it is.
 *
 * @param address as {@link canonicalAddress} or {@link customerNetwork} spells it
 */
export function widerNetwork(address: string): string | undefined {
  if (isIPv4(address)) return `${address.slice(0, address.lastIndexOf("."))}.0/24`;
  return isInIpv6Network(address) ? ipv6Network(address, 48) : undefined;
}

/** True but for IPv4, also behind a translator (RFC 6052), and for one link's own addresses. */
function isInIpv6Network(address: string): boolean {
  return address.includes(":") && !/^(64:ff9b::|fe80:)/.test(address);
}

function ipv6Network(address: string, bits: number): string {
  const [head, tail] = address.replace(/\/.*/, "").split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after].slice(0, bits / 16);
  return `${groups.join(":")}::/${bits}`;
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
