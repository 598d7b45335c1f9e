/** One client's session: who it is, what it selected, what it enabled. */

import type { SaslChannel } from "../auth/auth.ts";
import type { Account } from "../store/store.ts";
import type { MetadataNews } from "./metadata_news.ts";
import type { Notifications } from "./notifications.ts";
import type { View } from "./view.ts";

export interface User {
  readonly name: string;
  readonly account: Account;
  /** Called once when the session is not that user's any more. */
  readonly leave?: () => void;
}

/** @see RFC 9051 §3 */
export type SessionState =
  | { readonly name: "not-authenticated" }
  | { readonly name: "authenticated"; readonly user: User }
  | { readonly name: "selected"; readonly user: User; readonly view: View }
  | { readonly name: "logout" };

/** Extensions that change what the server sends once a client enabled them. @see RFC 5161 */
export type Enableable =
  | "CONDSTORE"
  | "QRESYNC"
  | "IMAP4REV2"
  | "UTF8=ACCEPT"
  | "UIDONLY"
  | "METADATA";

const NOTHING: ReadonlySet<string> = new Set<string>();

export class Session {
  #state: SessionState = { name: "not-authenticated" };
  #notify: Notifications | undefined;
  /** Set by ENABLE or by a command that enables it in passing. @see RFC 7162 §3.1 */
  readonly enabled = new Set<Enableable>();

  /** Present once METADATA is enabled. */
  metadataNews: MetadataNews | undefined;

  /** What TLS tells of both ends; nothing without it. */
  channel: SaslChannel = {};

  /** Both sides compress what they send. @see RFC 4978 §3 */
  compressed = false;

  /** The client asked for capabilities before it logged in. */
  askedCapabilities = false;

  /** Capabilities that this client is known to break on, and what needs them. */
  withheld: ReadonlySet<string> = NOTHING;

  /** Logins that were refused. */
  failedLogins = 0;

  /** The client used ID, and the log says so. */
  identified = false;
  /** Name and version of the client's program, once it told them by ID. */
  client: string | undefined;

  constructor(
    /** For the log and for bug reports. */
    readonly id: string,
    /** The client's address, for the log. */
    readonly remote: string,
    /** Becomes true by implicit TLS or STARTTLS. */
    public secure: boolean,
    /** The client's port, where `remote` is an IP address. */
    readonly port?: number,
  ) {}

  /** Address and port, as `192.0.2.9:1234` or `[2001:db8::9]:1234`. */
  get source(): string {
    if (this.port === undefined) return this.remote;
    return `${this.remote.includes(":") ? `[${this.remote}]` : this.remote}:${this.port}`;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Moves to another state and lets go of the mailbox of the old one. */
  enter(next: SessionState): void {
    const view = this.#state.name === "selected" ? this.#state.view : undefined;
    if ("user" in this.#state && !("user" in next)) this.#state.user.leave?.();
    const another = next.name === "selected" && next.view !== view ? next.view : undefined;
    this.#state = next;
    if (view && !(next.name === "selected" && next.view === view)) {
      this.#notify?.left(view);
      view.close();
    }
    if (another) this.#notify?.selected(another);
    if ("user" in next) return;
    this.notify = undefined;
    this.metadataNews?.close();
    this.metadataNews = undefined;
  }

  /** Forgets the user and what was enabled, but not who the client's program is. @see RFC 8437 §3 */
  unauthenticate(): void {
    this.enter({ name: "not-authenticated" });
    this.enabled.clear();
    this.askedCapabilities = false;
  }

  /** Absent until NOTIFY is used: then it says what the client hears, and when. @see RFC 5465 §3.1 */
  get notify(): Notifications | undefined {
    return this.#notify;
  }

  set notify(next: Notifications | undefined) {
    this.#notify?.close();
    this.#notify = next;
  }

  /** Answers about messages tell their mod-sequences. @see RFC 7162 §3.1 */
  get condstore(): boolean {
    return this.enabled.has("CONDSTORE") || this.qresync;
  }

  /** Expunged messages are told by VANISHED. @see RFC 7162 §3.2.10 */
  get qresync(): boolean {
    return this.enabled.has("QRESYNC");
  }

  /** @see RFC 9051 §6.3.1 */
  get rev2(): boolean {
    return this.enabled.has("IMAP4REV2");
  }

  /** Mailbox names are UTF-8 both ways. @see RFC 6855 §3, RFC 9051 §5.1 */
  get utf8(): boolean {
    return this.rev2 || this.enabled.has("UTF8=ACCEPT");
  }

  /** No sequence numbers, in either direction. @see RFC 9586 §3 */
  get uidOnly(): boolean {
    return this.enabled.has("UIDONLY");
  }
}
