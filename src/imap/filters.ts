/** Named searches: programs kept as annotations of the server. @see RFC 5466 */

import { latin1, latin1Bytes } from "../wire/bytes.ts";
import { Scanner, SyntaxFault } from "../wire/scanner.ts";
import { filterCriteria, isFilterName, type SearchKey } from "../wire/search_grammar.ts";
import { Refusal } from "./command.ts";
import { hasKey, mapKeys, someKey } from "./search_program.ts";

/** The value of an annotation of the server, by the name of its entry. */
export type ServerAnnotation = (entry: string) => Promise<Uint8Array | undefined>;

/** How often filters are replaced by what they stand for; RFC 5466 §3.1 asks for three times. */
const MOST_PASSES = 10;

/** Keys of a program with all that its filters stand for. */
const MOST_KEYS = 1000;

const VALUES = ["/private/filters/values/", "/shared/filters/values/"] as const;

/**
 * The program with each FILTER replaced by the keys that it stands for, all of which must hold.
 *
 * @throws {Refusal} UNDEFINED-FILTER: there is none of that name, or it leads back to itself
 * @see RFC 5466 §3.1
 */
export async function withoutFilters(
  program: SearchKey,
  annotation: ServerAnnotation,
): Promise<SearchKey> {
  const known = new Map<string, SearchKey>();
  let key = program;
  for (let pass = 0; hasKey(key, "FILTER"); pass++) {
    const names = filterNames(key);
    if (pass === MOST_PASSES) throw undefinedFilter(names[0]);
    for (const name of names) {
      if (!known.has(name)) known.set(name, await filterOf(name, annotation));
    }
    assertFew(key, known);
    key = mapKeys(key, (each) => each.name === "FILTER" ? known.get(each.filter) ?? each : each);
  }
  return key;
}

function filterNames(program: SearchKey): readonly string[] {
  const names = new Set<string>();
  someKey(program, (key) => {
    if (key.name === "FILTER") names.add(key.filter);
    return false;
  });
  return [...names];
}

/** A few filters that name each other many times stand for more keys than there is memory for. */
function assertFew(program: SearchKey, known: ReadonlyMap<string, SearchKey>): void {
  let keys = 0;
  someKey(program, (key) => {
    const filter = key.name === "FILTER" ? known.get(key.filter) : undefined;
    if (filter === undefined) keys++;
    else someKey(filter, () => ++keys > MOST_KEYS);
    return keys > MOST_KEYS;
  });
  if (keys > MOST_KEYS) {
    throw new Refusal(`Expected filters of at most ${MOST_KEYS} search keys in all`, "LIMIT");
  }
}

/** The private filter comes before the public one. */
async function filterOf(name: string, annotation: ServerAnnotation): Promise<SearchKey> {
  for (const folder of VALUES) {
    const value = await annotation(`${folder}${name}`);
    if (value !== undefined) return criteria(name, value);
  }
  throw undefinedFilter(name);
}

function undefinedFilter(name: string): Refusal {
  return new Refusal("There is no such filter", { text: `UNDEFINED-FILTER ${name}` });
}

/** @throws {Refusal} if it is no search program */
function criteria(name: string, value: Uint8Array): SearchKey {
  try {
    return filterCriteria(scannerOf(value));
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    throw new Refusal(`${error.message} of the filter ${name}`);
  }
}

/** Parts text from literals, as the framer does with a command. */
function scannerOf(value: Uint8Array): Scanner {
  const literals: Uint8Array[] = [];
  let rest = latin1(value);
  let text = "";
  for (;;) {
    const found = /\{(\d{1,10})\+?\}\r\n/.exec(rest);
    if (found === null) return new Scanner(text + rest, literals);
    const start = found.index + found[0].length;
    const end = start + Number(found[1]);
    // One that is cut short stays text, where nothing can read it.
    if (end > rest.length) return new Scanner(text + rest, literals);
    literals.push(latin1Bytes(rest.slice(start, end)));
    text += rest.slice(0, start);
    rest = rest.slice(end);
  }
}

/**
 * Refuses to keep what could not be used as a filter.
 *
 * @throws {Refusal}
 * @see RFC 5466 §3.2
 */
export function assertFilters(entries: ReadonlyMap<string, Uint8Array | undefined>): void {
  for (const [entry, value] of entries) {
    const folder = VALUES.find((folder) => entry.toLowerCase().startsWith(folder));
    if (folder === undefined || value === undefined) continue;
    const name = entry.slice(folder.length);
    if (!isFilterName(name)) {
      throw new Refusal('Expected the name of a filter to be an atom without "/"', "CANNOT");
    }
    criteria(name, value);
  }
}
