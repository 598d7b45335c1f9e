/** The Bidi Rule, so that what is shown in one order is not read in another. @see RFC 5893 §2 */

/**
 * Characters of `text` by their direction, one letter each: R right to left, L left to right,
 * A Arabic number, E European number, M a mark without direction, and `-` all other ones.
 * Meant for what PRECIS allows in names: for that it agrees with the Bidi_Class of Unicode.
 */
function directions(text: string): string {
  return Array.from(text, (char) => {
    if (/[\u0cbf\u0cc6\u{11a07}\u{11a08}\u{11c3f}]/u.test(char)) return "L";
    if (/[\p{Mn}\p{Me}]/u.test(char)) return "M";
    if (/[\u0660-\u0669\u{10d30}-\u{10d39}]/u.test(char)) return "A";
    if (/[0-9\u06f0-\u06f9]/.test(char)) return "E";
    if (RIGHT_TO_LEFT.test(char)) return "R";
    return NEUTRAL.test(char) ? "-" : "L";
  }).join("");
}

/** The blocks that Unicode keeps for scripts written from right to left. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** ASCII's marks, and letters and marks of class ON. */
const NEUTRAL =
  /[!-/:-@[-`{-~\u00b7\u02b9\u02ba\u02c6-\u02cf\u02ec\u0375\u200c\u200d\u2e2f\u30fb\ua67f\ua717-\ua71f\ua788]/;

/**
 * Whether `text` has nothing from right to left, or keeps the rule. The rule's conditions for a
 * string that begins from left to right (5 and 6) forbid all that would make it apply.
 */
export function bidiFits(text: string): boolean {
  const classes = directions(text);
  if (!/[RA]/.test(classes)) return true;
  return /^R([REA\-M]*[REA])?M*$/.test(classes) && !(/E/.test(classes) && /A/.test(classes));
}
