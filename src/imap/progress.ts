/** Tells a client that its command is still worked on. @see RFC 9585 */

import { inProgressCode, statusLine } from "../wire/response.ts";
import type { Context } from "./command.ts";

/** Milliseconds between two notifications. @see RFC 9585 §3 */
const INTERVAL = 10_000;

/** How far a command is; `done` never shrinks. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/**
 * Awaits a command, and says now and then that it goes on, so that clients do not give it up. It
 * never comes in between the pieces of a response: see `Dialogue.interject`.
 *
 * @param interval milliseconds
 */
export async function tellingProgress<T>(
  { tag, dialogue }: Pick<Context, "tag" | "dialogue">,
  work: () => Promise<T> | T,
  interval = INTERVAL,
): Promise<T> {
  const timer = setInterval(() => {
    const code = inProgressCode(tag, dialogue.progress);
    dialogue.interject(statusLine("*", "OK", "Still working", code));
  }, interval);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
