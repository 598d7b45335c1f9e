/** A table of everything that a pattern matches. */

import { type Matcher, RE2JS } from "re2js";
import { ruleTable, type Table } from "./table.ts";

/** Settings of a {@link regexpTable}. */
export interface RegexpTableOptions {
  /** In the syntax of RE2: no search takes longer than its key is long. */
  readonly pattern: string;
  /** The values; absent: the key. */
  readonly replacements?: readonly string[];
  /** The pattern must match the whole key, not only a part of it. */
  readonly fullMatch: boolean;
  readonly caseInsensitive: boolean;
  /** `$1`, `$name` and `${name}` stand for groups of the pattern, `$$` for `$`. */
  readonly expandPlaceholders: boolean;
}

/** A piece of text, or the number of a group. */
type Part = string | number;

/** @throws {Error} for what is no pattern, and placeholders for groups that it does not have */
export function regexpTable(options: RegexpTableOptions): Table {
  const { pattern, replacements, fullMatch, caseInsensitive, expandPlaceholders } = options;
  const compiled = RE2JS.compile(pattern, caseInsensitive ? RE2JS.CASE_INSENSITIVE : 0);
  const templates = replacements?.map((text) =>
    expandPlaceholders ? templateOf(text, compiled) : [text]
  );
  const find = (key: string) => {
    const matcher = compiled.matcher(key);
    if (!(fullMatch ? matcher.matches() : matcher.find())) return [];
    return templates?.map((parts) => filledIn(parts, matcher)) ?? [key];
  };
  return {
    ...ruleTable((key) => find(key).at(0), (templates?.length ?? 1) === 1),
    lookupAll: (key) => Promise.resolve(find(key)),
  };
}

function templateOf(text: string, pattern: RE2JS): Part[] {
  return [...text.matchAll(/\$\$|\$\{(\w+)\}|\$(\w+)|[^$]+|\$/g)].map(([piece, braced, bare]) => {
    const name = braced ?? bare;
    if (name === undefined) return piece === "$$" ? "$" : piece;
    const group = /^\d+$/.test(name) ? Number(name) : pattern.namedGroups()[name];
    if (group === undefined || group > pattern.groupCount()) {
      throw new Error(
        `Expected placeholders for groups of the pattern ${pattern.pattern()}, got ${piece}`,
      );
    }
    return group;
  });
}

function filledIn(parts: readonly Part[], matcher: Matcher): string {
  return parts.map((part) => typeof part === "string" ? part : matcher.group(part) ?? "").join("");
}
