/** What a client is told of a command that could not be read. */

import type { FrameEvent } from "../wire/framer.ts";
import { type PlainCode, statusLine } from "../wire/response.ts";

type FrameFault = Extract<FrameEvent, { readonly type: "fault" }>;

/** @see RFC 5530 §3, RFC 7888 §4 */
const ANSWERS: Readonly<
  Record<FrameFault["reason"], { readonly text: string; readonly code: PlainCode }>
> = {
  "line-too-long": { text: "Expected a shorter command line", code: "LIMIT" },
  "literals-too-long": { text: "Expected shorter literals", code: "TOOBIG" },
  "bad-literal": { text: "Expected a literal of at most 4294967295 octets", code: "TOOBIG" },
};

/** The tagged BAD. */
export function faultReply({ reason, text }: FrameFault): string {
  const answer = ANSWERS[reason];
  return statusLine(tagOf(text), "BAD", answer.text, answer.code);
}

/** The tag of a command that could not be read whole. */
export function tagOf(text: string): string {
  return /^([^\s(){%*"\\+]+) /.exec(text)?.[1] ?? "*";
}
