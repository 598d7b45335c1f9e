/** Byte strings: strings in which one char stands for one byte, as all of `wire` reads them. */

/** Few enough for `String.fromCharCode.apply`, which takes its arguments on the stack. */
const SLICE = 8192;
/** Above this, a decoder is faster than `String.fromCharCode`. */
const SHORT = 128;
/** No decoder of ISO 8859-1 exists: "latin1" means windows-1252, which differs in 0x80–0x9f. */
const WINDOWS_1252 = new TextDecoder("windows-1252");

/** Turns bytes into a byte string. */
export function latin1(bytes: Uint8Array): string {
  if (bytes.length <= SHORT) return fromCharCodes(bytes);
  const text = WINDOWS_1252.decode(bytes);
  return hasForeignChar(text) ? slices(bytes) : text;
}

/** Turns a byte string into its bytes; a char above U+00FF loses its upper bits. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A text as the byte string of its UTF-8. */
export function utf8Bytes(text: string): string {
  return isAscii(text) ? text : latin1(new TextEncoder().encode(text));
}

/** True for 7-bit text. */
export function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[^\x00-\x7f]/.test(text);
}

function hasForeignChar(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /[^\x00-\x7f\xa0-\xff]/.test(text);
}

function slices(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += SLICE) {
    text += fromCharCodes(bytes.subarray(i, i + SLICE));
  }
  return text;
}

function fromCharCodes(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
