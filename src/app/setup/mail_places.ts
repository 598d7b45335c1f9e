/** Where mail is on a machine that has some. */

import { accountPlaces } from "../account_places.ts";
import type { Dovecot } from "./dovecot.ts";
import type { Machine } from "./machine.ts";
import type { Postfix } from "./postfix.ts";

/** A way from names of accounts to Maildirs. */
export interface MailPlace {
  /** A path template of imapd. */
  readonly template: string;
  /** How it was found, for people. */
  readonly source: string;
  /** Names of accounts that have a Maildir there. */
  readonly accounts: readonly string[];
  /** Who owns the first one. */
  readonly uid?: number;
}

/** Where people put Maildirs. */
const USUAL = [
  "/var/mail/vhosts/{domain}/{local}",
  "/var/mail/vhosts/{domain}/{local}/Maildir",
  "/var/vmail/{domain}/{local}",
  "/var/vmail/{domain}/{local}/Maildir",
  "/srv/vmail/{domain}/{local}",
  "/srv/vmail/{domain}/{local}/Maildir",
  "/srv/mail/{domain}/{local}",
  "/home/vmail/{domain}/{local}",
  "/home/vmail/{domain}/{local}/Maildir",
  "/var/mail/{domain}/{local}",
  "/home/{local}/Maildir",
];

/** Places with mail in them, best first; then those that only a config tells of. */
export async function findMail(
  machine: Machine,
  postfix: Postfix | undefined,
  dovecot: Dovecot | undefined,
): Promise<readonly MailPlace[]> {
  const told = [
    { template: dovecot?.mail?.template, source: "Dovecot's config" },
    { template: postfix && virtualTemplate(machine, postfix), source: "Postfix's config" },
    { template: postfix && homeTemplate(postfix), source: "Postfix's config" },
  ];
  const places: MailPlace[] = [];
  for (
    const { template, source } of [
      ...told,
      ...USUAL.map((template) => ({ template, source: "what is on the disk" })),
    ]
  ) {
    if (template === undefined || places.some((place) => place.template === template)) continue;
    const place = await lookedAt(machine, template, source);
    if (place.accounts.length > 0 || source !== "what is on the disk") places.push(place);
  }
  return places.toSorted((a, b) => Number(b.accounts.length > 0) - Number(a.accounts.length > 0));
}

/** Counts the Maildirs of a template. */
export async function lookedAt(
  machine: Machine,
  template: string,
  source: string,
): Promise<MailPlace> {
  const accounts: string[] = [];
  let uid: number | undefined;
  for await (const { name, path } of accountPlaces(machine.real(template))) {
    if (name === undefined || !isMaildir(path)) continue;
    // Two labels at least: /var/mail may have other folders.
    if (template.includes("{domain}") && !/@[^@]+\.[^@]+$/.test(name)) continue;
    accounts.push(name);
    uid ??= Deno.statSync(path).uid ?? undefined;
  }
  return { template, source, accounts, uid };
}

function isMaildir(path: string): boolean {
  return ["cur", "new"].every((name) => {
    try {
      return Deno.statSync(`${path}/${name}`).isDirectory;
    } catch {
      return false;
    }
  });
}

/** Mail of the system's users; a name with "/" at its end is a Maildir. */
function homeTemplate(postfix: Postfix): string | undefined {
  const name = postfix.value("home_mailbox");
  return name.endsWith("/") ? `/home/{local}/${name.replace(/\/+$/, "")}` : undefined;
}

/** `virtual_mailbox_maps` has the rest of the path for each address: they must follow one pattern. */
function virtualTemplate(machine: Machine, postfix: Postfix): string | undefined {
  const base = postfix.value("virtual_mailbox_base");
  if (!base.startsWith("/")) return undefined;
  const patterns = new Set<string>();
  for (const map of postfix.list("virtual_mailbox_maps")) {
    const path = map.match(/^(?:texthash|hash|lmdb|btree|cdb|dbm):(\/.+)$/)?.[1];
    for (const line of (path === undefined ? "" : machine.text(path) ?? "").split("\n")) {
      const [, local, domain, place] = /^([^\s#@]+)@(\S+)\s+(\S+)$/.exec(line.trim()) ?? [];
      if (place?.endsWith("/")) patterns.add(patternOf(place, local, domain));
    }
  }
  const [pattern] = patterns;
  if (patterns.size !== 1 || !pattern.includes("{local}")) return undefined;
  return `${base.replace(/\/+$/, "")}/${pattern}`;
}

function patternOf(place: string, local: string, domain: string): string {
  const parts = place.replace(/^\/+|\/+$/g, "").split("/");
  return parts.map((part) => part === domain ? "{domain}" : part === local ? "{local}" : part)
    .join("/");
}
