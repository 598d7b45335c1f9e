/** What a machine has that a mail server can use. */

import { hasIpv6 } from "./ipv6.ts";
import { findCertificates, type FoundCertificate } from "./certificates.ts";
import { type Dovecot, findDovecot } from "./dovecot.ts";
import { type DovecotUsers, readDovecotUsers } from "./dovecot_users.ts";
import { findMail, type MailPlace } from "./mail_places.ts";
import type { Machine, SystemUser } from "./machine.ts";
import { Postfix } from "./postfix.ts";

/** What was found, before anybody was asked. */
export interface Survey {
  readonly machine: Machine;
  readonly postfix?: Postfix;
  readonly dovecot?: Dovecot;
  /** Best first. */
  readonly mail: readonly MailPlace[];
  readonly hostname: string;
  readonly domains: readonly string[];
  readonly ipv6: boolean;
}

/** What is known beforehand. */
export interface Known {
  readonly hostname?: string;
  readonly domains: readonly string[];
}

/** Looks around. @param ownName the name of the machine that this runs on */
export async function survey(machine: Machine, known: Known, ownName: string): Promise<Survey> {
  const named = machine.isReal ? ownName : machine.text("/etc/hostname")?.trim() || ownName;
  const postfix = Postfix.find(machine, named);
  const dovecot = findDovecot(machine);
  const mail = await findMail(machine, postfix, dovecot);
  const hostname = known.hostname ?? bestName(postfix?.value("myhostname"), named);
  const domains = known.domains.length > 0 ? known.domains : domainsOf(postfix, mail, hostname);
  return { machine, postfix, dovecot, mail, hostname, domains, ipv6: hasIpv6(machine) };
}

/** Certificates for the host, best first. */
export function certificatesFor(
  { machine }: Survey,
  hostname: string,
  user: SystemUser | undefined,
): readonly FoundCertificate[] {
  return findCertificates(machine, hostname, user, Date.now());
}

/** Users whose passwords can be taken over. */
export function usersOfDovecot(
  { machine, dovecot }: Survey,
  domains: readonly string[],
): DovecotUsers {
  if (dovecot === undefined) return { taken: new Map(), left: [], paths: [] };
  return readDovecotUsers(machine, dovecot, domains);
}

/** Clients need a name with a dot. */
function bestName(...names: readonly (string | undefined)[]): string {
  const found = names.find((name) => name?.includes(".") && !name.endsWith(".localdomain"));
  return (found ?? names.find((name) => name !== undefined && name !== "") ?? "localhost")
    .toLowerCase();
}

function domainsOf(
  postfix: Postfix | undefined,
  mail: readonly MailPlace[],
  hostname: string,
): readonly string[] {
  const ofAccounts = mail.flatMap(({ accounts }) =>
    accounts.filter((name) => name.includes("@")).map((name) =>
      name.slice(name.lastIndexOf("@") + 1)
    )
  );
  const labels = hostname.split(".");
  const parent = labels.length > 2 ? labels.slice(1).join(".") : hostname;
  const own = postfix?.domains("mydestination").filter((name) => name !== hostname) ?? [];
  const found = [...postfix?.domains("virtual_mailbox_domains") ?? [], ...ofAccounts];
  const plain = own.filter((name) => !/(^|\.)local(host|domain)/.test(name));
  const all = found.length > 0 ? found : plain.length > 0 ? plain : [parent];
  return [...new Set(all.map((name) => name.toLowerCase()))];
}
