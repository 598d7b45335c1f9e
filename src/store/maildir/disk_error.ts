/** What the operating system refused, as errors of the store. */

import { constants } from "node:os";
import { StoreError, type StoreErrorCode } from "../store.ts";

const CODES: Readonly<Record<string, StoreErrorCode>> = {
  ENOSPC: "over-quota",
  EDQUOT: "over-quota",
  EFBIG: "too-big",
  ENOENT: "no-mailbox",
  ENOTDIR: "no-mailbox",
  ENAMETOOLONG: "bad-name",
};

const TEXTS: Readonly<Partial<Record<StoreErrorCode, string>>> = {
  "over-quota": "No room is left",
  "too-big": "The message is too big for the disk",
  "no-mailbox": "The mailbox is gone",
  "bad-name": "The name is too long for the disk",
  "message-gone": "The message is gone",
  "unreadable": "The message cannot be read",
};

/** The refusal of what a disk that is read-only would have to take. */
export function readOnlyDisk(): StoreError {
  return new StoreError("unavailable", "The disk is read-only: nothing can be changed now");
}

/** The refusal of a change to an index that would not be found again. */
export function indexRemoved(): StoreError {
  return new StoreError(
    "unavailable",
    "The mailbox index was removed or replaced: select the mailbox again",
  );
}

/** The refusal of whatever is asked of an account that was closed meanwhile. */
export function closedMeanwhile(): StoreError {
  return new StoreError("unavailable", "The mailbox was closed: select it again");
}

/** The refusal to show what may not be there any more after the next start of the machine. */
export function unprovenCommits(): StoreError {
  return new StoreError(
    "unavailable",
    "The disk is read-only, and the last changes may not be on it",
  );
}

/** The name of the system error, such as "ENOENT", if it is one. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code)) {
    return error.code;
  }
  // Rarer errors have no code in Deno, only the number.
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  return number === undefined ? undefined : nameOfErrno(Number(number));
}

function nameOfErrno(number: number): string {
  const known = Object.entries(constants.errno).find(([, value]) => value === number);
  return known?.[0] ?? `E${number}`;
}

/**
 * The {@link StoreError} for a failed write or rename, with the system's error as `cause`: no room
 * is `over-quota`, a missing folder `no-mailbox`, all else that the disk refuses `unavailable`.
 * What is no system error, and so a bug, comes back as it is.
 *
 * @param whileDoing fit for the client, such as "storing the message"
 */
export function storeErrorOf(error: unknown, whileDoing: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof StoreError) return error;
  return storeError(CODES[errno] ?? "unavailable", whileDoing, error);
}

/**
 * The {@link StoreError} for a message file that could not be read: `message-gone` if it is not
 * there, `unavailable` if the process has no files left to open, else `unreadable`.
 */
export function readErrorOf(error: unknown, whileDoing: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof StoreError) return error;
  if (errno === "ENOENT" || errno === "ENOTDIR") {
    return storeError("message-gone", whileDoing, error);
  }
  const exhausted = errno === "EMFILE" || errno === "ENFILE" || errno === "ENOMEM";
  return storeError(exhausted ? "unavailable" : "unreadable", whileDoing, error);
}

function storeError(code: StoreErrorCode, whileDoing: string, cause: unknown): StoreError {
  const text = TEXTS[code] ?? "The mail store failed";
  return new StoreError(code, `${text} while ${whileDoing}`, { cause });
}
