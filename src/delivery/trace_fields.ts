/** Header fields that a delivery puts on top of a message; pure. */

/** How a message came here. */
export interface Arrival {
  /** What the client calls itself; absent where a program handed the message over. */
  readonly from?: string;
  /** An IP address, or "unix". */
  readonly remote?: string;
  /** As RFC 3848 and RFC 6531 have them registered: LMTP, UTF8LMTP. */
  readonly protocol?: string;
  /** Finds the delivery in the log. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/**
 * The fields `Return-Path`, `Delivered-To` and `Received`, each line with its CRLF.
 *
 * @param sender without angle brackets; "" is the null sender; undefined: no Return-Path
 * @param recipient the address as it was given
 * @param by this server's name
 * @see RFC 5321 §4.4
 */
export function traceFields(
  sender: string | undefined,
  recipient: string,
  by: string,
  arrival: Arrival,
): string {
  const { from, remote, protocol, id, time } = arrival;
  const host = remote === undefined || remote === "unix" ? "" : ` (${addressLiteral(remote)})`;
  const source = from === undefined ? "" : `from ${oneLine(from)}${host}\r\n\t`;
  const how = protocol === undefined ? "" : ` with ${protocol}`;
  const returnPath = sender === undefined ? "" : `Return-Path: <${oneLine(sender)}>\r\n`;
  return `${returnPath}` +
    `Delivered-To: ${oneLine(recipient)}\r\n` +
    `Received: ${source}by ${by} (imapd)${how} id ${id}\r\n` +
    `\tfor <${oneLine(recipient)}>; ${dateTime(time)}\r\n`;
}

function addressLiteral(ip: string): string {
  return ip.includes(":") ? `[IPv6:${ip}]` : `[${ip}]`;
}

/** Whatever a caller let through, nothing may begin another field. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, "");
}

/** @see RFC 5322 §3.3 */
function dateTime(time: number): string {
  return new Date(time).toUTCString().replace("GMT", "+0000");
}
