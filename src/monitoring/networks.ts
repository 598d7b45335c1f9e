/** Networks that attackers come from: one host has many addresses of IPv6. */

import { isIPv4, isIPv6 } from "node:net";

/** The /24 or the /64 of an IP address; anything else (such as "unix") stays as it is. */
export function networkOf(address: string): string {
  if (isIPv4(address)) return `${address.split(".").slice(0, 3).join(".")}.0/24`;
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address).slice(0, 4).map((group) => parseInt(group, 16).toString(16));
  return `${groups.join(":").replace(/(:0)+$/, "")}::/64`.replace(/^0::/, "::");
}

/** All eight groups. */
function groupsOf(address: string): string[] {
  const [head, tail] = address.replace(/%.*$/, "").split("::");
  const parts = (text: string) => text === "" ? [] : text.split(":").flatMap(octetsAsGroups);
  const before = parts(head);
  if (tail === undefined) return before;
  const after = parts(tail);
  return [...before, ...Array(8 - before.length - after.length).fill("0"), ...after];
}

/** The end of `::ffff:192.0.2.9` is two groups. */
function octetsAsGroups(part: string): string[] {
  if (!part.includes(".")) return [part];
  const [a, b, c, d] = part.split(".").map(Number);
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}
