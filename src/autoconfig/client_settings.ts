/** What a mail program has to know to reach a server. */

/** One server as clients reach it. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, by STARTTLS, or none. */
  readonly security: "tls" | "starttls" | "plain";
}

/** What all users of a server have in common. */
export interface ClientSettings {
  /** The server's name, shown to people. */
  readonly name: string;
  /** Domains of the addresses; empty: any. */
  readonly domains: readonly string[];
  /** Best first, at least one. */
  readonly imap: readonly MailServer[];
  /** Best first, at least one. */
  readonly smtp: readonly MailServer[];
  /** What users log in with: their whole address, or what stands before its `@`. */
  readonly username: "address" | "local_part";
}

/** A mail address. */
export interface MailAddress {
  readonly text: string;
  readonly local: string;
  /** In lower case. */
  readonly domain: string;
}

/** Who the settings are for; what is not known is left to the client. */
export interface Person {
  readonly address?: MailAddress;
  readonly name?: string;
}

const LONGEST_ADDRESS = 254;
const LABEL = /^(?!-)[\p{L}\p{M}\p{N}_-]{1,63}(?<!-)$/u;

/** The address that `text` is; undefined where it is none. Quoted local parts are not taken. */
export function mailAddressOf(text: string): MailAddress | undefined {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf("@");
  const [local, domain] = [trimmed.slice(0, at), trimmed.slice(at + 1).toLowerCase()];
  if (at < 1 || new TextEncoder().encode(trimmed).length > LONGEST_ADDRESS) return undefined;
  if (!trimmed.isWellFormed() || !/^[^\s\p{C}"(),:;<>@[\]\\]+$/u.test(local)) return undefined;
  if (!domain.split(".").every((label) => LABEL.test(label))) return undefined;
  return { text: `${local}@${domain}`, local, domain };
}

/** Whether addresses of `domain` belong to this server. */
export function isServed({ domains }: ClientSettings, domain: string): boolean {
  return domains.length === 0 || domains.some((each) => each.toLowerCase() === domain);
}

/** What `address` logs in with. */
export function usernameOf({ username }: ClientSettings, { text, local }: MailAddress): string {
  return username === "address" ? text : local;
}

/** `mail.example.org` → `example.org`; names with less than three labels are themselves. */
export function domainOf(hostname: string): string {
  const labels = hostname.split(".");
  return labels.length > 2 ? labels.slice(1).join(".") : hostname;
}
