/** Sequence sets and UID sets. @see RFC 9051 §9 `sequence-set` */

/** "*" in a set: above every number. */
export const STAR = Infinity;

/** Closed range, lower end first; either end may be {@link STAR}. */
export type NumberRange = readonly [number, number];

/** A set as the client wrote it: not sorted, not clipped. */
export interface NumberSet {
  readonly ranges: readonly NumberRange[];
}
