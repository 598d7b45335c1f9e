/** What a server is to be like: asked for, or worked out from what a machine has. */

import type { MailPlace } from "./mail_places.ts";
import type { SystemUser } from "./machine.ts";
import type { Survey } from "./survey.ts";

/** Where the certificate comes from. */
export type TlsAnswer =
  | { readonly kind: "acme"; readonly email?: string }
  | { readonly kind: "self_signed" }
  /** Files that the server's user may read. */
  | { readonly kind: "files"; readonly cert: string; readonly key: string; readonly note: string }
  /** Files that it may not, and that are copied for it again after each renewal. */
  | {
    readonly kind: "copies";
    readonly renewer: "certbot" | "acme.sh" | "Caddy";
    readonly name: string;
    readonly cert: string;
    readonly key: string;
  };

/** Whom passwords are asked of. */
export type AuthAnswer = "file" | "pam";

/** All that is to be known. */
export interface Answers {
  readonly hostname: string;
  /** At least one. */
  readonly domains: readonly string[];
  readonly tls: TlsAnswer;
  readonly mail: MailPlace;
  readonly auth: AuthAnswer;
  /** Values of the password table, by name. */
  readonly users: ReadonlyMap<string, string>;
  /** One of them is new: its name, and the password to try. */
  readonly firstUser?: { readonly name: string; readonly password: string };
  readonly serviceUser: string;
  readonly configFile: string;
  readonly stateDir: string;
  /** Path of this program where it will run. */
  readonly program: string;
}

/** The state_dir of the config's defaults. */
export const STATE_DIR = "/var/lib/imapd";

/** Where mail is kept if there is none yet. */
export function newPlace(stateDir: string): MailPlace {
  return { template: `${stateDir}/mail/{account}`, source: "new", accounts: [] };
}

/** Whether accounts have names without a domain. */
export function namesAreLocal({ template }: MailPlace): boolean {
  return !template.includes("{domain}") && !template.includes("{account}");
}

/** Whether mail is in the homes of the system's users. */
export function isInHomes({ template }: MailPlace): boolean {
  return template.startsWith("/home/{local}");
}

/**
 * Who should run the server: whoever owns the mail, root where everybody owns theirs.
 *
 * @returns a name, of a user that may not be there yet
 */
export function serviceUserFor({ machine }: Survey, mail: MailPlace): string {
  if (isInHomes(mail)) return "root";
  const owner = machine.users.find(({ uid }) => uid === mail.uid);
  return owner !== undefined && owner.uid !== 0 ? owner.name : "imapd";
}

/** Undefined where there is none yet. */
export function systemUser({ machine }: Survey, name: string): SystemUser | undefined {
  return machine.user(name);
}

/** Whether Let's Encrypt could issue a certificate for a name. */
export function isPublicName(hostname: string): boolean {
  return hostname.includes(".") &&
    !/(^|\.)(localhost|local|localdomain|internal|lan|home|home\.arpa|test|example|invalid)$/.test(
      hostname,
    );
}
