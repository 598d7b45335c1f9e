/** Looks at the capabilities that the config names, and makes of them what an endpoint needs. */

import { MECHANISM_NAMES } from "../auth/sasl/mechanisms.ts";
import type { Config, ImapConfig } from "../config/load.ts";
import { didYouMean } from "../config/suggest.ts";
import { capabilityNames } from "../imap/table.ts";
import { withDependents } from "../imap/withheld.ts";

/**
 * Faults of capabilities that there are not, each as `FILE:LINE:COLUMN: …`.
 *
 * @param file the config's path
 */
export function capabilityFaults(config: Config, file: string): string[] {
  const names = [...capabilityNames(), ...MECHANISM_NAMES.map((name) => `AUTH=${name}`)];
  const known = new Set(names.flatMap(spellings));
  return config.imap.flatMap(({ capabilities }) => capabilities.disable)
    .filter(({ value }) => !known.has(value.toUpperCase()))
    .map(({ value, key, at }) =>
      `${file}:${at.line}:${at.column}: ${key} must be a capability of this server: got "${value}"` +
      didYouMean(value, names)
    );
}

/** A capability, and the family that it belongs to; there is no family of AUTH. */
function spellings(name: string): readonly string[] {
  const upper = name.toUpperCase();
  const family = upper.replace(/=.*/, "");
  return family === "AUTH" ? [upper] : [upper, family];
}

/** What of an endpoint's settings its sessions ask for. */
export function withheldBy({ capabilities }: ImapConfig): ReadonlySet<string> {
  return withDependents(capabilities.disable.map(({ value }) => value));
}
