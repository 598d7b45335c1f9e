/** The table of what ENABLE switches on. @see RFC 5161 §3.1 */

import type { Enableable, Session } from "./session.ts";

interface EnableableRow {
  readonly rfc: string;
  /** As CAPABILITY spells it. */
  readonly capability: string;
  /** What is enabled together with it. */
  readonly implies?: readonly Enableable[];
}

/** By name in upper case; what is not here yet cannot be enabled. */
export const ENABLEABLES: { readonly [Name in Enableable]?: EnableableRow } = {
  CONDSTORE: { rfc: "RFC 7162 §3.1", capability: "CONDSTORE" },
  QRESYNC: { rfc: "RFC 7162 §3.2.3", capability: "QRESYNC", implies: ["CONDSTORE"] },
  UIDONLY: { rfc: "RFC 9586 §3", capability: "UIDONLY" },
};

/**
 * Enables what can be enabled, and what that implies.
 *
 * @param names in upper case
 * @returns those of `names` that were not enabled before, as CAPABILITY spells them
 */
export function enableAll(session: Session, names: readonly string[]): readonly string[] {
  const fresh: string[] = [];
  for (const name of names.filter(isEnableable)) {
    const row = ENABLEABLES[name];
    if (row === undefined) continue;
    if (!session.enabled.has(name)) fresh.push(row.capability);
    for (const each of [name, ...row.implies ?? []]) session.enabled.add(each);
  }
  return fresh;
}

function isEnableable(name: string): name is Enableable {
  return Object.hasOwn(ENABLEABLES, name);
}
