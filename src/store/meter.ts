/** What a store tells of its work, for whoever watches it. */

/** "adopt": taking over what another program delivered. */
export type StoreOperation = "append" | "copy" | "move" | "store" | "expunge" | "adopt";

/** What was made durable: the file of a message, the entries of a folder, or a commit of the index. */
export type Synced = "file" | "folder" | "index";

/** Is told of each event; must be cheap, and must not throw. */
export interface StoreMeter {
  /**
   * An operation has succeeded.
   *
   * @param messages that it stored, changed or removed
   */
  did(operation: StoreOperation, messages: number, where: MeteredMailbox): void;
  /** @param seconds that the disk took */
  synced(what: Synced, seconds: number): void;
}

/** The mailbox that an operation changed; for copies that to which they went. */
export interface MeteredMailbox {
  readonly account: string;
  readonly mailbox: string;
}

/** Wants to know nothing. */
export const NO_STORE_METER: StoreMeter = { did() {}, synced() {} };
