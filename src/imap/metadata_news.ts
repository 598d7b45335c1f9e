/** What others did to annotations, for a client that enabled METADATA. @see RFC 5464 §4.4 */

import type { AnnotationNews } from "../store/store.ts";
import { astring, mailbox } from "../wire/response.ts";
import type { Output, Service } from "./command.ts";
import type { Session, User } from "./session.ts";

/** Names that wait for a client that says nothing. */
const MOST_WAITING = 10_000;

/** Listens for one session from the moment that it enabled METADATA. */
export class MetadataNews {
  readonly #session: Session;
  readonly #ends: readonly (() => void)[];
  /** By mailbox and lower case, the entries as they are to be told. */
  readonly #waiting = new Map<string, Map<string, string>>();
  #count = 0;
  #ring: (() => void) | undefined;

  /** @param wants says of which mailboxes (`""`: of the account, and of the server) to tell */
  constructor(
    session: Session,
    user: User,
    service: Service,
    private readonly wants: (mailbox: string) => boolean = () => true,
  ) {
    this.#session = session;
    const note = (news: AnnotationNews) => this.#note(news);
    this.#ends = [user.account.watchAnnotations(note), service.annotations.watch(note)];
  }

  /** Calls `ring` when there is news, until the function returned is called. */
  listen(ring: () => void): () => void {
    this.#ring = ring;
    return () => this.#ring = undefined;
  }

  /**
   * metadata-resp = "METADATA" SP mailbox SP (entry-values / entry-list)
   *
   * Only names: a client asks for the values that it wants.
   *
   * @see RFC 5464 §4.4.2
   */
  tell(out: Output): void {
    if (this.#waiting.size === 0) return;
    for (const [name, entries] of this.#waiting) {
      const names = Array.from(entries.values(), astring).join(" ");
      out.text(`* METADATA ${mailbox(name, this.#session.utf8)} ${names}\r\n`);
    }
    this.clear();
  }

  /** Forgets what waits: it was told by other means. */
  clear(): void {
    this.#waiting.clear();
    this.#count = 0;
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  #note({ mailbox: name, changes, by }: AnnotationNews): void {
    if (by === this.#session || !this.wants(name)) return;
    const waiting = this.#waiting.get(name) ?? new Map<string, string>();
    const before = waiting.size;
    const entries = [...changes.entries.keys()];
    if (changes.specialUse !== undefined) entries.push("/private/specialuse");
    for (const entry of entries) {
      if (this.#count < MOST_WAITING) waiting.set(entry.toLowerCase(), entry);
    }
    if (waiting.size === 0) return;
    this.#count += waiting.size - before;
    this.#waiting.set(name, waiting);
    this.#ring?.();
  }
}
