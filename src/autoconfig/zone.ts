/** Records by which clients find the server. @see RFC 6186, RFC 8314 §5.1 */

import { type ClientSettings, domainOf, type MailServer } from "./client_settings.ts";

/** What the records are for, and which. */
export interface ZoneOptions {
  readonly domains: readonly string[];
  /** Whether forms are served at `autoconfig.` and `autodiscover.` of the domains. */
  readonly forms: boolean;
}

/** Lines for the zone files of the domains. */
export function zoneRecords(
  { name, imap, smtp, ...settings }: ClientSettings,
  { domains, forms }: ZoneOptions,
): string {
  const zones = domains.length > 0
    ? domains
    : settings.domains.length > 0
    ? settings.domains
    : [domainOf(name)];
  const lines = zones.flatMap((zone) => [
    `; ${zone}`,
    service(`_imaps._tcp.${zone}.`, imap, "tls", 0),
    service(`_imap._tcp.${zone}.`, imap, "starttls", 10),
    service(`_submissions._tcp.${zone}.`, smtp, "tls", 0),
    service(`_submission._tcp.${zone}.`, smtp, "starttls", 10),
    absent(`_pop3s._tcp.${zone}.`),
    absent(`_pop3._tcp.${zone}.`),
    ...forms
      ? [
        record(`autoconfig.${zone}.`, "CNAME", `${name}.`),
        record(`autodiscover.${zone}.`, "CNAME", `${name}.`),
        record(`_autodiscover._tcp.${zone}.`, "SRV", `0 1 443 ${name}.`),
      ]
      : [],
  ]);
  return `${lines.join("\n")}\n`;
}

/** Several of one kind are the same to clients but for their order. */
function service(
  owner: string,
  servers: readonly MailServer[],
  security: MailServer["security"],
  priority: number,
): string {
  const found = servers.filter((server) => server.security === security);
  if (found.length === 0) return absent(owner);
  return found.map(({ host, port }, i) =>
    record(owner, "SRV", `${priority + i} 1 ${port} ${host}.`)
  ).join("\n");
}

/** A service that is not there. @see RFC 6186 §3.4 */
function absent(owner: string): string {
  return record(owner, "SRV", "0 0 0 .");
}

function record(owner: string, type: string, value: string): string {
  return `${owner.padEnd(34)} 3600 IN ${type.padEnd(5)} ${value}`;
}
