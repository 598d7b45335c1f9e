/** The table of operations. */

import {
  accountNames,
  accountQuota,
  accountSize,
  createAccount,
  endSessions,
  listAccounts,
  removeAccount,
} from "./accounts.ts";
import { deliver } from "./delivery.ts";
import { examine } from "./examination.ts";
import { exportMessages } from "./exporting.ts";
import { importMessages, knownMessages } from "./importing.ts";
import {
  createMailbox,
  listMailboxes,
  mailboxNames,
  mailboxStatus,
  removeMailbox,
  renameMailbox,
  subscribeMailbox,
  unsubscribeMailbox,
} from "./mailboxes.ts";
import {
  addMessage,
  copyMessages,
  flagMessages,
  moveMessages,
  removeMessages,
} from "./message_changes.ts";
import { listMessages, selectMessages, showMessage } from "./messages.ts";
import type { Operation } from "./operation.ts";
import { kickSessions, listSessions } from "./sessions.ts";
import { clearPenalties, listPenalties } from "./penalties.ts";
import { restoreAccount, snapshotAccount } from "./snapshots.ts";

/** All operations by name. */
export const OPERATIONS = {
  "account names": accountNames,
  "account list": listAccounts,
  "account create": createAccount,
  "account remove": removeAccount,
  "account quota": accountQuota,
  "account size": accountSize,
  "account kick": endSessions,
  "mailbox names": mailboxNames,
  "deliver": deliver,
  "mailbox list": listMailboxes,
  "mailbox status": mailboxStatus,
  "mailbox create": createMailbox,
  "mailbox remove": removeMailbox,
  "mailbox rename": renameMailbox,
  "mailbox subscribe": subscribeMailbox,
  "mailbox unsubscribe": unsubscribeMailbox,
  "message list": listMessages,
  "message select": selectMessages,
  "message show": showMessage,
  "message add": addMessage,
  "message flag": flagMessages,
  "message copy": copyMessages,
  "message move": moveMessages,
  "message remove": removeMessages,
  "sessions": listSessions,
  "kick": kickSessions,
  "penalty list": listPenalties,
  "penalty clear": clearPenalties,
  "import known": knownMessages,
  "import": importMessages,
  "export": exportMessages,
  "snapshot": snapshotAccount,
  "restore": restoreAccount,
  "doctor": examine,
} as const;

export type OperationName = keyof typeof OPERATIONS;

/** What an operation is given. */
export type ParamsOf<N extends OperationName> = typeof OPERATIONS[N] extends
  Operation<infer Params, infer _> ? Params : never;

/** What an operation yields. */
export type ResultOf<N extends OperationName> = typeof OPERATIONS[N] extends
  Operation<infer _, infer Result> ? Result : never;

/** Whoever runs operations: a server behind its control socket, or this process. */
export interface Admin {
  /** @throws {AdminError} while the results are read */
  call<N extends OperationName>(
    name: N,
    params: ParamsOf<N>,
    input?: AsyncIterable<unknown>,
  ): AsyncIterable<ResultOf<N>>;
  close(): Promise<void>;
}
