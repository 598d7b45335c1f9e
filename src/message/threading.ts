/**
 * Threads of messages, made of numbers only: message ids and base subjects come as numbers that
 * are the same where the texts are. All loops, no recursion, so that any depth will do; work that
 * can be long is a generator that yields now and then.
 *
 * @see RFC 5256 §3
 */

import { linkReferences, type Links } from "./reference_links.ts";

/** A message of a thread with the answers to it. */
export interface ThreadNode {
  /** Index of the message; -1 for a dummy, which only a root can be, and which has children. */
  readonly message: number;
  readonly children: ThreadNode[];
}

/** What threading knows of messages, each by its index, in mailbox order. */
export interface ThreadedMessages {
  readonly count: number;
  /** All messages by sent date, those of the same date in mailbox order. @see RFC 5256 §2.2 */
  readonly bySent: ArrayLike<number>;
  /** The inverse of {@link bySent}: the place of each message in it. */
  readonly sentRank: ArrayLike<number>;
  /** INTERNALDATE in seconds since 1970. */
  readonly arrived: ArrayLike<number>;
  /** Number of the base subject; 0 is the empty one. */
  readonly subject: ArrayLike<number>;
  /** 1 where the subject is that of a reply or a forward. */
  readonly reply: ArrayLike<number>;
  /** Number of its message id, from 1; 0 for none. */
  readonly id: ArrayLike<number>;
  /** Numbers of the ids that it refers to, the direct parent last. */
  readonly references: ArrayLike<ArrayLike<number>>;
  /** The highest number of an id. */
  readonly lastId: number;
}

/** Yields where other work may have its turn; returns the threads in their order. */
export type Threading = Generator<void, readonly ThreadNode[]>;

/** Messages between two turns of others. */
const STEP = 5000;

/** Threads of one level: what has the same base subject answers the oldest of it. @see RFC 5256 §3 */
export function* orderedSubject(messages: ThreadedMessages): Threading {
  const threads = new Map<number, ThreadNode>();
  for (let at = 0; at < messages.count; at++) {
    const message = messages.bySent[at];
    const node = { message, children: [] };
    const first = threads.get(messages.subject[message]);
    if (first === undefined) threads.set(messages.subject[message], node);
    else first.children.push(node);
    if (at % STEP === STEP - 1) yield;
  }
  // A map keeps the order of insertion, which is that of the first messages.
  return [...threads.values()];
}

/** Threads by References, and those with the same base subject joined. @see RFC 5256 §3 */
export function* references(messages: ThreadedMessages): Threading {
  const links = yield* linkReferences(messages);
  return yield* joinSubjects(yield* treesOf(links, messages), messages);
}

/**
 * Threads by References alone, in the order of their latest arrivals.
 *
 * @see draft-ietf-morg-inthread §5
 */
export function* refs(messages: ThreadedMessages): Threading {
  const links = yield* linkReferences(messages);
  const latest: (readonly [root: ThreadNode, arrival: number])[] = [];
  for (const root of yield* treesOf(links, messages)) {
    latest.push([root, latestArrival(root, messages)]);
    if (latest.length % STEP === 0) yield;
  }
  latest.sort(([a, first], [b, second]) => first - second || representative(a) - representative(b));
  return latest.map(([root]) => root);
}

/** The message that stands for a node: itself, or the first child of a dummy. */
function representative({ message, children }: ThreadNode): number {
  return message >= 0 ? message : children[0].message;
}

/**
 * Steps 2 to 4: the links as trees without dummies, but for roots that hold several messages
 * together. Children of removed dummies go to the next message above, or to the top. All siblings
 * come in the order of their sent dates, since they are put in place in that order.
 */
