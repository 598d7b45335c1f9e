/** Operations on the clients of a running server. */

import type { SessionInfo } from "../net/session_info.ts";
import { AdminError, type Operation, type Sessions } from "./operation.ts";

/** All connections, the oldest first. */
export const listSessions: Operation<Record<string, never>, SessionInfo> = {
  async *run({ sessions }) {
    yield* [...running(sessions).list()].sort((a, b) => a.since - b.since);
  },
};

/** Whom to send away; at least one must be given. */
export interface KickParams {
  readonly user?: string;
  /** An IP address. */
  readonly address?: string;
  readonly id?: string;
}

/** Ends the connections to which all of `params` apply. */
export const kickSessions: Operation<KickParams, { readonly kicked: number }> = {
  async *run({ sessions, log }, { user, address, id }) {
    const kicked = running(sessions).kick(
      (session) =>
        (user === undefined || session.user === user) &&
        (address === undefined || session.remote === address) &&
        (id === undefined || session.id === id),
      "Logged out by the administrator",
    );
    log.info("sessions kicked", { user, address, conn: id, count: kicked });
    yield { kicked };
  },
};

function running(sessions: Sessions | undefined): Sessions {
  if (sessions !== undefined) return sessions;
  throw new AdminError("No server is running");
}
