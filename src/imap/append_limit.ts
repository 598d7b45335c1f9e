/** How large a message may be that a client adds. @see RFC 7889 */

import type { Service } from "./command.ts";

/** What an endpoint says of it. */
export type AppendLimits = Pick<Service, "appendLimit" | "appendLimits">;

/** Octets of a message for one mailbox. @see RFC 7889 §3 */
export function appendLimitOf(
  { appendLimit, appendLimits }: AppendLimits,
  mailbox: string,
): number {
  return Math.min(appendLimit, appendLimits.get(mailbox) ?? Infinity);
}

/** Without a number where mailboxes differ. @see RFC 7889 §2 */
export function appendLimitCapability({ appendLimit, appendLimits }: AppendLimits): string {
  return appendLimits.size > 0 ? "APPENDLIMIT" : `APPENDLIMIT=${appendLimit}`;
}
