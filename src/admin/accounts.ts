/** Operations on accounts as a whole. */

import { setTimeout } from "node:timers/promises";
import { type Account, type MailboxStatus, StoreError } from "../store/store.ts";
import { type AccountParams, existingAccount } from "./lookup.ts";
import { AdminError, type Operation } from "./operation.ts";

/** Which store is meant. */
export interface StorageParams {
  readonly storage?: string;
}

/** The names of all accounts, sorted. */
export const accountNames: Operation<StorageParams, { readonly account: string }> = {
  async *run({ storage }, params) {
    for (const account of await storage(params.storage).accounts()) yield { account };
  },
};

/** What an account holds, and what it may hold at most. */
export interface ListedAccount {
  readonly account: string;
  readonly mailboxes: number;
  readonly messages: number;
  readonly octets: number;
  /** Octets. */
  readonly storageLimit?: number;
  readonly messagesLimit?: number;
}

/** All accounts with their counts; one that cannot be opened has a `problem` instead. */
export const listAccounts: Operation<
  StorageParams,
  ListedAccount | { readonly account: string; readonly problem: string }
> = {
  async *run(context, params) {
    const store = context.storage(params.storage);
    for (const name of await store.accounts()) {
      try {
        yield await counted(await store.account(name));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        yield { account: name, problem: error.message };
      }
    }
  },
};

async function counted(account: Account): Promise<ListedAccount> {
  const statuses = await statusesOf(account);
  const { storage, messages } = await account.quota();
  return {
    account: account.name,
    mailboxes: statuses.length,
    messages: statuses.reduce((sum, status) => sum + status.messages, 0),
    octets: statuses.reduce((sum, status) => sum + status.size, 0),
    storageLimit: storage.limit,
    messagesLimit: messages.limit,
  };
}

async function statusesOf(account: Account): Promise<(MailboxStatus & { name: string })[]> {
  const statuses = [];
  for (const { name, selectable } of account.list()) {
    if (selectable) statuses.push({ name, ...await account.status(name) });
  }
  return statuses;
}

/** Makes an account with its special folders. */
export const createAccount: Operation<
  AccountParams & { readonly orKeep?: boolean },
  { readonly made: boolean }
> = {
  async *run({ storage, log }, params) {
    const store = storage(params.storage);
    if (await store.exists(params.account)) {
      if (!params.orKeep) throw new AdminError(`There is an account ${params.account} already`);
      yield { made: false };
      return;
    }
    await store.account(params.account);
    log.info("account made", { account: params.account });
    yield { made: true };
  },
};

/** Removes an account with all its mail, and ends its sessions. */
export const removeAccount: Operation<AccountParams, { readonly account: string }> = {
  async *run(context, params) {
    const { name } = await existingAccount(context, params);
    context.sessions?.kick(({ user }) => user === name, "The account was removed");
    await context.storage(params.storage).remove(name);
    context.log.info("account removed", { account: name });
    yield { account: name };
  },
};

/** Limits to set: null for the config's, 0 for none; what is absent stays. */
export interface QuotaParams extends AccountParams {
  /** Octets. */
  readonly octets?: number | null;
  readonly messages?: number | null;
  readonly mailboxes?: number | null;
}

/** What an account has of what it may have. */
export interface QuotaRow {
  readonly resource: "storage" | "messages" | "mailboxes";
  readonly used: number;
  readonly limit?: number;
}

/** Sets the limits that are given, and tells all. */
export const accountQuota: Operation<QuotaParams, QuotaRow> = {
  async *run(context, params) {
    const account = await existingAccount(context, params);
    const { octets, messages, mailboxes } = params;
    if ([octets, messages, mailboxes].some((limit) => limit !== undefined)) {
      await account.setQuota({
        storage: noneIfZero(octets),
        messages: noneIfZero(messages),
        mailboxes: noneIfZero(mailboxes),
      });
      context.log.info("quota set", { account: account.name });
    }
    const quota = await account.quota();
    yield { resource: "storage", ...quota.storage };
    yield { resource: "messages", ...quota.messages };
    yield { resource: "mailboxes", ...quota.mailboxes };
  },
};

function noneIfZero(limit: number | null | undefined): number | "none" | null | undefined {
  return limit === 0 ? "none" : limit;
}

/** What a mailbox takes; the row without messages is what no mailbox shares. */
export interface SizeRow {
  readonly mailbox: string;
  readonly messages?: number;
  /** The sum of RFC822.SIZE. */
  readonly octets?: number;
  /** Octets that are taken on disk. */
  readonly disk: number;
}

/** Sizes of all mailboxes, and of what an account keeps besides. */
export const accountSize: Operation<AccountParams, SizeRow> = {
  async *run(context, params) {
    const account = await existingAccount(context, params);
    const used = await context.diskUsage(params.account, params.storage);
    for (const { name, messages, size } of await statusesOf(account)) {
      yield { mailbox: name, messages, octets: size, disk: used.mailboxes.get(name) ?? 0 };
    }
    yield { mailbox: "(index)", disk: used.rest };
  },
};

/**
 * Milliseconds for logins that looked into a table before it was changed to come to their end: who
 * is let in by them must not stay.
 */
const SETTLING = 1500;

/** Ends the sessions of an account; none are there where no server runs. */
export const endSessions: Operation<
  { readonly account: string; readonly reason: string },
  { readonly kicked: number }
> = {
  async *run({ sessions, running }, { account, reason }) {
    const kick = () => sessions?.kick(({ user }) => user === account, reason) ?? 0;
    const first = kick();
    if (running) await setTimeout(SETTLING);
    yield { kicked: first + kick() };
  },
};
