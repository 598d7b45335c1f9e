/** Which code points PRECIS lets into a string. @see RFC 8264 */

import { normalForm } from "../normal_form.ts";

/** What a code point may be in a string of a class. */
export type CodePointUse = "valid" | "context" | "freeform" | "disallowed";

/** @see RFC 8264 §9.6, which takes them from RFC 5892 §2.6 */
const VALID_BY_NAME = /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/;
const CONTEXT_BY_NAME = /[\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]/;
const DISALLOWED_BY_NAME = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/;

const ASCII = /[!-~]/;
const JOINER = /\p{Join_Control}/u;
/** @see RFC 8264 §9.9 */
const OLD_HANGUL = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/;
/** Unassigned code points, those that nobody sees, and control characters. */
const UNSEEN =
  /[\p{Unassigned}\p{Surrogate}\p{Private_Use}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Control}]/u;
const LETTER_OR_DIGIT = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u;
const OTHER_TEXT = /[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u;

/**
 * The derived property of one code point, given as a string: `valid` in every class, `context`
 * where the characters around it allow it, `freeform` in the FreeformClass only.
 *
 * @see RFC 8264 §8
 */
export function useOf(char: string): CodePointUse {
  if (VALID_BY_NAME.test(char)) return "valid";
  if (CONTEXT_BY_NAME.test(char)) return "context";
  if (DISALLOWED_BY_NAME.test(char)) return "disallowed";
  if (ASCII.test(char)) return "valid";
  if (JOINER.test(char)) return "context";
  if (OLD_HANGUL.test(char) || UNSEEN.test(char)) return "disallowed";
  if (normalForm(char, "NFKC") !== char) return "freeform";
  if (LETTER_OR_DIGIT.test(char)) return "valid";
  return OTHER_TEXT.test(char) ? "freeform" : "disallowed";
}
