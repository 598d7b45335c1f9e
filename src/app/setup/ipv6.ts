/** Whether addresses of IPv6 can be listened on. */

import type { Machine } from "./machine.ts";

/** Linux lists its addresses in a file that is not there where IPv6 is off. */
export function hasIpv6(machine: Machine): boolean {
  if (!machine.isReal || machine.info("/proc/net") === undefined) return true;
  return machine.info("/proc/net/if_inet6") !== undefined;
}
