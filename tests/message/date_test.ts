import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { parseDate } from "../../src/message/date.ts";

/** As ISO 8601 in UTC, with the zone and the day as written. */
function shown(raw: string): string | undefined {
  const date = parseDate(raw);
  if (date === undefined) return undefined;
  const day = new Date(date.day * 86_400_000).toISOString().slice(0, 10);
  return `${new Date(date.seconds * 1000).toISOString().slice(0, 19)} ${date.zone} ${day}`;
}

const CASES: Readonly<Record<string, string | undefined>> = {
  "Tue, 10 Feb 2026 10:00:00 +0100": "2026-02-10T09:00:00 60 2026-02-10",
  " Tue, 10 Feb 2026 00:30:00 +0130 (CET)": "2026-02-09T23:00:00 90 2026-02-10",
  "10 Feb 2026 23:59 -0500": "2026-02-11T04:59:00 -300 2026-02-10",
  "Tue,\r\n 10 Feb\r\n\t2026 10:00:00\r\n +0000": "2026-02-10T10:00:00 0 2026-02-10",
  "10 Feb 26 10:00 EST": "2026-02-10T15:00:00 -300 2026-02-10",
  "10 Feb 99 10:00 PDT": "1999-02-10T17:00:00 -420 1999-02-10",
  "10 Feb 103 10:00 UT": "2003-02-10T10:00:00 0 2003-02-10",
  "Tue (Tues), 10 (tenth) Feb 2026 10 : 00 : 00 GMT": "2026-02-10T10:00:00 0 2026-02-10",
  "TUESDAY, 1-february-2026 1:02:03 Z": "2026-02-01T01:02:03 0 2026-02-01",
  "Tue, 10 Feb 2026 10:00:00": "2026-02-10T10:00:00 0 2026-02-10",
  "Tue, 10 Feb 2026": "2026-02-10T00:00:00 0 2026-02-10",
  "Tue, 10 Feb 2026 23:59:60 +0000": "2026-02-11T00:00:00 0 2026-02-10",
  "Tue Feb 10 10:00:00 2026": "2026-02-10T10:00:00 0 2026-02-10",
  "Tue Feb 10 10:00:00 EST 2026": "2026-02-10T15:00:00 -300 2026-02-10",
  "29 Feb 2024 00:00:00 +0000": "2024-02-29T00:00:00 0 2024-02-29",
  "29 Feb 2026 00:00:00 +0000": undefined,
  "0 Jan 2026 00:00:00 +0000": undefined,
  "10 Foo 2026 10:00:00 +0000": undefined,
  "10 Feb 2026 24:00:00 +0000": undefined,
  "10 Feb 2026 10:60:00 +0000": undefined,
  "10 Feb 2026 10:00:00 +9900": undefined,
  "2026-02-10T10:00:00Z": undefined,
  "yesterday": undefined,
  "": undefined,
};

for (const [raw, expected] of Object.entries(CASES)) {
  Deno.test(`parseDate: ${JSON.stringify(raw)}`, () => equal(shown(raw), expected));
}

Deno.test("parseDate reads back every date that RFC 5322 can write", () => {
  const seconds = fc.integer({ min: -2_000_000_000, max: 32_000_000_000 });
  const zone = fc.integer({ min: -1439, max: 1439 });
  fc.assert(fc.property(seconds, zone, (instant, minutes) => {
    const local = new Date((instant + minutes * 60) * 1000);
    const [weekday, day, month, year, time] = local.toUTCString().split(" ");
    const east = Math.abs(minutes);
    const offset = `${minutes < 0 ? "-" : "+"}${
      String(Math.floor(east / 60) * 100 + east % 60).padStart(4, "0")
    }`;
    deepEqual(parseDate([weekday, day, month, year, time, offset].join(" ")), {
      seconds: instant,
      zone: minutes,
      day: Math.floor((instant + minutes * 60) / 86_400),
    });
  }));
});

Deno.test("parseDate answers at once for any text", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseDate(text)));
  equal(parseDate("1 ".repeat(500_000)), undefined);
  equal(parseDate("(".repeat(500_000)), undefined);
});
