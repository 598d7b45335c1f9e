/** What is made of a message file while it is read. */

import { createHash, type Hash } from "node:crypto";
import { MessageIndexer, type MessageSummary } from "../../message/indexer.ts";
import { WireForm } from "../../message/wire_form.ts";
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

/** What tells whether a text is what was read before. */
export type MessageDigest = Pick<IndexedMessage, "size" | "digest">;

/** Makes the {@link MessageDigest} of a file that comes in chunks. */
export class FileDigest {
  readonly #hash: Hash = createHash("sha256");
  readonly #wireForm = new WireForm();
  #size = 0;

  /** Takes the next bytes as they lie in the file; the array may be reused. */
  push(fileBytes: Uint8Array): void {
    const wire = this.#wireForm.push(fileBytes);
    this.#size += wire.length;
    this.#hash.update(wire);
  }

  /** The result. It is done with. */
  end(): MessageDigest {
    return { size: this.#size, digest: shortened(this.#hash.digest()) };
  }
}

/** What stands for a file that cannot be read: empty, and unlike any other message. */
export function unreadableMessage(name: string, size: number): IndexedMessage {
  const digest = createHash("sha256").update(`unreadable ${name}`).digest();
  return withDigest({ ...new MessageIndexer().end(), size }, digest);
}

function shortened(digest: Uint8Array): Uint8Array {
  return digest.subarray(0, DIGEST_OCTETS);
}

function withDigest(summary: MessageSummary, whole: Uint8Array): IndexedMessage {
  const digest = shortened(whole);
  return { ...summary, digest, threadKeys: threadKeys(summary.conversation, digest) };
}
