/** A worker that checks passwords, so that the event loop of the server stays free. */

import { verifyPassword } from "./hashing.ts";
import type { PasswordHash } from "./password_hash.ts";

/** What the worker is asked. */
export interface HashRequest {
  readonly id: number;
  readonly hash: PasswordHash;
  readonly password: string;
}

/** What it answers; `error` says why it could not check. */
export interface HashReply {
  readonly id: number;
  readonly match: boolean;
  readonly error?: string;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<HashRequest>) => void) | null;
  postMessage(reply: HashReply): void;
}

/** Serves one worker's `scope`. */
export function serveHashes(scope: WorkerScope): void {
  scope.onmessage = async ({ data: { id, hash, password } }) => {
    try {
      scope.postMessage({ id, match: await verifyPassword(hash, password) });
    } catch (error) {
      scope.postMessage({ id, match: false, error: String(error) });
    }
  };
}

// The one module whose import has an effect: that is how a worker starts.
if ("WorkerGlobalScope" in globalThis) serveHashes(globalThis as unknown as WorkerScope);
