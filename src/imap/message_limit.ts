/** How many messages one command may process, where the endpoint has such a limit. @see RFC 9738 */

import {
  type Completion,
  messageLimitCode,
  type ResponseCode,
  statusLine,
} from "../wire/response.ts";
import { numbersIn } from "../wire/number_set.ts";
import type { SearchKey } from "../wire/search_grammar.ts";
import { type Output, Refusal, type Service } from "./command.ts";
import type { Seqs } from "./search_columns.ts";
import type { View } from "./view.ts";

/** Both limits of an endpoint. */
export type MessageLimits = Pick<Service, "messageLimit" | "saveLimit">;

/** What of a command's messages it processes. */
export interface Limited {
  /** The highest of them, ascending. */
  readonly uids: readonly number[];
  /** Tells the lowest of them, where others are left. */
  readonly code?: ResponseCode;
}

/**
 * `MESSAGELIMIT=`, and `SAVELIMIT=` where storing is limited further.
 *
 * @see RFC 9738 §3
 */
export function messageLimitCapabilities({ messageLimit, saveLimit }: MessageLimits): string[] {
  return [
    ...messageLimit === undefined ? [] : [`MESSAGELIMIT=${messageLimit}`],
    ...saveLimit === undefined || saveLimit >= (messageLimit ?? Infinity)
      ? []
      : [`SAVELIMIT=${saveLimit}`],
  ];
}

/** @param uids ascending @see RFC 9738 §3.1 */
export function withinLimit(uids: readonly number[], { messageLimit }: MessageLimits): Limited {
  if (messageLimit === undefined || uids.length <= messageLimit) return { uids };
  const some = uids.slice(-messageLimit);
  return { uids: some, code: messageLimitCode(messageLimit, some[0]) };
}

/**
 * Refuses a command that stores messages, all or none of them.
 *
 * @param uids of the messages to be copied, ascending; absent: they are new
 * @throws {Refusal}
 * @see RFC 9738 §3.1
 */
export function requireWithinLimit(
  count: number,
  { messageLimit = Infinity, saveLimit = Infinity }: MessageLimits,
  uids?: readonly number[],
): void {
  const limit = Math.min(messageLimit, saveLimit);
  if (count <= limit) return;
  const code = messageLimitCode(limit, uids?.[uids.length - limit]);
  throw new Refusal(`At most ${limit} messages can be stored at once`, code);
}

/**
 * Refuses a page of more messages than one command may process.
 *
 * @throws {Refusal}
 * @see RFC 9738 §3.1
 */
export function requirePageWithinLimit(count: number, { messageLimit }: MessageLimits): void {
  if (messageLimit === undefined || count <= messageLimit) return;
  const text = `At most ${messageLimit} messages can be processed at once`;
  throw new Refusal(text, messageLimitCode(messageLimit));
}

/** The messages that a search looks at, and what to tell of the others. */
export function searchedWithinLimit(
  key: SearchKey,
  view: View,
  limits: MessageLimits,
): { readonly seqs?: Seqs; readonly code?: ResponseCode } {
  if (limits.messageLimit === undefined || view.count <= limits.messageLimit) return {};
  const named = namedSeqs(key, view);
  const { uids, code } = withinLimit(named.map((seq) => view.uidOf(seq)), limits);
  return code === undefined ? {} : { seqs: named.slice(-uids.length), code };
}

/** The messages that a program names by numbers, all if it does not. */
function namedSeqs(key: SearchKey, view: View): Seqs {
  const keys = key.name === "AND" ? key.keys : [key];
  for (const each of keys) {
    if (each.name === "UID") return view.resolve(each.set, true).map((uid) => view.seqOf(uid));
    if (each.name === "SEQUENCE") return numbersIn(each.set, view.count);
  }
  return view.seqs();
}

/** Adds the code to a reply; where that has another one, it goes before it. @see RFC 9738 §3.1 */
export function withLimitCode(
  completion: Completion,
  code: ResponseCode | undefined,
  out: Output,
): Completion {
  if (code === undefined) return completion;
  if (completion.code === undefined && completion.status === "OK") return { ...completion, code };
  out.text(statusLine("*", "NO", "There are more messages", code));
  return completion;
}
