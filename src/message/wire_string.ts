/** Strings as the server sends them. @see RFC 9051 §4.3 */

/** Longer strings are sent as literals, for clients that read lines into small buffers. */
const MAX_QUOTED = 1024;
/** What stands between quotes as it is. */
const PLAIN = /^[\t\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * A latin1 string as a quoted string, or as a literal when it is long or has a control char or a
 * byte above 0x7E. NUL cannot be sent and is left out.
 *
 * @see RFC 9051 §9 `string`
 */
export function wireString(text: string): string {
  if (text.length <= MAX_QUOTED && PLAIN.test(text)) return `"${text}"`;
  const sendable = text.includes("\0") ? text.replaceAll("\0", "") : text;
  if (sendable.length > MAX_QUOTED || !/^[\t\x20-\x7e]*$/.test(sendable)) {
    return `{${sendable.length}}\r\n${sendable}`;
  }
  return `"${sendable.replace(/["\\]/g, "\\$&")}"`;
}

/** {@link wireString}, or NIL for what is missing. @see RFC 9051 §9 `nstring` */
export function nstring(text: string | undefined): string {
  return text === undefined ? "NIL" : wireString(text);
}
