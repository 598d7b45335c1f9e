import type { Added } from "../store/store.ts";
import { statusLine } from "../wire/response.ts";
import type { Output } from "./command.ts";

/** Warns a client that added messages beyond a soft limit. @see RFC 9208 §4.3.1 */
export function tellOverQuota(out: Output, { overQuota }: Added): void {
  if (overQuota !== undefined) out.text(statusLine("*", "NO", overQuota, "OVERQUOTA"));
}
