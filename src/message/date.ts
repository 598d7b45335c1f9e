/** The Date field. @see RFC 5322 §3.3, §4.3 */

import { unfold } from "./header.ts";
import { withoutComments } from "./structured_field.ts";

export interface MessageDate {
  /** Seconds since 1970-01-01T00:00Z. */
  readonly seconds: number;
  /** Minutes east of UTC. */
  readonly zone: number;
  /** The calendar day as written, in its own zone: days since 1970-01-01. */
  readonly day: number;
}

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
/** Minutes east of UTC; every other name means -0000. @see RFC 5322 §4.3 */
const ZONES: Readonly<Record<string, number>> = {
  edt: -240,
  est: -300,
  cdt: -300,
  cst: -360,
  mdt: -360,
  mst: -420,
  pdt: -420,
  pst: -480,
};
/** Dates are shorter than this; the rest of a longer value has no say. */
const MAX_LENGTH = 256;

const TIME = String.raw`(\d{1,2})\s*:\s*(\d{1,2})(?:\s*:\s*(\d{1,2})(?:\.\d+)?)?`;
const ZONE = String.raw`([+-]\d{2}:?\d{2}|[A-Za-z]+)?`;
const RFC_5322 = new RegExp(
  String.raw`^\s*(?:[A-Za-z]+\.?\s*,?\s*)?(\d{1,2})[\s-]+([A-Za-z]{3,9})\.?[\s,-]+(\d{2,4})` +
    String.raw`(?:[\s,]+${TIME}\s*${ZONE})?`,
);
/** `Thu Feb 13 23:31:30 2026`, which old mailers write. */
const CTIME = new RegExp(
  String.raw`^\s*[A-Za-z]{3,9},?\s+([A-Za-z]{3,9})\s+(\d{1,2})\s+${TIME}\s+(?:${ZONE}\s+)?(\d{4})`,
);

/** Reads a Date value (latin1, still folded); undefined if it has no valid date. */
export function parseDate(raw: string): MessageDate | undefined {
  return readDate(raw, false);
}

/**
 * The moment that a Date value tells, in seconds since 1970: a zone that cannot be is taken for UTC,
 * a time that cannot be for midnight. Undefined if it has no valid day.
 *
 * @see RFC 5256 §2.2
 */
export function sentSeconds(raw: string): number | undefined {
  return readDate(raw, true)?.seconds;
}

function readDate(raw: string, lenient: boolean): MessageDate | undefined {
  const text = withoutComments(unfold(raw.slice(0, MAX_LENGTH)));
  const match = RFC_5322.exec(text);
  if (match !== null) {
    const [, day, month, year, hour, minute, second, zone] = match;
    return makeDate(fullYear(year), month, day, [hour, minute, second], zone, lenient);
  }
  const ctime = CTIME.exec(text);
  if (ctime === null) return undefined;
  const [, month, day, hour, minute, second, zone, year] = ctime;
  return makeDate(Number(year), month, day, [hour, minute, second], zone, lenient);
}

function makeDate(
  year: number,
  monthName: string,
  dayOfMonth: string,
  time: readonly (string | undefined)[],
  zoneText: string | undefined,
  lenient: boolean,
): MessageDate | undefined {
  const month = MONTHS.indexOf(monthName.slice(0, 3).toLowerCase()) / 3;
  let [hour, minute, second] = time.map((part) => Number(part ?? 0));
  if (!Number.isInteger(month) || month < 0) return undefined;
  if (hour > 23 || minute > 59 || second > 60) {
    if (!lenient) return undefined;
    [hour, minute, second] = [0, 0, 0];
  }
  const midnight = Date.UTC(year, month, Number(dayOfMonth));
  // The 31st of a shorter month would have rolled over to the next.
  if (new Date(midnight).getUTCDate() !== Number(dayOfMonth)) return undefined;
  const zone = zoneMinutes(zoneText) ?? (lenient ? 0 : undefined);
  if (zone === undefined) return undefined;
  const seconds = midnight / 1000 + hour * 3600 + minute * 60 + second - zone * 60;
  return { seconds, zone, day: midnight / 86_400_000 };
}

/** @see RFC 5322 §4.3 `obs-year` */
function fullYear(year: string): number {
  const value = Number(year);
  if (year.length === 2) return value < 50 ? 2000 + value : 1900 + value;
  return year.length === 3 ? 1900 + value : value;
}

function zoneMinutes(text: string | undefined): number | undefined {
  if (text === undefined) return 0;
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(text);
  if (match === null) return ZONES[text.toLowerCase()] ?? 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  if (minutes >= 24 * 60) return undefined;
  return match[1] === "-" && minutes > 0 ? -minutes : minutes;
}
