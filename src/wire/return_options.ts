/** What a searching command is to tell of its results. @see RFC 4466 §2.6.1, RFC 9051 §6.4.4.4 */

import { type FetchItem, fetchItems } from "./fetch_grammar.ts";
import type { Scanner } from "./scanner.ts";

/** A part of an ordered list. */
export interface ResultRange {
  /** Counted from the first, which is 1; not below it. */
  readonly first: number;
  readonly last: number;
  /** Both count from the end of the list: 1 is the last. */
  readonly fromEnd: boolean;
  /** As the client spelled it. */
  readonly text: string;
}

/** An option of `RETURN (…)`. */
export type ReturnOption =
  | { readonly name: "MIN" | "MAX" | "ALL" | "COUNT" | "RELEVANCY" | "SAVE" | "CONTEXT" }
  /** With what a FETCH response tells of new messages among the results. */
  | { readonly name: "UPDATE"; readonly items?: readonly FetchItem[] }
  | { readonly name: "PARTIAL"; readonly range: ResultRange };

/** What stands after the name of an option, by that name. */
const OPTIONS: { readonly [Name in ReturnOption["name"]]: (s: Scanner) => ReturnOption } = {
  MIN: () => ({ name: "MIN" }),
  MAX: () => ({ name: "MAX" }),
  ALL: () => ({ name: "ALL" }),
  COUNT: () => ({ name: "COUNT" }),
  RELEVANCY: () => ({ name: "RELEVANCY" }),
  SAVE: () => ({ name: "SAVE" }),
  CONTEXT: () => ({ name: "CONTEXT" }),
  UPDATE: modifierUpdate,
  PARTIAL: (s) => ({ name: "PARTIAL", range: partialModifier(s) }),
};

/**
 * search-return-opts = "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
 *
 * @returns each option once; `RETURN ()` means ALL; undefined if there is no RETURN
 * @see RFC 9051 §9
 */
export function returnOptions(s: Scanner): readonly ReturnOption[] | undefined {
  if (!s.takeKeyword("RETURN")) return undefined;
  s.space();
  const start = s.position;
  const given = s.listOrEmpty(returnOption);
  s.space();
  const pages = given.filter(({ name }) => name === "PARTIAL" || name === "ALL");
  if (pages.length > 1 && pages.some(({ name }) => name === "PARTIAL")) {
    throw s.fault("either one PARTIAL or ALL", start);
  }
  if (given.length === 0) return [{ name: "ALL" }];
  return [...new Map(given.map((option) => [option.name, option])).values()];
}

/**
 * search-return-opt = "MIN" / "MAX" / "ALL" / "COUNT" / "SAVE" / "CONTEXT" / "UPDATE" /
 *   "RELEVANCY" / modifier-partial
 *
 * @see RFC 9051 §9, RFC 5267 §5, RFC 6203 §7, RFC 9394 §4
 */
function returnOption(s: Scanner): ReturnOption {
  const start = s.position;
  const wanted = "a SEARCH return option";
  const word = s.keyword(wanted);
  if (!isOption(word)) throw s.fault(wanted, start);
  return OPTIONS[word](s);
}

/**
 * modifier-update = "UPDATE" ["(" fetch-att *(SP fetch-att) ")"]
 *
 * @see RFC 5465 §8
 */
function modifierUpdate(s: Scanner): ReturnOption {
  if (!s.take(" (")) return { name: "UPDATE" };
  const items = s.separated(" ", fetchItems).flat();
  s.expect(")");
  return { name: "UPDATE", items };
}

function isOption(word: string): word is ReturnOption["name"] {
  return Object.hasOwn(OPTIONS, word);
}

/**
 * modifier-partial = "PARTIAL" SP partial-range
 *
 * partial-range = nz-number ":" nz-number / MINUS nz-number ":" MINUS nz-number
 *
 * Reads what follows the name; the higher number may come first.
 *
 * @see RFC 9394 §4, RFC 5267 §5
 */
export function partialModifier(s: Scanner): ResultRange {
  s.space();
  const fromEnd = s.peek() === "-";
  const sign = fromEnd ? "-" : "";
  s.take("-");
  const one = s.nzNumber("the number of a result");
  s.expect(`:${sign}`);
  const other = s.nzNumber("the number of a result");
  const text = `${sign}${one}:${sign}${other}`;
  return { first: Math.min(one, other), last: Math.max(one, other), fromEnd, text };
}

/** CANCELUPDATE @see RFC 5267 §4.3.5 */
export interface CancelUpdateArgs {
  readonly tags: readonly string[];
}

/** "CANCELUPDATE" 1*(SP quoted) @see RFC 5267 §5 */
export function cancelUpdateArgs(s: Scanner): CancelUpdateArgs {
  s.space();
  const tags = s.separated(" ", () => s.quoted("a tag in quotes"));
  s.end();
  return { tags };
}
