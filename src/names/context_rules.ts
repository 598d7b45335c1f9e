/** Code points that are right only among certain others. @see RFC 5892 appendix A */

import { domainToASCII } from "node:url";

/** Whether every code point of `text` that has a rule about its neighbours keeps it. */
export function contextFits(text: string): boolean {
  return joinersFit(text) && othersFit(text);
}

/** What a joiner may stand in. One class only: a run is walked through once, joiner or not. */
const RUN = /[\p{L}\p{M}\p{Join_Control}]+/gu;
const JOINER = /\p{Join_Control}/u;

/**
 * IDNA has the same rules for ZERO WIDTH JOINER and NON-JOINER, and the platform's IDNA knows the
 * joining types of letters, which JavaScript's patterns do not.
 */
function joinersFit(text: string): boolean {
  const runs = text.match(RUN) ?? [];
  return runs.every((run) => !JOINER.test(run) || domainToASCII(run) !== "");
}

/** @see RFC 5892 appendices A.3 to A.9 */
function othersFit(text: string): boolean {
  if (/(?<!l)\u00b7|\u00b7(?!l)/.test(text)) return false;
  if (/\u0375(?!\p{Script=Greek})/u.test(text)) return false;
  if (/(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u.test(text)) return false;
  if (/\u30fb/.test(text) && !/[\p{Script=Hira}\p{Script=Kana}\p{Script=Han}]/u.test(text)) {
    return false;
  }
  return !(/[\u0660-\u0669]/.test(text) && /[\u06f0-\u06f9]/.test(text));
}
