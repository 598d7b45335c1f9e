/** What an endpoint cannot do where Deno is older than 2.7.13. */

import type { ImapConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import { canSecure } from "../net/secured.ts";

/** @throws {Error} when an endpoint needs TLS on a connection that is there already */
export function refuseOldDeno(imap: ImapConfig, log: Log): void {
  if (canSecure()) return;
  const implicitTls = imap.listen.some((each) => each.kind !== "unix" && each.tls);
  if (imap.proxyProtocol !== undefined && (implicitTls || imap.proxyProtocol.tls !== undefined)) {
    throw new Error("imap.proxy_protocol: TLS behind a PROXY header needs Deno 2.7.13 or later");
  }
  if (imap.tls !== undefined && imap.listen.some((each) => each.kind === "inet" && !each.tls)) {
    log.warn("STARTTLS is not offered: it needs Deno 2.7.13 or later");
  }
}
