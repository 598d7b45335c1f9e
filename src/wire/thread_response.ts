/** How THREAD responses are spelled. @see RFC 5256 §4 */

/** A message of a thread, or a dummy above several. */
export interface ThreadMember {
  /** Index of the message; below zero for a dummy. */
  readonly message: number;
  readonly children: readonly ThreadMember[];
}

/**
 * Thread after thread in small pieces, so that depth and breadth may be any.
 *
 * thread-list = "(" (thread-members / thread-nested) ")"
 *
 * thread-members = nz-number *(SP nz-number) [SP thread-nested]
 *
 * thread-nested = 2*thread-list
 *
 * @param numberOf as the client is told: a sequence number or a UID
 */
export function* threadLists(
  threads: readonly ThreadMember[],
  numberOf: (message: number) => number,
): Generator<string> {
  const waiting: (ThreadMember | undefined)[] = [];
  for (const thread of threads) {
    waiting.push(thread);
    while (waiting.length > 0) {
      const next = waiting.pop();
      if (next === undefined) {
        yield ")";
        continue;
      }
      const { members, nested } = membersOf(next, numberOf);
      yield `(${members}`;
      // Taken from the end: first all nested lists, then what closes this one.
      waiting.push(undefined);
      for (let at = nested.length - 1; at >= 0; at--) waiting.push(nested[at]);
    }
  }
}

/** The numbers down to where the thread forks, and what forks there. */
function membersOf(
  first: ThreadMember,
  numberOf: (message: number) => number,
): { readonly members: string; readonly nested: readonly ThreadMember[] } {
  const numbers: number[] = [];
  let node = first;
  for (;;) {
    if (node.message >= 0) numbers.push(numberOf(node.message));
    if (node.children.length !== 1) break;
    node = node.children[0];
  }
  const nested = node.children;
  const members = numbers.join(" ");
  return { members: members !== "" && nested.length > 0 ? `${members} ` : members, nested };
}
