/** Asks what `imapd init` has not been told, with what the machine has as defaults. */

import { dirname } from "node:path";
import {
  type Answers,
  type AuthAnswer,
  isInHomes,
  isPublicName,
  namesAreLocal,
  newPlace,
  serviceUserFor,
  type TlsAnswer,
} from "../app/setup/answers.ts";
import type { FoundCertificate } from "../app/setup/certificates.ts";
import { lookedAt, type MailPlace } from "../app/setup/mail_places.ts";
import { certificatesFor, type Survey, usersOfDovecot } from "../app/setup/survey.ts";
import { accountNameFault } from "../auth/account_name.ts";
import { NORMALIZATIONS } from "../names/normalization.ts";
import { parseTable } from "../tables/table_text.ts";
import type { Asker, Choice } from "./asker.ts";
import { type Arguments, isOn, UsageError } from "./command.ts";
import { hashValue } from "./hash.ts";
import { accountFault, hostnameFault, type InitFlags, templateFault } from "./init_flags.ts";
import { print } from "./output.ts";
import { readFirstPassword } from "./password_input.ts";

/** All that is to be known. @throws {UsageError} */
export async function answersFor(
  args: Arguments,
  flags: InitFlags,
  found: Survey,
  asker: Asker,
): Promise<Answers & { readonly generated: boolean }> {
  const hostname = flags.hostname ??
    asker.text("Name of this mail server", found.hostname, hostnameFault).toLowerCase();
  const domains = flags.domains.length > 0 ? flags.domains : askDomains(asker, found);
  const mail = await chooseMail(flags, found, asker);
  const auth = flags.auth ?? chooseAuth(mail, asker);
  const serviceUser = flags.serviceUser ??
    asker.text("User that the server runs as", serviceUserFor(found, mail), accountFault);
  const tls = chooseTls(args, flags, found, asker, hostname, serviceUser);
  const users = auth === "file"
    ? await chooseUsers(args, flags, found, asker, domains, mail)
    : { users: new Map<string, string>(), generated: false };
  const { configFile, stateDir, program } = flags;
  return {
    hostname,
    domains,
    mail,
    auth,
    serviceUser,
    tls,
    ...users,
    configFile,
    stateDir,
    program,
  };
}

function askDomains(asker: Asker, { domains }: Survey): readonly string[] {
  const split = (text: string) => text.toLowerCase().split(/[\s,]+/).filter((each) => each !== "");
  const fault = (text: string) => split(text).map(hostnameFault).find((each) => each !== undefined);
  return split(asker.text("Domains of its mail addresses", domains.join(", "), fault));
}

async function chooseMail(
  flags: InitFlags,
  { machine, mail }: Survey,
  asker: Asker,
): Promise<MailPlace> {
  if (flags.mail !== undefined) return await lookedAt(machine, flags.mail, "--mail");
  const fresh = newPlace(flags.stateDir);
  const used = mail.filter(({ accounts }) => accounts.length > 0);
  const choices: Choice<MailPlace | undefined>[] = [
    ...used.map((place) => ({ label: placeLabel(place), value: place })),
    { label: `${fresh.template}, empty`, value: fresh },
    { label: "another place", value: undefined },
  ];
  const chosen = asker.choice("Where is the mail", choices);
  if (chosen !== undefined) return chosen;
  const template = asker.text(
    "Path, with {account}, or {local} and {domain}",
    fresh.template,
    templateFault,
  );
  return await lookedAt(machine, template, "what you said");
}

/** `/var/vmail/{domain}/{local}, 3 accounts (what is on the disk)` */
export function placeLabel({ template, accounts, source }: MailPlace): string {
  const count = accounts.length;
  return `${template}, ${count} ${count === 1 ? "account" : "accounts"} (${source})`;
}

function chooseAuth(mail: MailPlace, asker: Asker): AuthAnswer {
  if (!isInHomes(mail)) return "file";
  return asker.choice("Which passwords are taken", [
    { label: "those of the users of this machine (PAM)", value: "pam" },
    { label: "others, in a file of their own", value: "file" },
  ]);
}

function chooseTls(
  args: Arguments,
  flags: InitFlags,
  found: Survey,
  asker: Asker,
  hostname: string,
  serviceUser: string,
): TlsAnswer {
  const { tls, email } = flags;
  if (tls === "acme") return { kind: "acme", email };
  if (tls === "self_signed") return { kind: "self_signed" };
  if (tls !== undefined) {
    const note = "The certificate with its chain, and its key.";
    return { kind: "files", cert: tls[0], key: tls[1], note };
  }
  const user = found.machine.user(serviceUser);
  const certificates = certificatesFor(found, hostname, user);
  for (const { cert, unfit } of certificates) {
    if (unfit !== undefined) print(`Not taking ${cert}: ${unfit}`);
  }
  const fit: Choice<TlsAnswer>[] = certificates.filter(({ unfit }) => unfit === undefined)
    .map((each) => ({ label: certificateLabel(each), value: fromFound(each) }));
  const selfSigned: Choice<TlsAnswer> = {
    label: "a self-signed one, of which clients warn",
    value: { kind: "self_signed" },
  };
  const acme: Choice<TlsAnswer> = {
    label: "one of Let's Encrypt, to whose terms you agree by this; needs port 80",
    value: { kind: "acme", email },
  };
  // Nobody agrees to anything by asking nothing.
  const others = isOn(args, "yes") || !isPublicName(hostname)
    ? [selfSigned, acme]
    : [acme, selfSigned];
  return asker.choice("Which certificate", [...fit, ...others]);
}

