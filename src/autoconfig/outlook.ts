/** Settings as Outlook reads them: autodiscover, in plain old XML. */

import {
  type ClientSettings,
  type MailAddress,
  mailAddressOf,
  type MailServer,
  type Person,
  usernameOf,
} from "./client_settings.ts";
import { leaf, parent, unescaped } from "./xml.ts";

const OUTER = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
const INNER = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n';

const ENCRYPTION = { tls: "SSL", starttls: "TLS", plain: "None" } as const;

/** The answer for `person`; without an address the client takes the one that it asks for. */
export function outlookConfig(settings: ClientSettings, { address, name }: Person): string {
  const response = parent(`Response xmlns="${INNER}"`, [
    parent("User", [leaf("DisplayName", name ?? address?.text ?? settings.name)]),
    parent("Account", [
      leaf("AccountType", "email"),
      leaf("Action", "settings"),
      protocol("IMAP", settings.imap[0], settings, address),
      protocol("SMTP", settings.smtp[0], settings, address),
    ]),
  ]);
  return `${DECLARATION}${parent(`Autodiscover xmlns="${OUTER}"`, [response])}\n`;
}

function protocol(
  type: "IMAP" | "SMTP",
  { host, port, security }: MailServer,
  settings: ClientSettings,
  address: MailAddress | undefined,
): string {
  return parent("Protocol", [
    leaf("Type", type),
    leaf("Server", host),
    leaf("Port", port),
    leaf("DomainRequired", "off"),
    ...address === undefined ? [] : [leaf("LoginName", usernameOf(settings, address))],
    leaf("SPA", "off"),
    leaf("SSL", security === "plain" ? "off" : "on"),
    leaf("Encryption", ENCRYPTION[security]),
    leaf("AuthRequired", "on"),
    ...type === "SMTP" ? [leaf("UsePOPAuth", "on"), leaf("SMTPLast", "off")] : [],
  ]);
}

/** The answer to a question that has none, such as that of ActiveSync. */
export function outlookRefusal(): string {
  const error = parent('Error Time="00:00:00.0000000" Id="0"', [
    leaf("ErrorCode", 600),
    leaf("Message", "Invalid Request"),
    "<DebugData/>",
  ]);
  const response = parent("Response", [error]);
  return `${DECLARATION}${parent(`Autodiscover xmlns="${OUTER}"`, [response])}\n`;
}

/** The address that a request asks about; undefined where it asks for something else. */
export function outlookQuestion(body: string): MailAddress | undefined {
  const schema = elementOf(body, "AcceptableResponseSchema");
  if (schema !== undefined && schema !== INNER) return undefined;
  const address = elementOf(body, "EMailAddress");
  return address === undefined ? undefined : mailAddressOf(address);
}

/** No parser of XML: a document type in it must mean nothing. */
function elementOf(body: string, name: string): string | undefined {
  const [, text] = body.match(
    new RegExp(`<(?:\\w+:)?${name}(?:\\s[^<>]*)?>([^<>]{0,1024})</(?:\\w+:)?${name}\\s*>`, "i"),
  ) ?? [];
  return text === undefined ? undefined : unescaped(text).trim();
}
