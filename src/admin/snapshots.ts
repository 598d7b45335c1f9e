/** Operations behind backups: who reads and writes the files is the caller, with its own rights. */

import type { SnapshotFile } from "../store/store.ts";
import type { AccountParams } from "./lookup.ts";
import { AdminError, type Operation } from "./operation.ts";

/** What a snapshot is told as: the account, octets of its index, its messages, then `complete`. */
export type SnapshotItem =
  | {
    readonly kind: "account";
    /** Path of the account's folder. */
    readonly root: string;
    /** Those of its mailboxes, below the root; "" is the root. */
    readonly folders: readonly string[];
    /** Name of the index in the root. */
    readonly indexName: string;
  }
  | Uint8Array
  | { readonly kind: "files"; readonly files: readonly SnapshotFile[] }
  | { readonly kind: "complete" };

/** A snapshot of an account. Its files stay until the input ends. */
export const snapshotAccount: Operation<AccountParams, SnapshotItem> = {
  async *run({ storage }, params, input) {
    const store = storage(params.storage);
    if (!await store.exists(params.account)) {
      throw new AdminError(`Expected an account that is there, got ${params.account}`);
    }
    const account = await store.account(params.account);
    const snapshot = await account.snapshot?.();
    if (snapshot === undefined) throw new AdminError("Expected a storage that is kept in files");
    try {
      const { root, folders, indexName } = snapshot;
      yield { kind: "account", root, folders, indexName };
      yield* snapshot.index();
      for await (const files of snapshot.files()) yield { kind: "files", files };
      yield { kind: "complete" };
      for await (const _ of input);
    } finally {
      await snapshot.close();
    }
  },
};

/** How an account is put in place. */
export interface RestoreParams extends AccountParams {
  /** A folder beside the account's own; absent: only look whether it could be put there. */
  readonly from?: string;
  /** Move an account with mail aside. */
  readonly force: boolean;
}

/** What became of the account that was there. */
export interface RestoreResult {
  /** Where it is kept now, if there was one with mail. */
  readonly aside?: string;
}

/** Puts an account in place that the caller wrote beside it. */
export const restoreAccount: Operation<RestoreParams, RestoreResult> = {
  async *run({ storage, sessions, log }, params) {
    const { account: name, from, force } = params;
    const store = storage(params.storage);
    if (store.replace === undefined) throw new AdminError("Expected a storage kept in files");
    let messages = 0;
    if (await store.exists(name)) {
      messages = (await (await store.account(name)).quota()).messages.used;
    }
    if (messages > 0 && !force) {
      throw new AdminError(
        `The account ${name} is there with ${messages} messages: --force moves it aside, ` +
          "--to ROOT restores to another place",
      );
    }
    if (from === undefined) return yield {};
    // Before: else they would be told that all their mail was expunged.
    sessions?.kick(({ user }) => user === name, "The account is restored from a backup");
    const aside = await store.replace(name, from, messages > 0);
    // Without a server the caller tells it.
    if (sessions !== undefined) log.info("account restored", { account: name, aside });
    yield { aside };
  },
};
