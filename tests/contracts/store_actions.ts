/** What the suite of the store contract does to a store, and asks of it. */

import * as assert from "node:assert/strict";
import {
  type Account,
  type FlagSet,
  type Mailbox,
  type NewMessage,
  type Store,
  StoreError,
  type StoreErrorCode,
} from "../../src/store/store.ts";

/** Where a store keeps its mail; outlives the stores opened on it, one at a time. */
export interface StorePlace {
  /**
   * Opens a store whose accounts begin with INBOX, and with "Sent" as the `\Sent` mailbox.
   *
   * @param quota what each account may hold
   */
  open(quota?: {
    readonly storage?: number;
    readonly messages?: number;
    readonly mailboxes?: number;
  }): Store;
  remove(): Promise<void>;
}

/** Makes a test of one account in one store. */
export type TestAccount = (
  title: string,
  body: (account: Account, store: Store) => Promise<void>,
) => void;

export const NO_FLAGS: FlagSet = { system: 0, keywords: [] };

/** A small message in wire form. */
export function text(subject: string, body = "Hello\r\n"): Uint8Array {
  return new TextEncoder().encode(
    `From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: ${subject}\r\n` +
      `Date: Fri, 1 Mar 2024 23:30:00 -0500\r\nMessage-ID: <${subject}@example.org>\r\n\r\n${body}`,
  );
}

/** Hands a message in, ready for `append`. */
export async function incoming(
  account: Account,
  mailbox: string,
  bytes: Uint8Array,
  more: Partial<NewMessage> = {},
): Promise<NewMessage> {
  const message = await account.receive(mailbox);
  await message.write(bytes);
  return { incoming: message, flags: NO_FLAGS, ...more };
}

/** Stores one message and returns its UID. */
export async function deliver(
  account: Account,
  mailbox: string,
  subject = "test",
  flags: FlagSet = NO_FLAGS,
): Promise<number> {
  const message = await incoming(account, mailbox, text(subject), { flags });
  return (await account.append(mailbox, [message])).uids[0];
}

/** The UIDs of a mailbox. */
export function uidsOf({ messages }: Mailbox): number[] {
  return [...messages.uids.subarray(0, messages.count)];
}

/** [uid, flags, keywords] of each message. */
export function flagsOf(mailbox: Mailbox): [number, number, string[]][] {
  const { messages } = mailbox;
  return uidsOf(mailbox).map((uid, at) => [
    uid,
    messages.flags[at],
    [...mailbox.keywordSet(messages.keywordSets[at])].sort(),
  ]);
}

/** The whole text of a message. */
export async function wholeText(mailbox: Mailbox, uid: number): Promise<string> {
  const message = await mailbox.read(uid);
  try {
    let all = "";
    for await (const piece of message.read(0, message.size)) {
      all += new TextDecoder("latin1").decode(piece);
    }
    return all;
  } finally {
    message.close();
  }
}

/** Asserts that something is refused with this code. */
export async function refused(code: StoreErrorCode, attempt: Promise<unknown>): Promise<void> {
  await assert.rejects(attempt, (error) => error instanceof StoreError && error.code === code);
}

/** Waits for the next change that `mailbox` tells of, if `done` does not hold yet. */
export async function until(mailbox: Mailbox, done: () => boolean): Promise<void> {
  while (!done()) {
    await new Promise<void>((resolve) => {
      const end = mailbox.watch(() => {
        end();
        resolve();
      });
    });
  }
}
