/** The operation that gives out an account's mail. */

import type { Account, Mailbox } from "../store/store.ts";
import { lowerBound } from "../wire/number_set.ts";
import type { AccountParams } from "./lookup.ts";
import { AdminError, type Operation } from "./operation.ts";
import type { TransferItem } from "./transfer_items.ts";

/** Which mail is wanted. */
export interface ExportParams extends AccountParams {
  /** Only this mailbox. */
  readonly mailbox?: string;
}

/** All mailboxes with their messages in UID order; each mailbox as it is when its turn comes. */
export const exportMessages: Operation<ExportParams, TransferItem> = {
  async *run({ storage }, params) {
    const store = storage(params.storage);
    if (!await store.exists(params.account)) {
      throw new AdminError(`Expected an account that is there, got ${params.account}`);
    }
    const account = await store.account(params.account);
    await account.refresh();
    const wanted = account.list().filter(({ name, selectable }) =>
      selectable && (params.mailbox ?? name) === name
    );
    if (wanted.length === 0) {
      throw new AdminError(`Expected a mailbox that is there, got ${params.mailbox}`);
    }
    for (const { name } of wanted) yield* mailboxItems(account, name);
  },
};

async function* mailboxItems(account: Account, name: string): AsyncGenerator<TransferItem, void> {
  const mailbox = await account.open(name);
  try {
    await mailbox.refresh();
    const info = account.info(name);
    yield {
      kind: "mailbox",
      name,
      specialUse: info?.specialUse ?? [],
      subscribed: info?.subscribed ?? false,
      uids: { uidValidity: mailbox.uidValidity, uidNext: mailbox.uidNext },
    };
    const { uids, count } = mailbox.messages;
    for (const uid of uids.slice(0, count)) yield* messageItems(mailbox, uid);
  } finally {
    mailbox.close();
  }
}

async function* messageItems(mailbox: Mailbox, uid: number): AsyncGenerator<TransferItem, void> {
  const { uids, count, flags, keywordSets, dates, zones } = mailbox.messages;
  const index = lowerBound(uids, count, uid);
  if (index === count || uids[index] !== uid) return;
  yield {
    kind: "message",
    key: String(uid),
    uid,
    flags: { system: flags[index], keywords: mailbox.keywordSet(keywordSets[index]) },
    date: { seconds: dates[index], zone: zones[index] },
  };
  try {
    const message = await mailbox.read(uid);
    try {
      yield* message.read(0, message.size);
    } finally {
      message.close();
    }
  } catch (error) {
    return yield {
      kind: "broken",
      reason: error instanceof Error ? error.message : String(error),
    };
  }
  yield { kind: "end" };
}
