/** Which thread a message belongs to, over all mailboxes of an account. @see RFC 8474 §5.2 */

import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Conversation } from "../../message/conversation.ts";

/** Hexadecimal digits of a 64-bit number. */
const KEY_DIGITS = 16;

/**
 * Gives messages their threads. Each Message-ID together with a base subject is a key, and
 * `thread_keys` says which thread a key belongs to, also for messages that have not come yet or are
 * gone. A key never changes its thread, so no message does.
 *
 * A message goes to the thread of its own key, so that copies stay together; else to that of the
 * nearest message that it answers. So where it connects two threads both remain, and it goes with
 * what it replies to: to join them, messages that clients know would need other identifiers. A
 * thread is called by the key of the message where it began, so that an index made anew comes to
 * the same identifiers, in whatever order it reads the mail.
 */
export class Threads {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare("SELECT thread FROM thread_keys WHERE key = ?");
    this.#find.setReadBigInts(true);
    this.#insert = database.prepare("INSERT OR IGNORE INTO thread_keys VALUES (?, ?)");
  }

  /**
   * The thread of a message; call it in the transaction that takes the message in.
   *
   * @param keys its {@link threadKeys}
   */
  threadOf(keys: readonly bigint[]): bigint {
    let thread: bigint | undefined;
    for (const key of keys) {
      const found = this.#find.get(key)?.thread;
      if (typeof found !== "bigint") continue;
      thread = found;
      break;
    }
    thread ??= keys[keys.length - 1];
    for (const key of keys) this.#insert.run(key, thread);
    return thread;
  }
}

/**
 * Keys of a message and of those that it answers, itself first.
 *
 * @param digest of the message: the key of one without Message-ID
 */
export function threadKeys(
  { subject, own, ancestors }: Conversation,
  digest: Uint8Array,
): readonly bigint[] {
  const ownKey = own === undefined ? keyOf(digest) : keyOf(`${own} ${subject}`);
  return [ownKey, ...ancestors.map((id) => keyOf(`${id} ${subject}`))];
}

function keyOf(text: string | Uint8Array): bigint {
  const digits = hash("sha256", text, "hex").slice(0, KEY_DIGITS);
  return BigInt.asIntN(64, BigInt(`0x${digits}`));
}
