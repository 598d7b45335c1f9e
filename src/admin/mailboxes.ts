/** Operations on the mailboxes of an account. */

import type { MailboxInfo, MailboxStatus } from "../store/store.ts";
import type { Operation } from "./operation.ts";

/** Whose mailboxes are meant. */
export interface AccountParams {
  readonly account: string;
  /** Name of a storage block; the first one by default. */
  readonly storage?: string;
}

/** One mailbox, with its counts where it is selectable. */
export type ListedMailbox = MailboxInfo & Partial<MailboxStatus>;

/** All mailboxes, INBOX first. */
export const listMailboxes: Operation<AccountParams, ListedMailbox> = {
  async *run({ storage }, params) {
    const account = await storage(params.storage).account(params.account);
    for (const info of account.list()) {
      yield info.selectable ? { ...info, ...await account.status(info.name) } : info;
    }
  },
};
