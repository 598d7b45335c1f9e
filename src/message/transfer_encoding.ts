/** Content transfer encodings undone, in pieces. @see RFC 2045 §6 */

/** Undoes an encoding; latin1 strings in and out. What is not valid in it is passed over or kept. */
export interface TransferReader {
  /** The octets of the next piece; with `last` also of what was held back. */
  read(encoded: string, last: boolean): string;
}

/** A reader for "base64" or "quoted-printable"; any other encoding is the identity. */
export function transferReader(encoding: string | undefined): TransferReader {
  if (encoding === "base64") return new Base64Reader();
  if (encoding === "quoted-printable") return new QuotedPrintableReader();
  return { read: (encoded) => encoded };
}

/** Passes over chars that are not of the alphabet; text may go on after padding. @see RFC 2045 §6.8 */
class Base64Reader implements TransferReader {
  /** Up to three digits of an incomplete group. */
  #held = "";

  read(encoded: string, last: boolean): string {
    const digits = this.#held + encoded.replace(/[^A-Za-z0-9+/=]+/g, "");
    const padding = digits.indexOf("=");
    if (padding < 0) return this.#takeGroups(digits, last);
    let octets = "";
    let from = 0;
    for (let end = padding; end >= 0; end = digits.indexOf("=", from)) {
      octets += decodeDigits(digits.slice(from, end));
      from = end + 1;
    }
    return octets + this.#takeGroups(digits.slice(from), last);
  }

  #takeGroups(digits: string, last: boolean): string {
    const cut = last ? digits.length : digits.length - digits.length % 4;
    this.#held = digits.slice(cut);
    return decodeDigits(digits.slice(0, cut));
  }
}

function decodeDigits(digits: string): string {
  // One digit alone has no octet.
  return atob(digits.length % 4 === 1 ? digits.slice(0, -1) : digits);
}

/** Longest run of blanks that may stand between "=" and the line end. */
const MAX_BLANKS = 100;

/** An "=" that begins neither an octet nor a soft line break stays. @see RFC 2045 §6.7 */
class QuotedPrintableReader implements TransferReader {
  #held = "";

  read(encoded: string, last: boolean): string {
    const text = this.#held + encoded;
    const cut = last ? text.length : text.length - incompleteEscape(text);
    this.#held = text.slice(cut);
    return text.slice(0, cut).replace(
      /(?:=[0-9A-Fa-f]{2}){1,500}|=[ \t]{0,100}(?:\r\n|$)/g,
      decodeEscapes,
    );
  }
}

/** How many last chars may be the start of an octet or of a soft line break. */
function incompleteEscape(text: string): number {
  const tail = text.slice(-(MAX_BLANKS + 2));
  const start = tail.search(/=(?:[0-9A-Fa-f]?|[ \t]{0,100}\r?)$/);
  return start < 0 ? 0 : tail.length - start;
}

function decodeEscapes(escapes: string): string {
  const second = escapes.charCodeAt(1);
  if (!(second > 0x20)) return "";
  let octets = "";
  for (let i = 1; i < escapes.length; i += 3) {
    octets += String.fromCharCode(
      hexDigit(escapes.charCodeAt(i)) << 4 | hexDigit(escapes.charCodeAt(i + 1)),
    );
  }
  return octets;
}

function hexDigit(char: number): number {
  return char <= 0x39 ? char - 0x30 : (char | 0x20) - 0x57;
}
