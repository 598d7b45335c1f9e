/** Which names an account may have, given that they become parts of paths. */

/** Octets that Linux takes in a file name. */
const LONGEST = 255;

/** Why `name` cannot be an account's name, as the end of "the name …"; undefined if it can. */
export function accountNameFault(name: string): string | undefined {
  if (new TextEncoder().encode(name).length > LONGEST) return `is longer than ${LONGEST} octets`;
  if (/[/\p{Cc}]/u.test(name)) return "has a slash or control characters";
  const { local, domain } = accountParts(name);
  if (local === "" || domain === "") return "is empty, or empty on one side of its @";
  // Also rules out "." and "..".
  if (local.startsWith(".") || domain?.startsWith(".")) return "begins with a dot";
  return undefined;
}

/** The parts before and after the last `@`; without one there is no domain. */
function accountParts(name: string): { local: string; domain?: string } {
  const at = name.lastIndexOf("@");
  return at < 0 ? { local: name } : { local: name.slice(0, at), domain: name.slice(at + 1) };
}

/**
 * Fills `{account}`, `{local}` and `{domain}` into a path.
 *
 * @throws {RangeError} when the name may not be an account's, or has no domain where one is needed
 */
export function accountPath(template: string, name: string): string {
  const fault = accountNameFault(name);
  if (fault !== undefined) {
    throw new RangeError(`Expected a name for an account, got one that ${fault}`);
  }
  const { local, domain } = accountParts(name);
  return template.replace(/\{(account|local|domain)\}/g, (_, field: string) => {
    if (field === "account") return name;
    if (field === "local") return local;
    if (domain === undefined) throw new RangeError(`Expected a name with a domain, got ${name}`);
    return domain;
  });
}
