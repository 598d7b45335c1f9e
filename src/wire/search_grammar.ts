/** SEARCH programs. @see RFC 9051 §6.4.4, §9 `search-key` */

import type { NumberSet } from "./number_set.ts";

/** A day without time or zone, as days since 1970-01-01. */
export type Day = number;

export type SystemFlag = "seen" | "answered" | "flagged" | "deleted" | "draft";

export type SearchKey =
  | { readonly name: "ALL" }
  | { readonly name: "AND"; readonly keys: readonly SearchKey[] }
  | { readonly name: "OR"; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly name: "NOT"; readonly key: SearchKey }
  /** SEEN, UNSEEN, ANSWERED, …: `set` false for the UN… forms. */
  | { readonly name: "FLAG"; readonly flag: SystemFlag; readonly set: boolean }
  /** KEYWORD, UNKEYWORD. */
  | { readonly name: "KEYWORD"; readonly keyword: string; readonly set: boolean }
  /** RECENT, OLD (`set` false); NEW is AND of RECENT and UNSEEN. */
  | { readonly name: "RECENT"; readonly set: boolean }
  | { readonly name: "SEQUENCE" | "UID"; readonly set: NumberSet }
  /** HEADER, and FROM, TO, CC, BCC, SUBJECT; an empty `value` matches any such field. */
  | { readonly name: "HEADER"; readonly field: string; readonly value: string }
  | { readonly name: "BODY" | "TEXT"; readonly value: string }
  | { readonly name: "LARGER" | "SMALLER"; readonly size: number }
  | {
    readonly name: "BEFORE" | "ON" | "SINCE" | "SENTBEFORE" | "SENTON" | "SENTSINCE";
    readonly day: Day;
  }
  /** Seconds. @see RFC 5032 */
  | { readonly name: "OLDER" | "YOUNGER"; readonly seconds: number }
  /** @see RFC 7162 §3.1.5; the entry name and type are taken and have no meaning here. */
  | { readonly name: "MODSEQ"; readonly modseq: number };

/** RETURN options. @see RFC 4731 §3.1 */
export type SearchReturn = "MIN" | "MAX" | "ALL" | "COUNT";

export interface SearchArgs {
  /** Absent: the old `* SEARCH` answer. `RETURN ()` means ALL. */
  readonly returns?: readonly SearchReturn[];
  readonly key: SearchKey;
}
