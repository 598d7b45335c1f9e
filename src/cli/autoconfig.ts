/** `imapd autoconfig`: prints the forms by which mail programs set themselves up. */

import { clientSettings, serverOf } from "../app/client_settings.ts";
import { appleProfile } from "../autoconfig/apple.ts";
import {
  type ClientSettings,
  type MailAddress,
  mailAddressOf,
  type Person,
} from "../autoconfig/client_settings.ts";
import { outlookConfig } from "../autoconfig/outlook.ts";
import { thunderbirdConfig } from "../autoconfig/thunderbird.ts";
import { zoneRecords } from "../autoconfig/zone.ts";
import { type Config, loadConfig } from "../config/load.ts";
import { type ClientServer, clientServerOf } from "../config/schema/autoconfig.ts";
import {
  type Arguments,
  configFile,
  EXIT,
  optionalOption,
  repeatedOption,
  UsageError,
} from "./command.ts";
import { print, printError } from "./output.ts";

type Form = (settings: ClientSettings, person: Person, config: Config) => string;

const FORMS: Readonly<Record<string, Form>> = {
  thunderbird: thunderbirdConfig,
  outlook: outlookConfig,
  apple: appleProfile,
  dns: (settings, { address }, { autoconfig }) =>
    zoneRecords(settings, {
      domains: address === undefined ? [] : [address.domain],
      forms: autoconfig !== undefined,
    }),
};

/** `imapd autoconfig FORM` */
export async function autoconfig(args: Arguments): Promise<number> {
  const [name] = args.operands;
  if (!Object.hasOwn(FORMS, name)) {
    throw new UsageError(`Expected ${Object.keys(FORMS).join(", ")}, got ${name}`);
  }
  const address = addressOf(args);
  const smtp = repeatedOption(args, "smtp").map(smtpServerOf);
  const config = await loadConfig(configFile(args));
  const known = clientSettings(config, Deno.hostname());
  const settings = smtp.length > 0 ? { ...known, smtp: smtp.map(serverOf) } : known;
  if (smtp.length === 0 && config.autoconfig?.smtp === undefined) {
    const [{ host, port }] = settings.smtp;
    printError(
      `Taking ${host}:${port} with TLS for sending mail: else give --smtp HOST:PORT, or set ` +
        "autoconfig.smtp in the config",
    );
  }
  const text = FORMS[name](settings, { address, name: optionalOption(args, "name") }, config);
  await give(text, optionalOption(args, "output"));
  if (name === "apple") printError("The profile is not signed: devices say so, and install it");
  return EXIT.ok;
}

async function give(text: string, file: string | undefined): Promise<void> {
  if (file === undefined) return print(text);
  await Deno.writeTextFile(file, text);
  printError(`Wrote ${file}`);
}

function addressOf(args: Arguments): MailAddress | undefined {
  const text = optionalOption(args, "address");
  if (text === undefined) return undefined;
  const address = mailAddressOf(text);
  if (address !== undefined) return address;
  throw new UsageError(`Expected a mail address for --address, got ${text}`);
}

/** `HOST:PORT`, which port 465 makes TLS from the first byte, or a URL as in the config. */
function smtpServerOf(text: string): ClientServer {
  const port = text.match(/:(\d+)$/)?.[1];
  const url = text.includes("://") ? text : `${port === "465" ? "tls" : "tcp"}://${text}`;
  const server = clientServerOf(url);
  if (server !== undefined) return server;
  throw new UsageError(
    `Expected HOST:PORT, tls://HOST:PORT or tcp://HOST:PORT for --smtp, got ${text}`,
  );
}
