/** What the `[limits]` table means to the server. */

import type { PenaltyOptions } from "../auth/penalties.ts";
import type { ServerLimitsConfig } from "../config/load.ts";
import type { CountLimits } from "../net/connection_counts.ts";
import { customerNetwork, Networks, widerNetwork } from "../net/ip_address.ts";

/** How many connections there may be. */
export function countLimits(limits: ServerLimitsConfig): CountLimits {
  return {
    all: limits.connections,
    address: limits.addressConnections,
    user: limits.userConnections,
    trusted: new Networks(limits.trusted),
  };
}

/** How logins are slowed down. */
export function penaltyOptions(limits: ServerLimitsConfig): PenaltyOptions {
  const trusted = new Networks(limits.trusted);
  return {
    first: limits.penalty,
    longest: limits.longestPenalty,
    lifetime: limits.penaltyLifetime,
    placeOf: (remote) => trusted.includes(remote) ? undefined : customerNetwork(remote),
    networkOf: widerNetwork,
  };
}
