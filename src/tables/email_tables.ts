/** Tables between names and email addresses. */

import { quoteLocal, splitEmail, unquoteLocal } from "../names/email_address.ts";
import { ruleTable, type Table } from "./table.ts";

/**
 * The table from an address to its local part, without quotes. It has nothing for what is no
 * address.
 */
export function emailLocalpartTable(): Table {
  return ruleTable(localPart);
}

/** As {@link emailLocalpartTable}, but the value of what is no address is the key. */
export function optionalEmailLocalpartTable(): Table {
  return ruleTable((key) => localPart(key) ?? key);
}

/**
 * The table from a name to its address in each of `domains`, of which there is at least one. The
 * name is quoted where an address needs it.
 */
export function emailWithDomainTable(domains: readonly string[]): Table {
  const addresses = (key: string) => {
    const local = quoteLocal(key);
    return local === undefined ? [] : domains.map((domain) => `${local}@${domain}`);
  };
  return {
    ...ruleTable((key) => addresses(key).at(0), domains.length === 1),
    lookupAll: (key) => Promise.resolve(addresses(key)),
  };
}

function localPart(key: string): string | undefined {
  const email = splitEmail(key);
  return email && unquoteLocal(email.local);
}
