/** Operations on the mailboxes of an account. */

import { didYouMean } from "../config/suggest.ts";
import type { Account, MailboxInfo, MailboxStatus, SpecialUse } from "../store/store.ts";
import {
  type AccountParams,
  existingAccount,
  existingMailbox,
  mailboxNamed,
  mailboxOf,
  type MailboxParams,
} from "./lookup.ts";
import { AdminError, type Operation } from "./operation.ts";

/** One mailbox, with its counts where it is selectable. */
export type ListedMailbox = MailboxInfo & Partial<MailboxStatus>;

/** All mailboxes, INBOX first. */
export const listMailboxes: Operation<AccountParams, ListedMailbox> = {
  async *run(context, params) {
    const account = await existingAccount(context, params);
    for (const info of account.list()) {
      yield info.selectable ? { ...info, ...await account.status(info.name) } : info;
    }
  },
};

/** The names of all mailboxes that are selectable, INBOX first; nothing is counted. */
export const mailboxNames: Operation<AccountParams, { readonly name: string }> = {
  async *run(context, params) {
    const account = await existingAccount(context, params);
    for (const { name, selectable } of account.list()) if (selectable) yield { name };
  },
};

/** Counts of one mailbox. */
export const mailboxStatus: Operation<MailboxParams, ListedMailbox> = {
  async *run(context, params) {
    const { account, name } = await existingMailbox(context, params);
    for (const info of account.list()) {
      if (info.name === name) yield { ...info, ...await account.status(name) };
    }
  },
};

const SPECIAL_USES: readonly SpecialUse[] = [
  "\\All",
  "\\Archive",
  "\\Drafts",
  "\\Flagged",
  "\\Junk",
  "\\Sent",
  "\\Trash",
];

/** What {@link createMailbox} makes. */
export interface CreateParams extends MailboxParams {
  /** "sent" or "\Sent". */
  readonly special?: string;
}

/** Makes a mailbox and those above it, and subscribes to what it made. */
export const createMailbox: Operation<CreateParams, { readonly mailbox: string }> = {
  async *run(context, params) {
    const account = await existingAccount(context, params);
    const use = params.special === undefined ? [] : [specialUseNamed(params.special)];
    const name = mailboxNamed(params.mailbox);
    if (account.info(name)?.selectable) {
      throw new AdminError(`There is a mailbox ${name} already in account ${account.name}`);
    }
    // First itself: a name that no mailbox can have leaves no parents behind.
    await account.create(name, use);
    const levels = name.split("/");
    for (let depth = 1; depth <= levels.length; depth++) {
      const mailbox = levels.slice(0, depth).join("/");
      if (mailbox !== name && account.info(mailbox)?.selectable) continue;
      if (mailbox !== name) await account.create(mailbox);
      await account.subscribe(mailbox);
      yield { mailbox };
    }
  },
};

function specialUseNamed(typed: string): SpecialUse {
  const name = typed.replace(/^\\/, "").toLowerCase();
  const found = SPECIAL_USES.find((use) => use.slice(1).toLowerCase() === name);
  if (found !== undefined) return found;
  const names = SPECIAL_USES.map((use) => use.slice(1).toLowerCase());
  throw new AdminError(
    `Expected ${names.join(", ")} for the special use, got ${typed}${didYouMean(name, names)}`,
    "usage",
  );
}

/** Removes a mailbox with its messages, and its subscription; mailboxes below it stay. */
export const removeMailbox: Operation<MailboxParams, { readonly mailbox: string }> = {
  async *run(context, params) {
    const { account, name } = await existingMailbox(context, params);
    await account.delete(name);
    await account.unsubscribe(name);
    yield { mailbox: name };
  },
};

/** What {@link renameMailbox} renames. */
export interface RenameParams extends MailboxParams {
  readonly to: string;
}

/** Renames a mailbox and those below it, subscriptions included. */
export const renameMailbox: Operation<
  RenameParams,
  { readonly from: string; readonly to: string }
> = {
  async *run(context, params) {
    const account = await existingAccount(context, params);
    const from = account.info(mailboxNamed(params.mailbox))?.name ??
      mailboxOf(account, params.mailbox);
    const to = mailboxNamed(params.to);
    await account.rename(from, to);
    if (from !== "INBOX") await moveSubscriptions(account, from, to);
    yield { from, to };
  },
};

async function moveSubscriptions(account: Account, from: string, to: string): Promise<void> {
  for (const name of [...account.subscriptions()]) {
    if (name !== from && !name.startsWith(`${from}/`)) continue;
    await account.subscribe(to + name.slice(from.length));
    await account.unsubscribe(name);
  }
}

/** Has clients show the mailbox. */
export const subscribeMailbox: Operation<MailboxParams, { readonly mailbox: string }> = {
  async *run(context, params) {
    const { account, name } = await existingMailbox(context, params);
    await account.subscribe(name);
    yield { mailbox: name };
  },
};

/** Has clients no longer show the mailbox, which need not exist any more. */
export const unsubscribeMailbox: Operation<MailboxParams, { readonly mailbox: string }> = {
  async *run(context, params) {
    const account = await existingAccount(context, params);
    const name = mailboxNamed(params.mailbox);
    if (!account.subscriptions().includes(name)) {
      const near = didYouMean(name, account.subscriptions());
      throw new AdminError(`Account ${account.name} is not subscribed to ${name}${near}`);
    }
    await account.unsubscribe(name);
    yield { mailbox: name };
  },
};