function* treesOf(
  { parent, message, count }: Links,
  { count: messages, bySent }: ThreadedMessages,
): Generator<void, ThreadNode[]> {
  const above = messagesAbove(parent, message, count);
  yield;
  const nodes = new Array<ThreadNode | undefined>(count);
  const nodeOf = (at: number): ThreadNode => nodes[at] ??= { message: message[at], children: [] };
  const byMessage = new Int32Array(messages);
  for (let at = 1; at < count; at++) if (message[at] >= 0) byMessage[message[at]] = at;
  const roots: ThreadNode[] = [];
  for (let place = 0; place < messages; place++) {
    const at = byMessage[bySent[place]];
    const node = nodeOf(at);
    const holder = above[at] === 0 ? undefined : nodeOf(above[at]);
    if (holder === undefined) roots.push(node);
    else if (holder.message < 0 && holder.children.length === 0) roots.push(holder);
    holder?.children.push(node);
    if (place % STEP === STEP - 1) yield;
  }
  return roots.map((root) =>
    root.message < 0 && root.children.length === 1 ? root.children[0] : root
  );
}

/** By node: the nearest message above it, else the topmost dummy above it, else 0. */
function messagesAbove(parent: Int32Array, message: Int32Array, count: number): Int32Array {
  const above = new Int32Array(count);
  const known = new Uint8Array(count);
  const path: number[] = [];
  for (let start = 1; start < count; start++) {
    let at = start;
    while (known[at] === 0 && parent[at] !== 0 && message[parent[at]] < 0) {
      path.push(at);
      at = parent[at];
    }
    if (known[at] === 0) {
      above[at] = parent[at];
      known[at] = 1;
    }
    // What a dummy has above it is also above those below; at the top it is itself.
    const found = above[at] === 0 ? at : above[at];
    for (const below of path) {
      above[below] = found;
      known[below] = 1;
    }
    path.length = 0;
  }
  return above;
}

function latestArrival(root: ThreadNode, { arrived }: ThreadedMessages): number {
  let latest = -Infinity;
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.message >= 0) latest = Math.max(latest, arrived[node.message]);
    for (const child of node.children) waiting.push(child);
  }
  return latest;
}

/** Steps 5 and 6: joins roots with the same base subject, and sorts what that changed. */
function* joinSubjects(
  roots: readonly ThreadNode[],
  messages: ThreadedMessages,
): Generator<void, ThreadNode[]> {
  const { subject, reply, sentRank } = messages;
  const rankOf = (node: ThreadNode) => sentRank[representative(node)];
  const isReply = (node: ThreadNode) => reply[representative(node)] === 1;
  const table = subjectTable(roots, messages);
  yield;
  const joined = new Set<ThreadNode>();
  const dummies: ThreadNode[] = [];
  const changed = new Set<ThreadNode>();
  for (let at = 0; at < roots.length; at++) {
    if (at % STEP === STEP - 1) yield;
    const root = roots[at];
    const thread = subject[representative(root)];
    const held = table.get(thread);
    if (held === undefined || held === root || joined.has(root)) continue;
    joined.add(root);
    if (held.message < 0) {
      for (const child of root.message < 0 ? root.children : [root]) held.children.push(child);
      changed.add(held);
    } else if (isReply(root) && !isReply(held)) {
      held.children.push(root);
      changed.add(held);
    } else {
      joined.add(held);
      const dummy = { message: -1, children: [held, root] };
      dummies.push(dummy);
      changed.add(dummy);
      table.set(thread, dummy);
    }
  }
  yield;
  for (const { children } of changed) children.sort((a, b) => rankOf(a) - rankOf(b));
  yield;
  // Each has a place of its own: so what are many are put there instead of sorted.
  const placed = new Array<ThreadNode | undefined>(messages.count);
  for (const root of roots) if (!joined.has(root)) placed[rankOf(root)] = root;
  for (const dummy of dummies) placed[rankOf(dummy)] = dummy;
  yield;
  return placed.filter((root) => root !== undefined);
}

/** Step 5B: by base subject, the root that others with the same are joined to. */
function subjectTable(
  roots: readonly ThreadNode[],
  { subject, reply }: ThreadedMessages,
): Map<number, ThreadNode> {
  const isReply = (node: ThreadNode) => reply[representative(node)] === 1;
  const table = new Map<number, ThreadNode>();
  for (const root of roots) {
    const thread = subject[representative(root)];
    if (thread === 0) continue;
    const held = table.get(thread);
    const better = held === undefined ||
      (held.message >= 0 && (root.message < 0 || (isReply(held) && !isReply(root))));
    if (better) table.set(thread, root);
  }
  return table;
}
