/** CONDSTORE, as commands that use it enable it in passing. */

import { numberCode, statusLine } from "../wire/response.ts";
import type { Context } from "./command.ts";

/** Enables CONDSTORE. @see RFC 7162 §3.1 */
export function enableCondstore(context: Pick<Context, "session" | "out">): void {
  tellingModseq(context, () => context.session.enabled.add("CONDSTORE"));
}

/** Runs what may enable CONDSTORE; the client then learns where its mailbox stands. */
export function tellingModseq<T>(
  { session, out }: Pick<Context, "session" | "out">,
  enable: () => T,
): T {
  const before = session.condstore;
  const result = enable();
  if (before || !session.condstore || session.state.name !== "selected") return result;
  const code = numberCode("HIGHESTMODSEQ", session.state.view.toldModseq);
  out.text(statusLine("*", "OK", "Highest", code));
  return result;
}
