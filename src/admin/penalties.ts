/** Operations on the failed logins that a running server remembers. */

import { AdminError, type Operation, type Penalty, type PenaltyTable } from "./operation.ts";

/** All of them, the newest first. */
export const listPenalties: Operation<Record<string, never>, Penalty> = {
  async *run({ penalties }) {
    yield* running(penalties).list();
  },
};

/** Whose are forgotten; all are where neither is given. */
export interface ClearParams {
  /** An IP address, or a network as {@link listPenalties} shows it. */
  readonly address?: string;
  readonly user?: string;
}

/** Forgets failed logins, so that nobody waits because of them. */
export const clearPenalties: Operation<ClearParams, { readonly cleared: number }> = {
  async *run({ penalties, log }, { address, user }) {
    const cleared = running(penalties).clear({ address, user });
    log.info("penalties cleared", { address, user, count: cleared });
    yield { cleared };
  },
};

function running(penalties: PenaltyTable | undefined): PenaltyTable {
  if (penalties !== undefined) return penalties;
  throw new AdminError("No server is running");
}
