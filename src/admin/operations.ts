/** The table of operations. */

import { deliver } from "./delivery.ts";
import { exportMessages } from "./exporting.ts";
import { importMessages, knownMessages } from "./importing.ts";
import { listMailboxes } from "./mailboxes.ts";
import type { Operation } from "./operation.ts";
import { kickSessions, listSessions } from "./sessions.ts";
import { restoreAccount, snapshotAccount, snapshotAccounts } from "./snapshots.ts";

/** All operations by name. */
export const OPERATIONS = {
  "deliver": deliver,
  "mailbox list": listMailboxes,
  "sessions": listSessions,
  "kick": kickSessions,
  "import known": knownMessages,
  "import": importMessages,
  "export": exportMessages,
  "snapshot accounts": snapshotAccounts,
  "snapshot": snapshotAccount,
  "restore": restoreAccount,
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
