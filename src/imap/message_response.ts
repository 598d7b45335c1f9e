/** How untagged answers about one message begin. */

import type { Session } from "./session.ts";

/** `* 3 FETCH (`, or `* 17 UIDFETCH (` once UIDONLY is enabled. @see RFC 9051 §7.5.2, RFC 9586 §3.1 */
export function fetchOpening(session: Session, seq: number, uid: number): string {
  return session.uidOnly ? `* ${uid} UIDFETCH (` : `* ${seq} FETCH (`;
}

/**
 * Whether an answer about a message has its UID among the items.
 *
 * @param byUid it answers the UID form of a command
 * @see RFC 7162 §3.2.4, RFC 9051 §7.5.2, RFC 9586 §3.3
 */
export function namesUid({ qresync, rev2, uidOnly }: Session, byUid: boolean): boolean {
  return !uidOnly && (byUid || qresync || rev2);
}
