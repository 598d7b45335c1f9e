/** Which capabilities are not offered, by the config or to a client that breaks on them. */

import type { Service } from "./command.ts";
import type { Session } from "./session.ts";

/** By name in upper case: what a capability cannot be without. */
const NEEDS: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  "CONTEXT=SEARCH": ["ESEARCH"],
  "CONTEXT=SORT": ["ESORT"],
  "CREATE-SPECIAL-USE": ["SPECIAL-USE"],
  "ESORT": ["ESEARCH", "SORT"],
  "FILTERS": ["METADATA"],
  // What was folded into it must be there, announced or not. @see RFC 9051 Appendix E
  "IMAP4REV2": [
    ...["BINARY", "CHILDREN", "ENABLE", "ESEARCH", "IDLE", "LIST-EXTENDED", "LIST-STATUS"],
    ...["LITERAL+", "LITERAL-", "MOVE", "NAMESPACE", "SASL-IR", "SEARCHRES", "SPECIAL-USE"],
    ...["STATUS=SIZE", "UIDPLUS", "UNSELECT"],
  ],
  "LIST-METADATA": ["LIST-EXTENDED", "METADATA"],
  "LIST-STATUS": ["LIST-EXTENDED"],
  "MULTISEARCH": ["ESEARCH"],
  "PARTIAL": ["ESEARCH"],
  "QRESYNC": ["CONDSTORE", "ENABLE"],
  "QUOTASET": ["QUOTA"],
  "REPLACE": ["UIDPLUS"],
  "SEARCHRES": ["ESEARCH"],
  "SORT=DISPLAY": ["SORT"],
  "UIDBATCHES": ["ESEARCH"],
  "UIDONLY": ["ENABLE"],
  "URL-PARTIAL": ["CATENATE"],
  "UTF8=ACCEPT": ["ENABLE"],
}));

/** The names of a capability by which it can be withheld: `APPENDLIMIT=1000` is APPENDLIMIT, too. */
function namesOf(capability: string): readonly string[] {
  const name = capability.toUpperCase();
  return [name, name.replace(/=.*/, "")];
}

/**
 * Some capabilities in upper case, and all that cannot be without one of them.
 *
 * @param names in any case, as CAPABILITY has them; "THREAD" is each that begins with "THREAD="
 */
export function withDependents(names: Iterable<string>): ReadonlySet<string> {
  const withheld = new Set(Array.from(names, (name) => name.toUpperCase()));
  for (let before = -1; before < withheld.size;) {
    before = withheld.size;
    for (const [name, needs] of NEEDS) {
      if (needs.some((need) => isWithheld(need, withheld))) withheld.add(name);
    }
  }
  return withheld;
}

/** Whether the config and what the client said of itself let it have a capability. */
export function isOffered(
  capability: string,
  { session, service }: {
    readonly session: Pick<Session, "withheld">;
    readonly service: Pick<Service, "withheld">;
  },
): boolean {
  const { withheld } = service;
  return !isWithheld(capability, session.withheld) &&
    (withheld === undefined || !isWithheld(capability, withheld));
}

/** @param withheld in upper case */
function isWithheld(capability: string, withheld: ReadonlySet<string>): boolean {
  return withheld.size > 0 && namesOf(capability).some((name) => withheld.has(name));
}
