/** The table of return options: which results each speaks of, and what it makes of them. */

import { formatNumberSet } from "../wire/number_set.ts";
import type { ResultRange, ReturnOption } from "../wire/return_options.ts";

/** What was found, in the order of the command. */
export interface Results {
  /** As the client is told: sequence numbers or UIDs. */
  readonly numbers: readonly number[];
  /** The relevancy of the result at that place, from 0. @see RFC 6203 §4 */
  readonly scoreAt: (place: number) => number;
}

/** Places in a list, from 0: the first, and that after the last. */
type Span = readonly [number, number];

interface ReturnRow<Option> {
  readonly rfc: string;
  readonly capability?: string;
  /** Which of `count` results it speaks of; absent: none in particular. */
  readonly speaksOf?: (count: number, option: Option) => Span;
  /** Its part of the ESEARCH response, if it has one. @see RFC 4731 §3.1 */
  readonly write?: (
    results: Results,
    option: Option,
    options: readonly ReturnOption[],
  ) => string | undefined;
  /** Alone it asks for no response. */
  readonly silent?: true;
}

type OptionNamed<Name> = Extract<ReturnOption, { readonly name: Name }>;
type ReturnTable = { readonly [Name in ReturnOption["name"]]: ReturnRow<OptionNamed<Name>> };

const all = (count: number): Span => [0, count];

/** By name. @see RFC 9051 §6.4.4.4 */
export const RETURN_OPTIONS: ReturnTable = {
  MIN: {
    rfc: "RFC 4731 §3.1",
    capability: "ESEARCH",
    speaksOf: (count) => [0, Math.min(count, 1)],
    write: ({ numbers }) => numbers.length === 0 ? undefined : `MIN ${numbers[0]}`,
  },
  MAX: {
    rfc: "RFC 4731 §3.1",
    capability: "ESEARCH",
    speaksOf: (count) => [Math.max(0, count - 1), count],
    write: ({ numbers }) => numbers.length === 0 ? undefined : `MAX ${numbers[numbers.length - 1]}`,
  },
  ALL: {
    rfc: "RFC 4731 §3.1",
    capability: "ESEARCH",
    speaksOf: all,
    write: ({ numbers }) => numbers.length === 0 ? undefined : `ALL ${formatNumberSet(numbers)}`,
  },
  COUNT: {
    rfc: "RFC 4731 §3.1",
    capability: "ESEARCH",
    speaksOf: all,
    write: ({ numbers }) => `COUNT ${numbers.length}`,
  },
  CONTEXT: { rfc: "RFC 5267 §4.2", capability: "CONTEXT=SEARCH" },
  UPDATE: { rfc: "RFC 5267 §4.3", capability: "CONTEXT=SEARCH" },
  RELEVANCY: {
    rfc: "RFC 6203 §4",
    capability: "SEARCH=FUZZY",
    // Of the results that are told: all, or a page of them.
    write: ({ numbers, scoreAt }, _, options) => {
      const page = options.find((option) => option.name === "PARTIAL");
      const [start, end] = page === undefined
        ? [0, numbers.length]
        : spanOf(page.range, numbers.length);
      const scores: number[] = [];
      for (let place = start; place < end; place++) scores.push(scoreAt(place));
      return `RELEVANCY (${scores.join(" ")})`;
    },
  },
  SAVE: { rfc: "RFC 5182 §2.1", capability: "SEARCHRES", silent: true },
  PARTIAL: {
    rfc: "RFC 9394 §3.1",
    capability: "PARTIAL",
    speaksOf: (count, { range }) => spanOf(range, count),
    write: ({ numbers }, { range }) => {
      const page = numbers.slice(...spanOf(range, numbers.length));
      return `PARTIAL (${range.text} ${page.length === 0 ? "NIL" : formatNumberSet(page)})`;
    },
  },
};

/** The places of a range in a list of `count`; an empty span if it has none of them. */
export function spanOf({ first, last, fromEnd }: ResultRange, count: number): Span {
  return fromEnd
    ? [Math.max(0, count - last), Math.max(0, count - first + 1)]
    : [Math.min(count, first - 1), Math.min(count, last)];
}

/** `* ESEARCH (TAG "a") UID`, the beginning of a response. @see RFC 9051 §7.3.4 */
export function esearch(tag: string, byUid: boolean, correlators = ""): string {
  return `* ESEARCH (TAG "${tag}"${correlators})${byUid ? " UID" : ""}`;
}

/** True if the option is among them. */
export function hasOption(
  options: readonly ReturnOption[] | undefined,
  wanted: ReturnOption["name"],
): boolean {
  return options?.some(({ name }) => name === wanted) ?? false;
}

function rowOf(option: ReturnOption): ReturnRow<ReturnOption> {
  // The row of an option's name takes options of that name; TypeScript cannot see the pairing.
  return RETURN_OPTIONS[option.name] as ReturnRow<ReturnOption>;
}

/** All return data of a response, with a space before each. */
export function returnData(options: readonly ReturnOption[], results: Results): string {
  return options.map((option) => rowOf(option).write?.(results, option, options))
    .filter((data) => data !== undefined).map((data) => ` ${data}`).join("");
}

/** True if nothing is to be answered: the options only ask that something be done. */
export function isSilent(options: readonly ReturnOption[]): boolean {
  return options.every((option) => rowOf(option).silent);
}

/**
 * The results that the options speak of, in their order, each once; all if they speak of none in
 * particular. So much is saved, and of so much the highest mod-sequence is told.
 *
 * @see RFC 5182 §2.4, RFC 9394 §3.2, RFC 7162 §3.1.10
 */
export function spokenOf<T>(options: readonly ReturnOption[], results: readonly T[]): readonly T[] {
  const { length } = results;
  const spans = options.map((option) => rowOf(option).speaksOf?.(length, option))
    .filter((span) => span !== undefined).sort(([a], [b]) => a - b);
  if (spans.length === 0 || spans.some(([start, end]) => end - start === length)) return results;
  let next = 0;
  return spans.flatMap(([start, end]) => {
    const from = Math.max(start, next);
    next = Math.max(next, end);
    return results.slice(from, end);
  });
}
