/** Amounts as people write and read them. */

import { UsageError } from "./command.ts";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 2 ** 10],
  ["kb", 1e3],
  ["kib", 2 ** 10],
  ["m", 2 ** 20],
  ["mb", 1e6],
  ["mib", 2 ** 20],
  ["g", 2 ** 30],
  ["gb", 1e9],
  ["gib", 2 ** 30],
  ["t", 2 ** 40],
  ["tb", 1e12],
  ["tib", 2 ** 40],
]);

/** A limit: a number, 0 for "none", null for "default". */
export type Limit = number | null;

/**
 * Octets, such as "2GiB", "500 MB", "none" or "default".
 *
 * @throws {UsageError}
 */
export function octetLimit(text: string, option: string): Limit {
  const word = limitWord(text);
  if (word !== undefined) return word;
  const [, digits, unit] = text.match(/^(\d{1,12}(?:\.\d{1,3})?) ?([A-Za-z]*)$/) ?? [];
  const factor = UNITS.get(unit?.toLowerCase());
  const octets = Math.floor(Number(digits) * (factor ?? NaN));
  if (octets > 0) return octets;
  throw new UsageError(`Expected a size such as 2GiB, none or default for ${option}, got ${text}`);
}

/** A number of things, "none" or "default". @throws {UsageError} */
export function countLimit(text: string, option: string): Limit {
  const word = limitWord(text);
  if (word !== undefined) return word;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new UsageError(`Expected a number, none or default for ${option}, got ${text}`);
}

function limitWord(text: string): Limit | undefined {
  return text === "none" ? 0 : text === "default" ? null : undefined;
}

/** As `1.4 GiB`; small ones exactly. */
export function octetsText(octets: number): string {
  let value = octets;
  let unit = "B";
  for (const next of ["KiB", "MiB", "GiB", "TiB"]) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return unit === "B" ? `${octets} B` : `${value.toFixed(1)} ${unit}`;
}

/** `1 message`, `2 messages` */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Milliseconds as `5s`, `3m`, `2h`, `4d`. */
export function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
