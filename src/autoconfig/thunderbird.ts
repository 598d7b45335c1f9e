/** Settings as Thunderbird, K-9, Evolution, KMail and FairEmail read them: `config-v1.1.xml`. */

import { type ClientSettings, domainOf, type MailServer, type Person } from "./client_settings.ts";
import { escaped, leaf, parent } from "./xml.ts";

const SOCKET_TYPE = { tls: "SSL", starttls: "STARTTLS", plain: "plain" } as const;

/**
 * The file for `person`; without an address it fits everybody, since the client fills in the
 * placeholders.
 */
export function thunderbirdConfig(settings: ClientSettings, { address, name }: Person): string {
  const domains = address === undefined
    ? settings.domains.length > 0 ? settings.domains : [domainOf(settings.name)]
    : [address.domain, ...settings.domains.filter((each) => each !== address.domain)];
  const provider = parent(`emailProvider id="${escaped(domains[0])}"`, [
    ...domains.map((domain) => leaf("domain", domain)),
    leaf("displayName", name ?? settings.name),
    leaf("displayShortName", settings.name),
    ...settings.imap.map((server) => serverElement("incomingServer", "imap", server, settings)),
    ...settings.smtp.map((server) => serverElement("outgoingServer", "smtp", server, settings)),
  ]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `${parent('clientConfig version="1.1"', [provider])}\n`;
}

function serverElement(
  element: string,
  type: string,
  { host, port, security }: MailServer,
  { username }: ClientSettings,
): string {
  return parent(`${element} type="${type}"`, [
    leaf("hostname", host),
    leaf("port", port),
    leaf("socketType", SOCKET_TYPE[security]),
    // "password-encrypted" would be CRAM-MD5, which nobody offers
    leaf("authentication", "password-cleartext"),
    leaf("username", username === "address" ? "%EMAILADDRESS%" : "%EMAILLOCALPART%"),
  ]);
}
