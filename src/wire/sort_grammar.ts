/** SORT and THREAD. @see RFC 5256 §5 */

import { type ReturnOption, returnOptions } from "./return_options.ts";
import { LimitFault, type Scanner } from "./scanner.ts";
import { searchCriteria, type SearchKey } from "./search_grammar.ts";

/** What a SORT compares. @see RFC 5256 §3, RFC 5957 §4, RFC 6203 §6 */
export type SortKeyName =
  | "ARRIVAL"
  | "CC"
  | "DATE"
  | "DISPLAYFROM"
  | "DISPLAYTO"
  | "FROM"
  | "RELEVANCY"
  | "SIZE"
  | "SUBJECT"
  | "TO";

/** One of the keys that a SORT compares, in the order of their weight. */
export interface SortCriterion {
  readonly key: SortKeyName;
  readonly reverse: boolean;
}

/** SORT @see RFC 5256 §3, RFC 5267 §3 */
export interface SortArgs {
  /** Absent: the answer is `* SORT`. */
  readonly returns?: readonly ReturnOption[];
  readonly criteria: readonly SortCriterion[];
  readonly key: SearchKey;
}

/** Algorithms of THREAD. */
export type ThreadAlgorithm = "ORDEREDSUBJECT" | "REFERENCES" | "REFS";

/** THREAD @see RFC 5256 §3 */
export interface ThreadArgs {
  readonly algorithm: ThreadAlgorithm;
  readonly key: SearchKey;
}

const SORT_KEYS: readonly SortKeyName[] = [
  "ARRIVAL",
  "CC",
  "DATE",
  "DISPLAYFROM",
  "DISPLAYTO",
  "FROM",
  "RELEVANCY",
  "SIZE",
  "SUBJECT",
  "TO",
];

const ALGORITHMS: readonly ThreadAlgorithm[] = ["ORDEREDSUBJECT", "REFERENCES", "REFS"];

/** More keys than there are say nothing new. */
const MAX_CRITERIA = 30;

/**
 * sort = "SORT" [SP sort-return-opts] SP sort-criteria SP search-criteria
 *
 * sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"
 *
 * @throws {UnknownCharset}
 * @see RFC 5256 §5, RFC 5267 §5
 */
export function sortArgs(s: Scanner): SortArgs {
  s.space();
  const returns = returnOptions(s);
  const start = s.position;
  const criteria = s.list(sortCriterion);
  if (criteria.length > MAX_CRITERIA) {
    throw new LimitFault(`Expected at most ${MAX_CRITERIA} sort keys`, start);
  }
  return { returns, criteria, key: searchCriteria(s, returns) };
}

/** sort-criterion = ["REVERSE" SP] sort-key */
function sortCriterion(s: Scanner): SortCriterion {
  const reverse = s.takeKeyword("REVERSE");
  if (reverse) s.space();
  return { key: oneOf(s, SORT_KEYS, "a sort key"), reverse };
}

/**
 * thread = "THREAD" SP thread-alg SP search-criteria
 *
 * @throws {UnknownCharset}
 * @see RFC 5256 §5
 */
export function threadArgs(s: Scanner): ThreadArgs {
  s.space();
  const algorithm = oneOf(s, ALGORITHMS, "a threading algorithm");
  return { algorithm, key: searchCriteria(s) };
}

function oneOf<Name extends string>(s: Scanner, names: readonly Name[], wanted: string): Name {
  const start = s.position;
  const word = s.keyword(wanted);
  const found = names.find((name) => name === word);
  if (found === undefined) throw s.fault(wanted, start);
  return found;
}
