/** What is made of a message file while it is read. */

import { createHash, type Hash } from "node:crypto";
import { MessageIndexer, type MessageSummary } from "../../message/indexer.ts";
import { threadKeys } from "./threads.ts";

/** Octets of a digest; more would only make identifiers longer. */
const DIGEST_OCTETS = 20;

/** All that the index keeps of a message's text. */
export interface IndexedMessage extends MessageSummary {
  /** Of the text in wire form: {@link DIGEST_OCTETS} of its SHA-256. */
  readonly digest: Uint8Array;
  /** Of the conversation that it belongs to: see {@link threadKeys}. */
  readonly threadKeys: readonly bigint[];
}

/** Makes an {@link IndexedMessage} of a file that comes in chunks. */
export class FileIndexer {
  readonly #hash: Hash = createHash("sha256");
  readonly #indexer = new MessageIndexer(this.#hash);

  /** Takes the next bytes as they lie in the file; the array may be reused. */
  push(fileBytes: Uint8Array): void {
    this.#indexer.push(fileBytes);
  }

  /** The result. The indexer is done with. */
  end(): IndexedMessage {
    return withDigest(this.#indexer.end(), this.#hash.digest());
  }
}

/** What stands for a file that cannot be read: empty, and unlike any other message. */
export function unreadableMessage(name: string, size: number): IndexedMessage {
  const digest = createHash("sha256").update(`unreadable ${name}`).digest();
  return withDigest({ ...new MessageIndexer().end(), size }, digest);
}

function withDigest(summary: MessageSummary, whole: Uint8Array): IndexedMessage {
  const digest = whole.subarray(0, DIGEST_OCTETS);
  return { ...summary, digest, threadKeys: threadKeys(summary.conversation, digest) };
}
