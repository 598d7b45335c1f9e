/** Users of Dovecot's passwd-files, as far as their passwords can be checked here. */

import { parsePasswordHash } from "../../auth/password_hash.ts";
import type { Dovecot, DovecotPasswords } from "./dovecot.ts";
import { pathForDomain } from "./dovecot_variables.ts";
import type { Machine } from "./machine.ts";

/** What was found in passwd-files. */
export interface DovecotUsers {
  /** Values of a password table, by name. */
  readonly taken: ReadonlyMap<string, string>;
  /** Names whose hashes cannot be checked here, and of those who may not log in everywhere. */
  readonly left: readonly string[];
  /** Where they are from. */
  readonly paths: readonly string[];
}

/** @param domains those that a `%d` in a path is tried with */
export function readDovecotUsers(
  machine: Machine,
  { passwords }: Dovecot,
  domains: readonly string[],
): DovecotUsers {
  const taken = new Map<string, string>();
  const left: string[] = [];
  const paths: string[] = [];
  const denied = namesIn(machine, passwords.filter(({ denies }) => denies));
  const permitting = passwords.filter(({ denies }) => !denies);
  for (const { path, domain, scheme } of permitting.flatMap((each) => filesOf(each, domains))) {
    const text = machine.text(path);
    if (text === undefined) continue;
    paths.push(path);
    for (const line of text.split("\n")) {
      const [user, hash, , , , , , extra = ""] = line.split(":");
      if (hash === undefined || /^\s*#/.test(line) || user.trim() === "") continue;
      const name = domain === undefined || user.includes("@") ? user : `${user}@${domain}`;
      // The first file that knows a user decides, as with Dovecot.
      if (taken.has(name)) continue;
      const restricted = RESTRICTIONS.test(extra) || denied.has(user) || denied.has(name);
      const value = restricted ? undefined : valueOf(hash, scheme);
      if (value === undefined) left.push(name);
      else taken.set(name, value);
    }
  }
  return { taken, left, paths };
}

/** Extra fields by which Dovecot lets a user in from some places only, or not at all. */
const RESTRICTIONS = /(^|\s)(nologin|allow_nets|allow_real_nets|proxy|host)\b/;

function namesIn(machine: Machine, files: readonly DovecotPasswords[]): Set<string> {
  const texts = files.map(({ path }) => machine.text(path) ?? "");
  return new Set(
    texts.flatMap((text) => text.split("\n").map((line) => line.split(":")[0].trim())),
  );
}

function filesOf(
  { path, scheme }: DovecotPasswords,
  domains: readonly string[],
): { path: string; domain?: string; scheme: string }[] {
  if (!path.includes("%")) return [{ path, scheme }];
  return domains.flatMap((domain) => {
    const filled = pathForDomain(path, domain);
    return filled === undefined ? [] : [{ path: filled, domain, scheme }];
  });
}

/** Passwords in the clear are not copied. */
function valueOf(hash: string, scheme: string): string | undefined {
  const value = /^[{$]/.test(hash) ? hash : `{${scheme}}${hash}`;
  const parsed = parsePasswordHash(value);
  return parsed === undefined || parsed.algorithm === "plain" ? undefined : value;
}