function certificateLabel({ renewer, cert, notAfter, readable }: FoundCertificate): string {
  const until = new Date(notAfter).toISOString().slice(0, 10);
  return `that of ${renewer}, ${cert}, until ${until}${readable ? "" : ", by copies"}`;
}

function fromFound({ renewer, cert, key, names, readable }: FoundCertificate): TlsAnswer {
  return readable
    ? { kind: "files", cert, key, note: `The certificate of ${renewer}, which renews it.` }
    : { kind: "copies", renewer, name: names[0], cert, key };
}

interface ChosenUsers {
  readonly users: ReadonlyMap<string, string>;
  readonly firstUser?: { readonly name: string; readonly password: string };
  /** Whether its password has to be told. */
  readonly generated: boolean;
}

async function chooseUsers(
  args: Arguments,
  flags: InitFlags,
  found: Survey,
  asker: Asker,
  domains: readonly string[],
  mail: MailPlace,
): Promise<ChosenUsers> {
  const users = new Map(takenOver(found, asker, domains));
  const there = usersThere(found, flags);
  const name = firstName(flags, asker, users.size + there.size > 0, domains, mail);
  if (name === undefined) return { users, generated: false };
  if (there.has(name) || users.has(name)) {
    print(`${name} has a password already, which stays`);
    return { users, generated: false };
  }
  const given = isOn(args, "password-stdin")
    ? await readFirstPassword()
    : await asker.password(name);
  const password = given ?? randomPassword();
  users.set(name, await hashValue("argon2", password));
  return { users, firstUser: { name, password }, generated: given === undefined };
}

function takenOver(
  found: Survey,
  asker: Asker,
  domains: readonly string[],
): ReadonlyMap<string, string> {
  const { taken, left, paths } = usersOfDovecot(found, domains);
  if (left.length > 0) {
    print(
      `Users of whom only Dovecot can say whether they may log in, to be added anew if so: ${
        left.join(", ")
      }`,
    );
  }
  if (taken.size === 0) return new Map();
  const count = `${taken.size} ${taken.size === 1 ? "user" : "users"}`;
  if (!asker.yes(`Take over ${count} with their passwords from ${paths.join(", ")}`, true)) {
    return new Map();
  }
  return new Map([...taken].flatMap(([name, value]) => {
    const form = NORMALIZATIONS.auto(name);
    return form === undefined || accountNameFault(form) !== undefined ? [] : [[form, value]];
  }));
}

function usersThere({ machine }: Survey, { configFile }: InitFlags): ReadonlySet<string> {
  const text = machine.text(`${dirname(configFile)}/users`);
  return new Set(text === undefined ? [] : parseTable(text).keys());
}

/** @param othersThere somebody can log in already */
function firstName(
  { user }: InitFlags,
  asker: Asker,
  othersThere: boolean,
  domains: readonly string[],
  mail: MailPlace,
): string | undefined {
  const usual = namesAreLocal(mail) ? "postmaster" : `postmaster@${domains[0]}`;
  const fallback = othersThere ? "none" : mail.accounts[0] ?? usual;
  const fault = (text: string) => text === "none" ? undefined : nameFault(text, mail);
  const typed = user ?? asker.text("First user, or none", fallback, fault);
  const wrong = fault(typed);
  if (wrong !== undefined) throw new UsageError(wrong);
  return typed === "none" ? undefined : NORMALIZATIONS.auto(typed);
}

function nameFault(name: string, mail: MailPlace): string | undefined {
  const form = NORMALIZATIONS.auto(name);
  if (form === undefined || accountNameFault(form) !== undefined || /[:#\s'"\\$`]/.test(form)) {
    return `Expected a user such as ann@example.org, got ${name}`;
  }
  if (!namesAreLocal(mail) && !form.includes("@")) {
    return `Expected a whole mail address such as ${form}@example.org, got ${name}`;
  }
  return undefined;
}

/** Nothing in it looks like something else. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** About 99 bits, in groups that can be typed into a phone. */
function randomPassword(): string {
  const letters: string[] = [];
  while (letters.length < GROUPS * GROUP_LENGTH) {
    const [octet] = crypto.getRandomValues(new Uint8Array(1));
    // Each letter as often as every other one.
    if (octet < LETTERS.length * 8) letters.push(LETTERS[octet % LETTERS.length]);
  }
  return letters.join("").replace(/(.{5})(?=.)/g, "$1-");
}
