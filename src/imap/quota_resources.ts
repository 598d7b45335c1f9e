/** The table of what quotas limit, and how it goes over the wire. @see RFC 9208 §5 */

import type { Allowance, Quota, QuotaResource } from "../store/store.ts";

interface QuotaResourceRow {
  readonly rfc: string;
  readonly capability: string;
  readonly resource: QuotaResource;
  /** What the numbers of the protocol count in those of the store. */
  readonly unit: number;
}

/** By the names of the protocol. */
export const QUOTA_RESOURCES: Readonly<
  Record<"STORAGE" | "MESSAGE" | "MAILBOX", QuotaResourceRow>
> = {
  STORAGE: {
    rfc: "RFC 9208 §5.1",
    capability: "QUOTA=RES-STORAGE",
    resource: "storage",
    unit: 1024,
  },
  MESSAGE: {
    rfc: "RFC 9208 §5.2",
    capability: "QUOTA=RES-MESSAGE",
    resource: "messages",
    unit: 1,
  },
  MAILBOX: {
    rfc: "RFC 9208 §5.3",
    capability: "QUOTA=RES-MAILBOX",
    resource: "mailboxes",
    unit: 1,
  },
};

/** quota-list = "(" quota-resource *(SP quota-resource) ")"; empty where nothing is limited */
export function quotaList(quota: Partial<Quota>): string {
  const items = Object.entries(QUOTA_RESOURCES).flatMap(([name, { resource, unit }]) => {
    const allowance: Allowance | undefined = quota[resource];
    if (allowance?.limit === undefined) return [];
    // Both are rounded in the same way, so that they tell whether the limit is passed.
    const [used, limit] = [allowance.used, allowance.limit].map((n) => Math.ceil(n / unit));
    return [`${name} ${used} ${limit}`];
  });
  return `(${items.join(" ")})`;
}
