/** What clients have to know, worked out from the config. */

import type { ClientSettings, MailServer } from "../autoconfig/client_settings.ts";
import type { Config, ImapConfig } from "../config/load.ts";
import { isLoopback } from "../config/local_addresses.ts";
import type { ClientServer } from "../config/schema/autoconfig.ts";

const SUBMISSIONS = 465;
const BEST_FIRST: readonly MailServer["security"][] = ["tls", "starttls", "plain"];

/** @param hostname the server's name where the config has none */
export function clientSettings(config: Config, hostname: string): ClientSettings {
  const name = config.hostname ?? hostname;
  const forms = config.autoconfig;
  return {
    name,
    domains: forms?.domains ?? [],
    imap: forms?.imap?.map(serverOf) ?? imapServers(config, name),
    smtp: forms?.smtp?.map(serverOf) ?? [{ host: name, port: SUBMISSIONS, security: "tls" }],
    username: forms?.username ?? "address",
  };
}

/** The server that a URL of the config names. */
export function serverOf({ host, port, tls }: ClientServer): MailServer {
  return { host, port, security: tls ? "tls" : "starttls" };
}

/** Those that can be reached from elsewhere, if any can; never without TLS if there is one with. */
function imapServers({ imap }: Config, host: string): readonly MailServer[] {
  const all = imap.flatMap((endpoint) => serversOf(endpoint, host));
  const open = all.filter(({ local }) => !local);
  const found = (open.length > 0 ? open : all).map(({ server }) => server);
  const secure = found.filter(({ security }) => security !== "plain");
  const chosen = secure.length > 0 ? secure : found;
  // Behind a service manager or on unix sockets only: the ports are those of the proxy.
  if (chosen.length === 0) return [{ host, port: 993, security: "tls" }];
  const byPort = new Map(chosen.map((server) => [server.port, server]));
  return [...byPort.values()].sort((a, b) =>
    BEST_FIRST.indexOf(a.security) - BEST_FIRST.indexOf(b.security)
  );
}

function serversOf({ listen, tls }: ImapConfig, host: string) {
  return listen.flatMap((address) => {
    // Nobody can be told a port that is chosen at the start.
    if (address.kind !== "inet" || address.port === 0) return [];
    const security = address.tls ? "tls" as const : tls ? "starttls" as const : "plain" as const;
    const server: MailServer = { host, port: address.port, security };
    return [{ server, local: address.host === "localhost" || isLoopback(address.host) }];
  });
}
