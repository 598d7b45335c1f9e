/**
 * Mailbox names between the wire and the server: modified UTF-7 or UTF-8 outside, UTF-16
 * strings with "/" between levels inside.
 *
 * @see RFC 3501 §5.1.3, RFC 9051 §5.1
 */

import { normalForm } from "../normal_form.ts";

/** "," stands where base64 has "/", so that a name stays free of the hierarchy separator. */
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/** Modified UTF-7 is such a text itself, as most names are. */
const UNSHIFTED = /^[\x20-\x25\x27-\x7e]*$/;

/**
 * Writes a text in modified UTF-7. Lone surrogates are written as they are: refuse them before.
 *
 * @param shifted printable ASCII characters that are not to stand for themselves
 * @returns printable ASCII
 * @see RFC 3501 §5.1.3
 */
export function encodeModifiedUtf7(text: string, shifted = ""): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    if (standsForItself(text.charCodeAt(at), shifted)) {
      out += text[at] === "&" ? "&-" : text[at];
      at++;
      continue;
    }
    const start = at;
    while (at < text.length && !standsForItself(text.charCodeAt(at), shifted)) at++;
    out += `&${base64(text.slice(start, at))}-`;
  }
  return out;
}

function standsForItself(code: number, shifted: string): boolean {
  return code >= 0x20 && code <= 0x7e && !shifted.includes(String.fromCharCode(code));
}

/** Modified BASE64 of UTF-16BE, without padding. */
function base64(text: string): string {
  let out = "";
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    held = (held << 16) | text.charCodeAt(i);
    for (bits += 16; bits >= 6; bits -= 6) out += BASE64[(held >> (bits - 6)) & 63];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? out : out + BASE64[(held << (6 - bits)) & 63];
}

/**
 * Reads modified UTF-7. Neighbouring shifts are read as one (harmless, though nobody should
 * write them); every other spelling that {@link encodeModifiedUtf7} does not make is refused,
 * since it could smuggle in a "/" or make two names of one.
 *
 * @param text characters above U+007F stand for themselves
 * @param shifted as in {@link encodeModifiedUtf7}
 * @returns undefined for malformed text, lone surrogates and NUL
 * @see RFC 3501 §5.1.3
 */
export function decodeModifiedUtf7(text: string, shifted = ""): string | undefined {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const ampersand = text.indexOf("&", at);
    if (ampersand < 0) break;
    const end = text.indexOf("-", ampersand);
    if (end < 0) return undefined;
    const run = end === ampersand + 1 ? "&" : decodeRun(text.slice(ampersand + 1, end), shifted);
    if (run === undefined) return undefined;
    out += text.slice(at, ampersand) + run;
    at = end + 1;
  }
  out += text.slice(at);
  return out.isWellFormed() && !out.includes("\0") ? out : undefined;
}

function decodeRun(run: string, shifted: string): string | undefined {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const char of run) {
    const value = BASE64.indexOf(char);
    if (value < 0) return undefined;
    held = (held << 6) | value;
    bits += 6;
    if (bits < 16) continue;
    bits -= 16;
    const code = held >> bits;
    // Not read back from `out`, which would be put together anew for each character.
    if (standsForItself(code, shifted)) return undefined;
    out += String.fromCharCode(code);
    held &= (1 << bits) - 1;
  }
  return bits < 6 && held === 0 ? out : undefined;
}

/**
 * Reads a mailbox name (or pattern) as a client wrote it: modified UTF-7, or UTF-8, which many
 * clients send unasked. In UTF-8 that holds no valid modified UTF-7 an "&" stands for itself.
 *
 * @param bytes one char is one byte
 * @returns undefined if it is neither, or holds a NUL
 * @see RFC 3501 §5.1.3, RFC 9051 §5.1
 */
export function decodeMailboxName(bytes: string): string | undefined {
  if (!hasHighBytes(bytes)) return decodeModifiedUtf7(bytes);
  const text = decodeUtf8(bytes);
  if (text === undefined || text.includes("\0")) return undefined;
  return decodeModifiedUtf7(text) ?? text;
}

/**
 * Reads a mailbox name (or pattern) of a client that enabled UTF-8: "&" stands for itself.
 *
 * @returns undefined if it is not UTF-8, or holds a NUL
 * @see RFC 6855 §3
 */
export function decodeUtf8Name(bytes: string): string | undefined {
  const text = decodeUtf8(bytes);
  return text?.includes("\0") ? undefined : text;
}

function hasHighBytes(bytes: string): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes.charCodeAt(i) > 0x7f) return true;
  }
  return false;
}

function decodeUtf8(bytes: string): string | undefined {
  const octets = Uint8Array.from(bytes, (char) => char.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

/**
 * Writes a mailbox name for clients that have not enabled UTF-8.
 *
 * @returns printable ASCII
 * @see RFC 3501 §5.1.3
 */
export function encodeMailboxName(name: string): string {
  return UNSHIFTED.test(name) ? name : encodeModifiedUtf7(name);
}

/**
 * Spells the first level as "INBOX" where it is that in any case.
 *
 * @see RFC 9051 §5.1
 */
export function withInbox(name: string): string {
  return /^inbox(?=\/|$)/i.test(name) ? "INBOX" + name.slice(5) : name;
}

/**
 * Reads a mailbox name that is the argument of a command: decoded, in NFC, "INBOX" in capitals,
 * without the "/" that some clients put at the end.
 *
 * @param bytes one char is one byte
 * @param utf8 the client enabled UTF-8, so that "&" stands for itself
 * @returns undefined for a name that no mailbox can have, such as the empty one
 * @see RFC 9051 §5.1, §6.3.4
 */
export function mailboxName(bytes: string, utf8 = false): string | undefined {
  const name = suppliedName(bytes, utf8);
  return name && normalForm(name, "NFC");
}

/**
 * A mailbox name as {@link mailboxName} reads it, but not in NFC yet.
 *
 * @see RFC 9051 §6.3.9.7
 */
export function suppliedName(bytes: string, utf8 = false): string | undefined {
  const decoded = utf8 ? decodeUtf8Name(bytes) : decodeMailboxName(bytes);
  const name = decoded?.replace(/\/$/, "");
  return name ? withInbox(name) : undefined;
}

/**
 * Whether a mailbox may be made under this name: without control characters and what else ends a
 * line, and with no level below INBOX that reads as INBOX again, which some clients make by mistake.
 *
 * @see RFC 5198 §2, RFC 6855 §3, RFC 9051 §5.1
 */
export function isNewName(name: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(name) && !/^INBOX\/inbox(?=\/|$)/i.test(name);
}
