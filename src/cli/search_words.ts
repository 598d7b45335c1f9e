/** Words of the command line as a program of IMAP's SEARCH. */

/** Keys that a string follows. */
const STRING_KEYS = new Set(["BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO"]);

/**
 * Puts words together. The shell takes quotes away: a word after a key that takes a string is
 * quoted again where it must be, as in `SUBJECT "two words"`. A word alone is the whole program.
 */
export function programOf(words: readonly string[]): string {
  if (words.length === 1) return words[0];
  return words.map((word, i) => isString(words, i) ? quotedIfNeeded(word) : word).join(" ");
}

function isString(words: readonly string[], at: number): boolean {
  const before = (distance: number) =>
    words[at - distance]?.replace(/^\(+/, "").toUpperCase() ?? "";
  if (before(1) === "HEADER" || before(2) === "HEADER") return true;
  return STRING_KEYS.has(before(1)) && !STRING_KEYS.has(before(2));
}

function quotedIfNeeded(word: string): string {
  // As it stands where it has quotes, or ends a parenthesis that began before it.
  if (/^"/.test(word) || /^[\x21\x23-\x27\x2b-\x5b\x5d-\x7a|~]+\)*$/.test(word)) return word;
  return `"${word.replace(/["\\]/g, "\\$&")}"`;
}
