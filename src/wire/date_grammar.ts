/** Dates in commands. @see RFC 9051 §9 `date`, `date-time` */

import type { Scanner } from "./scanner.ts";

/** A day without time or zone, as days since 1970-01-01. */
export type Day = number;

/** A moment with the zone that it was written in. */
export interface DateTime {
  /** Seconds since 1970-01-01T00:00Z. */
  readonly seconds: number;
  /** Minutes east of UTC. */
  readonly zone: number;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DATE = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/;
const DATE_TIME = /^ ?(\d{1,2}-[A-Za-z]{3}-\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;
/** The zones in use reach from -1200 to +1400. */
const MAX_ZONE = 14 * 60;

/**
 * date = date-text / DQUOTE date-text DQUOTE
 *
 * date-text = date-day "-" date-month "-" date-year
 */
export function date(s: Scanner): Day {
  const start = s.position;
  const wanted = "a date such as 1-Feb-1994";
  const day = dayOf(s.peek() === '"' ? s.quoted(wanted) : s.atom(wanted));
  if (day === undefined) throw s.fault(wanted, start);
  return day;
}

/**
 * date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 *
 * date-day-fixed = (SP DIGIT) / 2DIGIT; a lone digit is forgiven
 */
export function dateTime(s: Scanner): DateTime {
  const start = s.position;
  const wanted = 'a date and time such as "17-Jul-1996 02:44:25 -0700"';
  const moment = momentOf(s.quoted(wanted));
  if (moment === undefined) throw s.fault(wanted, start);
  return moment;
}

function momentOf(text: string): DateTime | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const day = dayOf(match[1]);
  const [hour, minute, second, , zoneHours, zoneMinutes] = match.slice(2).map(Number);
  const zone = (match[5] === "-" ? -1 : 1) * (zoneHours * 60 + zoneMinutes);
  // A second of 60 is a leap second.
  const valid = hour < 24 && minute < 60 && second <= 60 && zoneMinutes < 60;
  if (day === undefined || !valid || Math.abs(zone) > MAX_ZONE) return undefined;
  // "-0000" must not become -0.
  return { seconds: ((day * 24 + hour) * 60 + minute - zone) * 60 + second, zone: zone + 0 };
}

/** The day that a date-text names, if there is such a day. */
function dayOf(text: string): Day | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const day = Number(match[1]);
  const month = MONTHS.indexOf(match[2].toUpperCase());
  const year = Number(match[3]);
  if (month < 0 || day < 1 || day > daysInMonth(year, month)) return undefined;
  return daysSince1970(year, month, day);
}

function daysInMonth(year: number, month: number): number {
  return month === 1 && isLeap(year) ? 29 : DAYS_IN_MONTH[month];
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Years below 100 are meant as written, which `Date.UTC` alone would take for 19xx. */
function daysSince1970(year: number, month: number, day: number): Day {
  return Math.round(new Date(0).setUTCFullYear(year, month, day) / 86_400_000);
}
