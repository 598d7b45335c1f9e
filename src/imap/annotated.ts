/** What has annotations: the server or a mailbox, with the entries that the server itself makes. */

import {
  type AnnotationChanges,
  MAX_ANNOTATION_OCTETS,
  type SpecialUse,
  StoreError,
} from "../store/store.ts";
import { latin1, latin1Bytes, utf8Bytes } from "../wire/bytes.ts";
import { SPECIAL_USES } from "../wire/command_grammar.ts";
import { metadataCode } from "../wire/response.ts";
import { type AuthenticatedContext, Refusal } from "./command.ts";
import { isAdmin } from "./admins.ts";
import { assertFilters } from "./filters.ts";
import { assertUsable } from "./special_uses.ts";

type Entries = AnnotationChanges["entries"];

/** The annotations of one mailbox, or of the server. */
export interface Annotated {
  /** Octets of the values, by the names of the entries. */
  sizes(): Promise<ReadonlyMap<string, number>>;
  /** @param entry in any case */
  value(entry: string): Promise<Uint8Array | undefined>;
  /** All or none. @throws {Refusal} @throws {StoreError} */
  set(entries: Entries): Promise<void>;
}

const SPECIAL_USE_ENTRY = "/private/specialuse";
const ADMIN_ENTRY = "/shared/admin";

/** @param mailbox "" for the server */
export function annotated(context: AuthenticatedContext, mailbox: string): Annotated {
  return mailbox === "" ? new AnnotatedServer(context) : new AnnotatedMailbox(context, mailbox);
}

class AnnotatedMailbox implements Annotated {
  constructor(private readonly context: AuthenticatedContext, private readonly mailbox: string) {}

  async sizes(): Promise<ReadonlyMap<string, number>> {
    const stored = await this.#account.annotations(this.mailbox);
    const uses = this.#uses();
    return uses === "" ? stored : new Map([...stored, [SPECIAL_USE_ENTRY, uses.length]]);
  }

  async value(entry: string): Promise<Uint8Array | undefined> {
    if (!isNamed(entry, SPECIAL_USE_ENTRY)) {
      return await this.#account.annotation(this.mailbox, entry);
    }
    const uses = this.#uses();
    return uses === "" ? undefined : latin1Bytes(uses);
  }

  async set(entries: Entries): Promise<void> {
    const [name, uses] = [...entries].find(([name]) => isNamed(name, SPECIAL_USE_ENTRY)) ?? [];
    const stored = new Map(entries);
    if (name !== undefined) stored.delete(name);
    const specialUse = name === undefined ? undefined : this.#usesIn(uses);
    await asMetadata(
      this.#account.setAnnotations(
        this.mailbox,
        { entries: stored, specialUse },
        this.context.session,
      ),
    );
  }

  get #account() {
    return this.context.user.account;
  }

  #uses(): string {
    return this.#account.info(this.mailbox)?.specialUse.join(" ") ?? "";
  }

  #usesIn(value: Uint8Array | undefined): SpecialUse[] {
    const words = latin1(value ?? new Uint8Array(0)).split(" ").filter((word) => word !== "");
    const uses = words.map((word) => SPECIAL_USES.get(word.toUpperCase()));
    const unknown = uses.indexOf(undefined);
    if (unknown >= 0) throw new Refusal(`Unknown special use ${words[unknown]}`, "USEATTR");
    const known = [...new Set(uses.filter((use) => use !== undefined))];
    const before = this.#account.info(this.mailbox)?.specialUse ?? [];
    assertUsable(this.mailbox, known.filter((use) => !before.includes(use)));
    return known;
  }
}

/** What all users see is kept by the server, what is private in the account. */
class AnnotatedServer implements Annotated {
  constructor(private readonly context: AuthenticatedContext) {}

  async sizes(): Promise<ReadonlyMap<string, number>> {
    const { contact, annotations } = this.context.service;
    const own = await this.context.user.account.annotations("");
    const made: [string, number][] = contact === undefined
      ? []
      : [[ADMIN_ENTRY, utf8Bytes(contact).length]];
    return new Map([...own, ...annotations.annotations(), ...made]);
  }

  async value(entry: string): Promise<Uint8Array | undefined> {
    const { service, user } = this.context;
    if (isNamed(entry, ADMIN_ENTRY)) return contactOf(service.contact);
    if (isShared(entry)) return service.annotations.annotation(entry);
    return await user.account.annotation("", entry);
  }

  async set(entries: Entries): Promise<void> {
    const { service, session, user } = this.context;
    const shared = new Map([...entries].filter(([entry]) => isShared(entry)));
    const own = new Map([...entries].filter(([entry]) => !isShared(entry)));
    this.#assertMayShare(shared);
    assertFilters(entries);
    const prepared = shared.size === 0
      ? undefined
      : await asMetadata(service.annotations.prepare(shared));
    try {
      if (own.size > 0) {
        await asMetadata(user.account.setAnnotations("", { entries: own }, session));
      }
      prepared?.commit(session);
    } finally {
      prepared?.abort();
    }
  }

  #assertMayShare(shared: Entries): void {
    if (shared.size === 0) return;
    if ([...shared.keys()].some((entry) => isNamed(entry, ADMIN_ENTRY))) {
      throw new Refusal(`${ADMIN_ENTRY} is a setting of the server`, "CANNOT");
    }
    if (isAdmin(this.context)) return;
    throw new Refusal("Only admins may change what all users of the server see", "NOPERM");
  }
}

function isNamed(entry: string, name: string): boolean {
  return entry.toLowerCase() === name;
}

function isShared(entry: string): boolean {
  return entry.toLowerCase().startsWith("/shared/");
}

function contactOf(contact: string | undefined): Uint8Array | undefined {
  return contact === undefined ? undefined : latin1Bytes(utf8Bytes(contact));
}

/** Gives refusals of a store the codes of METADATA. @see RFC 5464 §4.3 */
async function asMetadata<T>(setting: Promise<T>): Promise<T> {
  try {
    return await setting;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === "too-big") {
      throw new Refusal(error.message, metadataCode(`MAXSIZE ${MAX_ANNOTATION_OCTETS}`));
    }
    if (error.code === "too-many") throw new Refusal(error.message, metadataCode("TOOMANY"));
    throw error;
  }
}
