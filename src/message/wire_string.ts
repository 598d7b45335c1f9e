/** Strings as the server sends them. @see RFC 9051 §4.3 */

/**
 * A latin1 string as a quoted string, or as a literal when it has CR, LF or a byte above 0x7F.
 * NUL cannot be sent and is left out.
 *
 * @see RFC 9051 §9 `string`
 */
export function wireString(text: string): string {
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)) return `"${text}"`;
  const sendable = text.includes("\0") ? text.replaceAll("\0", "") : text;
  if (/[\r\n\x80-\uffff]/.test(sendable)) return `{${sendable.length}}\r\n${sendable}`;
  return `"${sendable.replace(/["\\]/g, "\\$&")}"`;
}

/** {@link wireString}, or NIL for what is missing. @see RFC 9051 §9 `nstring` */
export function nstring(text: string | undefined): string {
  return text === undefined ? "NIL" : wireString(text);
}
