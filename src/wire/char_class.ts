/** Classes of chars in the grammar, as bits of a table. @see RFC 9051 §9 */

/** ATOM-CHAR: 7-bit, but for atom-specials */
export const ATOM = 1;
/** ASTRING-CHAR = ATOM-CHAR / resp-specials */
export const ASTRING = 2;
/** list-char = ATOM-CHAR / list-wildcards / resp-specials */
export const LIST = 4;
/** ASTRING-CHAR but for "+" */
export const TAG = 8;
/** Letters, digits, "." and "-": names such as BODY.PEEK, which may be followed by "[" */
export const WORD = 16;
export const DIGIT = 32;

const CLASSES = classes();

/** True if the char with that code is of `charClass`; never for one above 127. */
export function isOf(code: number, charClass: number): boolean {
  return code < 128 && (CLASSES[code] & charClass) !== 0;
}

function classes(): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0x21; code < 0x7f; code++) {
    const char = String.fromCharCode(code);
    if (!'(){%*"\\]'.includes(char)) table[code] |= ATOM | ASTRING | LIST | TAG;
    if (char === "]") table[code] |= ASTRING | LIST | TAG;
    if (char === "%" || char === "*") table[code] |= LIST;
    if (char === "+") table[code] &= ~TAG;
    if (/[A-Za-z0-9.-]/.test(char)) table[code] |= WORD;
    if (/[0-9]/.test(char)) table[code] |= DIGIT;
  }
  return table;
}
