/** GETQUOTA, GETQUOTAROOT and SETQUOTA. @see RFC 9208 §7 */

import type { Scanner } from "./scanner.ts";

/** GETQUOTA @see RFC 9208 §4.1.1 */
export interface GetQuotaArgs {
  /** A byte string. */
  readonly root: string;
}

/** getquota = "GETQUOTA" SP quota-root-name @see RFC 9208 §7 */
export function getQuotaArgs(s: Scanner): GetQuotaArgs {
  s.space();
  const root = quotaRootName(s);
  s.end();
  return { root };
}

/** SETQUOTA @see RFC 9208 §4.1.3 */
export interface SetQuotaArgs extends GetQuotaArgs {
  /** The last limit of each resource, by its name in upper case. */
  readonly limits: ReadonlyMap<string, number>;
}

/**
 * setquota = "SETQUOTA" SP quota-root-name SP setquota-list
 *
 * setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")"
 *
 * @see RFC 9208 §7
 */
export function setQuotaArgs(s: Scanner): SetQuotaArgs {
  s.space();
  const root = quotaRootName(s);
  s.space();
  const limits = s.listOrEmpty(quotaResource);
  s.end();
  return { root, limits: new Map(limits) };
}

/** setquota-resource = resource-name SP resource-limit */
function quotaResource(s: Scanner): readonly [name: string, limit: number] {
  const name = s.atom("the name of a resource").toUpperCase();
  s.space();
  return [name, s.number64("a limit")];
}

/** quota-root-name = astring */
function quotaRootName(s: Scanner): string {
  return s.astring("a quota root");
}
