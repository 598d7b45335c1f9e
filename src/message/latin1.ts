/**
 * "latin1" strings: one char per byte, 0x00 to 0xFF, the form in which raw header text and wire
 * text are handled.
 */

/** What windows-1252, which the Web calls latin1, makes of the bytes 0x80 to 0x9F. */
const C1_AS_WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";
const WINDOWS_1252 = new TextDecoder("windows-1252");

/** Bytes as a latin1 string. */
export function latin1FromBytes(bytes: Uint8Array): string {
  const text = WINDOWS_1252.decode(bytes);
  // A decoder at native speed plus a repair is ten times faster than String.fromCharCode.
  return /[\u0100-\uffff]/.test(text) ? text.replace(/[\u0100-\uffff]/g, c1Char) : text;
}

function c1Char(char: string): string {
  return String.fromCharCode(0x80 + C1_AS_WINDOWS_1252.indexOf(char));
}

/** The bytes of a latin1 string; the upper half of a wider char is lost. */
export function bytesFromLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Does the string have no char above 0x7F? */
export function isAscii(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text);
}
