/** Settings as iOS and macOS read them: a configuration profile, unsigned. */

import { createHash } from "node:crypto";
import {
  type ClientSettings,
  domainOf,
  type MailServer,
  type Person,
  usernameOf,
} from "./client_settings.ts";
import { leaf, parent } from "./xml.ts";

const DOCTYPE = '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" ' +
  '"http://www.apple.com/DTDs/PropertyList-1.0.dtd">';

type Value = string | number | boolean | readonly Dictionary[];
interface Dictionary {
  readonly [key: string]: Value | undefined;
}

/**
 * The profile for `person`; without an address the device asks for it. Identifiers depend on the
 * server and the address only, so that a later profile takes the place of an earlier one.
 */
export function appleProfile(settings: ClientSettings, person: Person): string {
  const { address, name } = person;
  const key = `${settings.name}\n${address?.text ?? ""}`;
  const title = address?.text ?? domainOf(settings.name);
  const reversed = settings.name.split(".").reverse().join(".");
  const identifier = `${reversed}.imapd.${uuidOf(`identifier\n${key}`).slice(0, 8)}`;
  const profile: Dictionary = {
    PayloadContent: [{
      ...account(settings, person),
      PayloadDescription: `Mail of ${settings.name}`,
      PayloadDisplayName: title,
      PayloadIdentifier: `${identifier}.mail`,
      PayloadType: "com.apple.mail.managed",
      PayloadUUID: uuidOf(`account\n${key}`),
      PayloadVersion: 1,
    }],
    PayloadDescription: `Sets up mail for ${name ?? title}`,
    PayloadDisplayName: `Mail (${title})`,
    PayloadIdentifier: identifier,
    PayloadOrganization: settings.name,
    PayloadRemovalDisallowed: false,
    PayloadType: "Configuration",
    PayloadUUID: uuidOf(`profile\n${key}`),
    PayloadVersion: 1,
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    DOCTYPE,
    parent('plist version="1.0"', [dictionary(profile)]),
    "",
  ].join("\n");
}

function account(settings: ClientSettings, { address, name }: Person): Dictionary {
  const username = address && usernameOf(settings, address);
  return {
    EmailAccountDescription: address?.text ?? settings.name,
    EmailAccountName: name,
    EmailAccountType: "EmailTypeIMAP",
    EmailAddress: address?.text,
    ...server("Incoming", settings.imap[0], username),
    ...server("Outgoing", settings.smtp[0], username),
    OutgoingPasswordSameAsIncomingPassword: true,
    SMIMEEnabled: false,
  };
}

/** `UseSSL` is TLS from the first byte or STARTTLS, which the device finds out by itself. */
function server(
  way: "Incoming" | "Outgoing",
  { host, port, security }: MailServer,
  username: string | undefined,
): Dictionary {
  return {
    [`${way}MailServerAuthentication`]: "EmailAuthPassword",
    [`${way}MailServerHostName`]: host,
    [`${way}MailServerPortNumber`]: port,
    [`${way}MailServerUseSSL`]: security !== "plain",
    [`${way}MailServerUsername`]: username,
  };
}

function dictionary(values: Dictionary): string {
  return parent(
    "dict",
    Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [leaf("key", key), valueElement(value)]
    ),
  );
}

function valueElement(value: Value): string {
  switch (typeof value) {
    case "string":
      return leaf("string", value);
    case "number":
      return leaf("integer", value);
    case "boolean":
      return `<${value}/>`;
    default:
      return parent("array", value.map(dictionary));
  }
}

/** A UUID that depends on `text` only. @see RFC 9562 §5.8 */
function uuidOf(text: string): string {
  const octets = createHash("sha256").update(`imapd\n${text}`).digest().subarray(0, 16);
  octets[6] = octets[6] & 0x0f | 0x80;
  octets[8] = octets[8] & 0x3f | 0x80;
  return octets.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
    .toUpperCase();
}
