/** The table of what ENABLE switches on. @see RFC 5161 §3.1 */

import type { AuthenticatedContext } from "./command.ts";
import { MetadataNews } from "./metadata_news.ts";
import type { Enableable } from "./session.ts";

interface EnableableRow {
  readonly rfc: string;
  /** As CAPABILITY spells it. */
  readonly capability: string;
  /** What is enabled together with it. */
  readonly implies?: readonly Enableable[];
  /** What else is to be done when it is enabled for the first time. */
  readonly begin?: (context: AuthenticatedContext) => void;
}

/** By name in upper case; what is not here yet cannot be enabled. */
export const ENABLEABLES: { readonly [Name in Enableable]?: EnableableRow } = {
  METADATA: {
    rfc: "RFC 5464 §4.4",
    capability: "METADATA",
    begin: ({ session, user, service }) => {
      session.metadataNews = new MetadataNews(session, user, service);
    },
  },
  CONDSTORE: { rfc: "RFC 7162 §3.1", capability: "CONDSTORE" },
  QRESYNC: { rfc: "RFC 7162 §3.2.3", capability: "QRESYNC", implies: ["CONDSTORE"] },
  UIDONLY: { rfc: "RFC 9586 §3", capability: "UIDONLY" },
  IMAP4REV2: { rfc: "RFC 9051 §6.3.1", capability: "IMAP4rev2" },
  "UTF8=ACCEPT": { rfc: "RFC 6855 §3", capability: "UTF8=ACCEPT" },
};

/**
 * Enables what can be enabled, and what that implies.
 *
 * @param names in upper case
 * @returns those of `names` that were not enabled before, as CAPABILITY spells them
 */
export function enableAll(
  context: AuthenticatedContext,
  names: readonly string[],
): readonly string[] {
  const { session } = context;
  const fresh: string[] = [];
  for (const name of names.filter(isEnableable)) {
    const row = ENABLEABLES[name];
    if (row === undefined) continue;
    if (!session.enabled.has(name)) {
      fresh.push(row.capability);
      row.begin?.(context);
    }
    for (const each of [name, ...row.implies ?? []]) session.enabled.add(each);
  }
  return fresh;
}

function isEnableable(name: string): name is Enableable {
  return Object.hasOwn(ENABLEABLES, name);
}
