/** How THREAD responses are spelled. @see RFC 5256 §4 */

/** A message of a thread, or a dummy above several. */
export interface ThreadMember {
  /** Index of the message; below zero for a dummy. */
  readonly message: number;
  readonly children: readonly ThreadMember[];
}

/**
 * A thread of any depth and breadth.
 *
 * thread-list = "(" (thread-members / thread-nested) ")"
 *
 * thread-members = nz-number *(SP nz-number) [SP thread-nested]
 *
 * thread-nested = 2*thread-list
 *
 * @param numberOf as the client is told: a sequence number or a UID
 */
export function threadList(
  thread: ThreadMember,
  numberOf: (message: number) => number,
): string {
  let text = "";
  const waiting: (ThreadMember | undefined)[] = [thread];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (next === undefined) {
      text += ")";
      continue;
    }
    const { members, nested } = membersOf(next, numberOf);
    text += `(${members}`;
    // Taken from the end: first all nested lists, then what closes this one.
    waiting.push(undefined);
    for (let at = nested.length - 1; at >= 0; at--) waiting.push(nested[at]);
  }
  return text;
}

/** The numbers down to where the thread forks, and what forks there. */
function membersOf(
  first: ThreadMember,
  numberOf: (message: number) => number,
): { readonly members: string; readonly nested: readonly ThreadMember[] } {
  let node = first;
  let members = node.message < 0 ? "" : `${numberOf(node.message)}`;
  while (node.children.length === 1) {
    node = node.children[0];
    members += members === "" ? `${numberOf(node.message)}` : ` ${numberOf(node.message)}`;
  }
  const nested = node.children;
  return { members: members !== "" && nested.length > 0 ? `${members} ` : members, nested };
}
