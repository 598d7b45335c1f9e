/**
 * "latin1" strings: one char per byte, 0x00 to 0xFF, the form in which raw header text and wire
 * text are handled.
 */

/** Bytes as a latin1 string. */
export function latin1FromBytes(bytes: Uint8Array): string {
  return asciiFromBytes(bytes) ?? eightBitFromBytes(bytes);
}

/** Bytes as a string if all are ASCII. */
export function asciiFromBytes(bytes: Uint8Array): string | undefined {
  // The UTF-8 decoder is by far the fastest way to a string. Only ASCII comes out of it with its
  // length and without replacement chars.
  const text = new TextDecoder().decode(bytes);
  return text.length === bytes.length && !text.includes("\ufffd") ? text : undefined;
}

function eightBitFromBytes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
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
