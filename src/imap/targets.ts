/** Messages that a command names but that other sessions expunged meanwhile. @see RFC 2180 §4 */

import { FLAG } from "../store/store.ts";
import { type Completion, no, ok, type ResponseCode } from "../wire/response.ts";
import { Refusal } from "./command.ts";
import type { View } from "./view.ts";

/** @see RFC 5530 §3 */
export function expungeIssued(): Refusal {
  return new Refusal("Some of these messages no longer exist", "EXPUNGEISSUED");
}

/**
 * The reply where the others were processed, but not those; with MESSAGELIMIT it is OK.
 *
 * @param limitCode MESSAGELIMIT, if there is one
 * @see RFC 9738 §3.1
 */
export function someGone(limitCode: ResponseCode | undefined): Completion {
  const reply = limitCode === undefined ? no : ok;
  return reply("Some of these messages no longer exist", "EXPUNGEISSUED");
}

/** Parts what is still there from what is gone, although the client does not know yet. */
export function presentUids(
  view: View,
  uids: readonly number[],
): { readonly present: readonly number[]; readonly gone: boolean } {
  if (!view.diverged) return { present: uids, gone: false };
  const present = uids.filter((uid) => view.indexOf(uid, view.seqOf(uid)) >= 0);
  return { present, gone: present.length < uids.length };
}

/** Those of the UIDs whose messages are there and have \Deleted. */
export function deletedUids(view: View, uids: readonly number[]): readonly number[] {
  const { flags } = view.mailbox.messages;
  return uids.filter((uid) => {
    const index = view.indexOf(uid, view.seqOf(uid));
    return index >= 0 && (flags[index] & FLAG.deleted) !== 0;
  });
}
