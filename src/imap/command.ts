/** The shape of a row of the command table, and what its handler is given. */

import type { Login } from "../auth/auth.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { AnnouncedText } from "../wire/append_grammar.ts";
import type { Completion, ResponseCode } from "../wire/response.ts";
import type { Scanner } from "../wire/scanner.ts";
import type { KeyMemory } from "./key_memory.ts";
import type { LastingTexts } from "./lasting_texts.ts";
import type { ImapMeter } from "./meter.ts";
import type { ServerAnnotations } from "./server_annotations.ts";
import type { Progress } from "./progress.ts";
import type { Session, User } from "./session.ts";
import type { View } from "./view.ts";

/** A NO with its reason, thrown by a handler. `message` goes to the client. */
export class Refusal extends Error {
  constructor(message: string, readonly code?: ResponseCode) {
    super(message);
    this.name = "Refusal";
  }
}

/** The connection is over, or has to be: passes through handlers and dispatch unanswered. */
export class Disconnected extends Error {
  override name = "Disconnected";
}

/** A response could not be finished: all that is left is to end the connection. */
export class BrokenResponse extends Disconnected {
  override name = "BrokenResponse";
}

/** Where responses go. Text is latin1: one char, one byte. */
export interface Output {
  text(text: string): void;
  /** They must stay as they are until {@link flush} has settled. */
  bytes(bytes: Uint8Array): void;
  /** True once so much is waiting that the writer should `await` {@link flush}. */
  readonly full: boolean;
  /** Hands everything to the connection; settles when it can take more. */
  flush(): Promise<void>;
  /** A response is being written in pieces, in between which nothing else may come. */
  midway?: boolean;
}

/** The connection's side of commands that talk back and forth. */
export interface Dialogue {
  /** Whose work the command is, for turns. */
  readonly owner?: string;
  /** Sends `+ text` at once. */
  prompt(text: string): Promise<void>;
  /** The next line without its CRLF (latin1). @throws {Disconnected} */
  line(): Promise<string>;
  /** Sends a response at once, or not at all while others are on their way out. */
  interject(response: string): void;
  /** How far the command is, where it knows. @see RFC 9585 §3 */
  progress?: Progress;
  /** @throws {Disconnected} when the client is gone, for work that takes long */
  assertOpen(): void;
  /**
   * Lets `milliseconds` pass, or less where what it puts into `wakers` meanwhile is called.
   *
   * @throws {Disconnected} when the connection ends meanwhile
   */
  pause(milliseconds: number, wakers?: Set<() => void>): Promise<void>;
  /** Turns the connection to TLS after the tagged OK; bytes that came too early end it. */
  startTls?: () => void;
  /** Compresses after the tagged OK, both ways, or no longer. */
  compress(on: boolean): void;
  /** Ends the connection with a BYE that tells the reason, once the running command is through. */
  end(reason: string): void;
}

/** Bounds how many connections each user has. */
export interface UserConnections {
  /**
   * Counts one more.
   *
   * @returns what to call once it is none any more; undefined where the user has too many
   */
  logIn(user: string, remote: string): (() => void) | undefined;
}

/** What all sessions of an endpoint share. */
export interface Service {
  readonly login: Login;
  readonly store: Store;
  readonly userConnections: UserConnections;
  readonly log: Log;
  readonly hostname: string;
  readonly version: string;
  readonly insecureAuth: boolean;
  /** SASL's LOGIN is offered. */
  readonly saslLogin: boolean;
  /** TLS is configured, so STARTTLS can be offered. */
  readonly tls: boolean;
  /** Names of the accounts whose users are admins. */
  readonly admins: ReadonlySet<string>;
  /** A URI by which the server's administrator can be reached. @see RFC 5464 §6.2.2 */
  readonly contact?: string;
  readonly annotations: ServerAnnotations;
  /** Messages that one command may process, and that one may store. @see RFC 9738 §3 */
  readonly messageLimit?: number;
  readonly saveLimit?: number;
  /** Octets of a message; sent as APPENDLIMIT. @see RFC 7889 */
  readonly appendLimit: number;
  /** By mailbox, where that is less. @see RFC 7889 §3 */
  readonly appendLimits: ReadonlyMap<string, number>;
  /** Capabilities that are not offered, closed under dependence; absent: none. */
  readonly withheld?: ReadonlySet<string>;
  /** Clients that are known to break on a capability are not offered it. */
  readonly clientQuirks?: boolean;
  /** Milliseconds between two signs of life in IDLE. */
  readonly keepalive: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly meter: ImapMeter;
  readonly keyMemory: KeyMemory;
  readonly lastingTexts: LastingTexts;
}

export interface Context {
  readonly tag: string;
  /** The row's name, for its tagged reply. */
  readonly command: string;
  readonly session: Session;
  readonly service: Service;
  readonly out: Output;
  readonly dialogue: Dialogue;
  readonly log: Log;
}

export interface AuthenticatedContext extends Context {
  readonly user: User;
}

export interface SelectedContext extends AuthenticatedContext {
  readonly view: View;
  /** True for the UID form of a command: answers about messages carry the UID. */
  readonly byUid: boolean;
}

/** `authenticated` rows also run in the selected state. */
export interface ContextByState {
  readonly any: Context;
  readonly "not-authenticated": Context;
  readonly authenticated: AuthenticatedContext;
  readonly selected: SelectedContext;
}

export type CommandState = keyof ContextByState;

/** Decides on a message that a client announces in the middle of a command. */
export type AnnouncedLiteral =
  /** An argument like any other. */
  | { readonly kind: "argument" }
  /** The bytes go to the store while they arrive; the name is decoded, `text` as it came. */
  | { readonly kind: "message"; readonly mailbox: string; readonly text: AnnouncedText };

/**
 * Everything that shared code knows about a command. `parse` and `run` are properties, not
 * methods: TypeScript would let a handler of another state stand in for a method.
 */
export interface CommandRow<State extends CommandState, Args> {
  readonly state: State;
  readonly parse: (scanner: Scanner) => Args;
  readonly run: (context: ContextByState[State], args: Args) => Promise<Completion> | Completion;
  /** Section of the RFC that defines it, such as "RFC 9051 §6.4.8". */
  readonly rfc: string;
  /** Announced because this row is there. */
  readonly capability?: string | readonly string[];
  /** The UID form: answers carry UIDs. */
  readonly byUid?: boolean;
  /** Speaks of messages by number, and so is refused once UIDONLY is enabled. @see RFC 9586 §3.2 */
  readonly sequenceNumbers?: boolean;
  /**
   * EXPUNGE may be sent before its tagged reply. False for FETCH, STORE and SEARCH with sequence
   * numbers. @see RFC 9051 §7.5.1
   */
  readonly mayExpunge: boolean;
  /** Its answer is the EXPUNGE responses, whatever NOTIFY says. @see RFC 9051 §6.4.3, RFC 8508 §4 */
  readonly removes?: boolean;
  /** Arguments are secrets and never reach a log. */
  readonly secret?: boolean;
  /** It lasts as long as the client wants, so its time says nothing about the server. */
  readonly lasting?: boolean;
  /** Looks at the text before an announced literal. Absent: all literals are arguments. */
  readonly literal?: (scanner: Scanner, session: Session) => AnnouncedLiteral;
}
