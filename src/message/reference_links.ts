/** Which message answers which, by Message-ID and References. @see RFC 5256 §3 */

/** What linking knows of messages: see `ThreadedMessages` of `threading.ts`. */
export interface ReferringMessages {
  readonly count: number;
  readonly id: ArrayLike<number>;
  readonly references: ArrayLike<ArrayLike<number>>;
  readonly lastId: number;
}

/** A forest: node 0 is none, others are message ids, then messages without one of their own. */
export interface Links {
  /** How many nodes there are, with node 0. */
  readonly count: number;
  /** The node above, 0 for none. */
  readonly parent: Int32Array;
  /** Index of the message of a node, -1 for a dummy. */
  readonly message: Int32Array;
}

/** Steps of work between two turns of others. */
const STEP = 50_000;

/** Step 1: links all messages; a link that would make a loop is left out. */
export function* linkReferences(messages: ReferringMessages): Generator<void, Links> {
  const links = new LinkMaker(messages.lastId + messages.count + 1);
  let next = messages.lastId + 1;
  for (let at = 0; at < messages.count; at++) {
    // The second message with the same id is as one without.
    const own = messages.id[at];
    const node = own !== 0 && links.message[own] < 0 ? own : next++;
    links.message[node] = at;
    yield* links.place(node, messages.references[at]);
  }
  return { count: next, parent: links.parent, message: links.message };
}

class LinkMaker {
  readonly parent: Int32Array;
  readonly message: Int32Array;
  readonly #children: Int32Array;
  /** Steps since the last turn of others. */
  #work = 0;

  constructor(size: number) {
    this.parent = new Int32Array(size);
    this.message = new Int32Array(size).fill(-1);
    this.#children = new Int32Array(size);
  }

  /** Links the references among themselves where they have no parent, and the node to the last. */
  *place(node: number, references: ArrayLike<number>): Generator<void, void> {
    this.#work += references.length + 1;
    for (let at = 1; at < references.length; at++) {
      if (this.parent[references[at]] === 0) this.#link(references[at - 1], references[at]);
      // Each link can take a walk through all that is referred to.
      if (this.#isTurnDue()) yield;
    }
    if (this.#isTurnDue()) yield;
    // What References of others said of this message gives way to what its own say.
    const last = references.length === 0 ? 0 : references[references.length - 1];
    if (this.parent[node] === last) return;
    this.#unlink(node);
    if (last !== 0) this.#link(last, node);
  }

  #isTurnDue(): boolean {
    if (this.#work < STEP) return false;
    this.#work = 0;
    return true;
  }

  #link(parent: number, child: number): void {
    if (this.#isAbove(child, parent)) return;
    this.parent[child] = parent;
    this.#children[parent]++;
  }

  #unlink(child: number): void {
    const parent = this.parent[child];
    if (parent === 0) return;
    this.#children[parent]--;
    this.parent[child] = 0;
  }

  /** Is `node` the same as `below`, or above it? */
  #isAbove(node: number, below: number): boolean {
    if (node === below) return true;
    // So it is mostly: answers come after what they answer.
    if (this.#children[node] === 0) return false;
    let at = below;
    for (; at !== 0 && at !== node; at = this.parent[at]) this.#work++;
    return at === node;
  }
}
