/** Walks through search programs. */

import { rangesOf, resolveRanges } from "../wire/number_set.ts";
import type { SearchKey } from "../wire/search_grammar.ts";
import type { View } from "./view.ts";

/** The keys that a key is made of; none for most. */
function operands(key: SearchKey): readonly SearchKey[] {
  switch (key.name) {
    case "AND":
      return key.keys;
    case "OR":
      return [key.left, key.right];
    case "NOT":
    case "FUZZY":
      return [key.key];
    default:
      return [];
  }
}

/** True if the test holds for a key anywhere in the program. */
export function someKey(key: SearchKey, test: (key: SearchKey) => boolean): boolean {
  return test(key) || operands(key).some((each) => someKey(each, test));
}

/** True if a key of that name is anywhere in the program. */
export function hasKey(key: SearchKey, name: SearchKey["name"]): boolean {
  return someKey(key, (each) => each.name === name);
}

/** True if "$" is anywhere in the program. @see RFC 5182 §2.1 */
export function usesSaved(key: SearchKey): boolean {
  return someKey(
    key,
    (each) => (each.name === "UID" || each.name === "SEQUENCE") && each.set.saved === true,
  );
}

/** The program with every key replaced that is not made of others. */
export function mapKeys(key: SearchKey, change: (key: SearchKey) => SearchKey): SearchKey {
  const mapped = (each: SearchKey) => mapKeys(each, change);
  switch (key.name) {
    case "AND":
      return { name: "AND", keys: key.keys.map(mapped) };
    case "OR":
      return { name: "OR", left: mapped(key.left), right: mapped(key.right) };
    case "NOT":
    case "FUZZY":
      return { name: key.name, key: mapped(key.key) };
    default:
      return change(key);
  }
}

/**
 * The program with UIDs in place of what means other messages later: sequence numbers, and "$".
 *
 * @see RFC 5267 §4.3
 */
export function withUidsOnly(program: SearchKey, view: View): SearchKey {
  let saved: SearchKey | undefined;
  return mapKeys(program, (key) => {
    if (key.name === "UID" && key.set.saved) {
      return saved ??= among(rangesOf(seqsOf(view)), view);
    }
    if (key.name === "SEQUENCE") return among(resolveRanges(key.set, view.count), view);
    return key;
  });
}

function seqsOf(view: View): number[] {
  return view.saved().map((uid) => view.seqOf(uid));
}

/** No message can come between two others, so the ranges stay what they are. */
function among(seqs: readonly (readonly [number, number])[], view: View): SearchKey {
  const ranges = seqs.map(([first, last]) => [view.uidOf(first), view.uidOf(last)] as const);
  return { name: "UID", set: { ranges } };
}

/** All seconds of OLDER and YOUNGER in the program. */
export function agesIn(program: SearchKey): readonly number[] {
  const ages: number[] = [];
  someKey(program, (key) => {
    if (key.name === "OLDER" || key.name === "YOUNGER") ages.push(key.seconds);
    return false;
  });
  return ages;
}
