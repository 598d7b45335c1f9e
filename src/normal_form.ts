/** Normal forms of Unicode, for text that anybody may have written. */

/** What has an order among others that follow a letter, or begins with such when it is decomposed. */
const MARK = String.raw`[[\p{M}\uff9e\uff9f]--[\u034f]]`;

/** More marks than those of one letter in any language. */
const TOO_MANY = new RegExp(`${MARK}{30}(?=${MARK})`, "gv");

/**
 * Text in a normal form. To put marks in their order takes quadratic time, minutes for some hundred
 * KB of them, so between each 30 that follow one another there is a joiner.
 *
 * @see UAX #15 §13: the Stream-Safe Text Format
 */
export function normalForm(text: string, form: "NFC" | "NFKC" | "NFKD"): string {
  return text.replace(TOO_MANY, "$&\u034f").normalize(form);
}
