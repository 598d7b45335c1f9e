/** The generated messages of transcripts: small, known to the last byte, a day apart. */

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const WEEKDAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");

/** Noon of the nth day of 2026. */
function sampleDay(n: number): { day: string; month: string; year: number; weekday: string } {
  const date = new Date(Date.UTC(2026, 0, n, 12));
  return {
    day: `${date.getUTCDate()}`.padStart(2, "0"),
    month: MONTHS[date.getUTCMonth()],
    year: date.getUTCFullYear(),
    weekday: WEEKDAYS[date.getUTCDay()],
  };
}

/** INTERNALDATE of the nth generated message: `01-Jan-2026 12:00:00 +0000`. */
export function sampleDate(n: number): string {
  const { day, month, year } = sampleDay(n);
  return `${day}-${month}-${year} 12:00:00 +0000`;
}

/** The nth generated message, with CRLF. */
export function sampleMessage(n: number): string {
  const { day, month, year, weekday } = sampleDay(n);
  return [
    `From: Sender ${n} <sender${n}@example.org>`,
    "To: Receiver <receiver@example.org>",
    `Subject: Message ${n}`,
    `Date: ${weekday}, ${day} ${month} ${year} 12:00:00 +0000`,
    `Message-ID: <m${n}@example.org>`,
    "",
    `This is message ${n}`,
    "",
  ].join("\r\n");
}
