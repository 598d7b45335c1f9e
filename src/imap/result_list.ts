/** An ordered list of results, and how to spell what becomes of it. @see RFC 5267 §4.3.2 */

/** UIDs that stand together. */
export interface Run {
  /** Where the first stands, from 1, once the runs before are dealt with. */
  readonly position: number;
  readonly uids: readonly number[];
}

/** Parts a list into what stays and the runs that go. */
export function without(
  list: Uint32Array,
  isLost: (uid: number) => boolean,
): { readonly kept: Uint32Array; readonly runs: readonly Run[] } {
  const kept = new Uint32Array(list.length);
  const runs: { position: number; uids: number[] }[] = [];
  let count = 0;
  for (let at = 0; at < list.length; at++) {
    const uid = list[at];
    if (isLost(uid)) addTo(runs, count + 1, uid);
    else kept[count++] = uid;
  }
  return { kept: runs.length === 0 ? list : kept.slice(0, count), runs };
}

/**
 * The runs that make `wanted` of a list.
 *
 * @returns undefined if more is needed than that fresh ones come in
 */
export function insertions(
  list: Uint32Array,
  wanted: Uint32Array,
  isFresh: (uid: number) => boolean,
): readonly Run[] | undefined {
  const runs: { position: number; uids: number[] }[] = [];
  let next = 0;
  for (let at = 0; at < wanted.length; at++) {
    const uid = wanted[at];
    if (next < list.length && list[next] === uid) next++;
    else if (!isFresh(uid)) return undefined;
    else addTo(runs, startOf(runs, at), uid);
  }
  return next === list.length ? runs : undefined;
}

/** Where the run begins that the element at `at` belongs to. */
function startOf(runs: readonly Run[], at: number): number {
  const last = runs.at(-1);
  return last !== undefined && last.position + last.uids.length === at + 1 ? last.position : at + 1;
}

function addTo(runs: { position: number; uids: number[] }[], position: number, uid: number): void {
  const last = runs.at(-1);
  if (last?.position === position) last.uids.push(uid);
  else runs.push({ position, uids: [uid] });
}
