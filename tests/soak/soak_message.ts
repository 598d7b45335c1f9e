/** Messages of the soak: each says which it is, and all of its octets follow from that. */

import { Random } from "../model/random.ts";

const WORDS =
  "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho".split(
    " ",
  );

/** What a delivery puts above a message. */
const TRACE_FIELDS = /^Return-Path: [^\r]*\r\n(Received|Delivered-To|\s)[^]*$/;

/** The message number `token`, with CRLF; most are small, some take more than one write. */
export function messageText(token: number): string {
  const random = new Random(token * 2654435761);
  const kind = random.below(100);
  const size = kind < 80 ? random.below(1500) : kind < 98 ? random.below(30_000) : 300_000;
  const paragraph = Array.from({ length: 11 }, () => random.pick(WORDS)).join(" ");
  // A line with a dot is doubled on the way through LMTP.
  const lines = [`.${token}`, `${token} ${paragraph}`];
  for (let length = 0; length < size; length += paragraph.length) lines.push(paragraph);
  return `Subject: soak ${token}\r\nMessage-ID: <soak-${token}@example.org>\r\n` +
    `From: Soak <soak@example.org>\r\n\r\n${lines.join("\r\n")}\r\n`;
}

/** Which message it is; undefined if it is none of the soak. */
export function tokenOf(text: string): number | undefined {
  const found = /^Subject: soak (\d+)\r?$/m.exec(text);
  return found === null ? undefined : Number(found[1]);
}

/** By this mbsync finds again what it stored. */
const MBSYNC_FIELD = /^X-TUID: [^\r\n]{12}\r\n/m;

/** Whether all octets are what they were; a delivery may have put its fields above them. */
export function isIntact(text: string, token: number): boolean {
  const sent = messageText(token);
  if (text === sent || text.replace(MBSYNC_FIELD, "") === sent) return true;
  if (!text.endsWith(sent)) return false;
  return TRACE_FIELDS.test(text.slice(0, -sent.length));
}
