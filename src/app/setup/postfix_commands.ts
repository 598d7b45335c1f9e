/** Commands that let Postfix deliver by LMTP, without taking away what it does already. */

import { type Answers, namesAreLocal } from "./answers.ts";
import { LMTP_SOCKET } from "./config_text.ts";
import type { Postfix } from "./postfix.ts";
import type { Survey } from "./survey.ts";

const TRANSPORT = `lmtp:unix:${LMTP_SOCKET}`;

/** Lines for a shell. */
export function postfixCommands({ postfix }: Survey, answers: Answers): string[] {
  return [
    ...answers.auth === "pam" && namesAreLocal(answers.mail)
      ? localCommands(postfix, answers)
      : virtualCommands(postfix, answers),
    ...postfix?.value("recipient_delimiter") ? [] : [set("recipient_delimiter", "+")],
    // Chrooted, it would look for the socket below its queue folder.
    ...postfix === undefined || postfix.hasChrootedLmtp ? ["postconf -F lmtp/unix/chroot=n"] : [],
    "postfix reload",
  ];
}

/** The users of the machine are those of the domain. */
function localCommands(postfix: Postfix | undefined, { domains }: Answers): string[] {
  const items = postfix?.items("mydestination") ?? [];
  const known = new Set(items.map(({ value }) => value.toLowerCase()));
  const missing = domains.filter((domain) => !known.has(domain));
  const written = items.length > 0
    ? items.map((item) => item.written)
    : ["$myhostname", "localhost.$mydomain", "localhost"];
  return [
    ...missing.length === 0 ? [] : [set("mydestination", [...written, ...missing].join(", "))],
    set("mailbox_transport", TRANSPORT),
  ];
}

/** A domain may be in one of the two lists only. */
function virtualCommands(postfix: Postfix | undefined, { domains }: Answers): string[] {
  const destinations = postfix?.items("mydestination") ?? [];
  const kept = destinations.filter(({ value }) => !domains.includes(value.toLowerCase()));
  const listed = (postfix?.items("virtual_mailbox_domains") ?? [])
    .filter(({ written }) => written !== "$virtual_mailbox_maps");
  const missing = domains.filter((domain) =>
    !listed.some(({ value }) => value.toLowerCase() === domain)
  );
  // Whether a domain is in a table, nobody can see from here.
  const isTable = listed.some(({ value }) => value.includes(":") || value.startsWith("/"));
  const all = [...listed.map(({ written }) => written), ...missing].join(", ");
  return [
    ...kept.length === destinations.length
      ? []
      : [set("mydestination", kept.map(({ written }) => written).join(", "))],
    ...missing.length === 0 || isTable ? [] : [set("virtual_mailbox_domains", all)],
    set("virtual_transport", TRANSPORT),
    ...recipientCommands(postfix),
  ];
}

/** Postfix must not take mail for nobody, which it could only bounce. */
function recipientCommands(postfix: Postfix | undefined): string[] {
  if (postfix?.value("virtual_mailbox_maps")) return [];
  const restrictions = postfix?.items("smtpd_recipient_restrictions") ?? [];
  if (restrictions.some(({ value }) => value === "reject_unverified_recipient")) return [];
  const before = restrictions.length > 0
    ? restrictions.map(({ written }) => written)
    : ["permit_mynetworks", "permit_sasl_authenticated"];
  // Nothing is looked at behind one that always applies.
  const last = before.findIndex((written) => /^(permit|reject)$/.test(written));
  const at = last < 0 ? before.length : last;
  const all = [...before.slice(0, at), "reject_unverified_recipient", ...before.slice(at)];
  return [
    set("smtpd_recipient_restrictions", all.join(", ")),
    set("unverified_recipient_reject_code", "550"),
  ];
}

function set(name: string, value: string): string {
  return `postconf -e '${name} = ${value}'`;
}
