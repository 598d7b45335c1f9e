/** One client's connection: reads commands, has them run one after the other, and ends in time. */

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { judge } from "../imap/announced.ts";
import { type Dialogue, Disconnected, type Service } from "../imap/command.ts";
import { dispatch, type Environment } from "../imap/dispatch.ts";
import type { Notifications } from "../imap/notifications.ts";
import { ReceivedMessage } from "../imap/received_message.ts";
import { Session } from "../imap/session.ts";
import { capabilities } from "../imap/table.ts";
import { endIfOutdated } from "../imap/tell_selected.ts";
import type { Log } from "../log.ts";
import { isTurnDue, mayBegin, yieldNow } from "../pace.ts";
import { foreignProtocol } from "../wire/foreign_protocol.ts";
import { type FrameEvent, type FramerLimits, LineTooLong } from "../wire/framer.ts";
import { capabilityCode, continuation, statusLine } from "../wire/response.ts";
import { SyntaxFault } from "../wire/scanner.ts";
import { type Buffers, HeldInput, READ_AHEAD, SHARE, SHORT_PATIENCE } from "./buffers.ts";
import { ClientInput } from "./client_input.ts";
import { ClientWait, Farewell } from "./client_wait.ts";
import type { Endpoint, Limits } from "./endpoint.ts";
import { faultReply, tagOf } from "./frame_fault.ts";
import { hangUp } from "./hang_up.ts";
import { customerNetwork } from "./ip_address.ts";
import { SocketOutput } from "./output.ts";
import { patienceLeft } from "./patience.ts";
import { handshake } from "./secured.ts";
import type { SessionInfo } from "./session_info.ts";
import { tlsChannel } from "./tls_channel.ts";
import { Trace } from "./trace.ts";

/** Who has connected. */
export interface Client {
  /** An IP address, or "unix". */
  readonly remote: string;
  /** When it connected, in milliseconds since 1970. */
  readonly since: number;
  /** Absent where `remote` is no IP address. */
  readonly port?: number;
  /** Nobody in between can read: passwords may be sent. */
  readonly secure: boolean;
  /** The client's own TLS, where there is any yet. */
  readonly tls?: TLSSocket;
  /** Is told whether a user is logged in. */
  readonly admission?: { loggedIn(isUser: boolean): void };
}

/** Milliseconds for the last response of who is dismissed to be sent. */
const DISMISSAL_PATIENCE = 1000;

export class Connection {
  readonly #session: Session;
  readonly #out: SocketOutput;
  readonly #input: ClientInput;
  readonly #client = new ClientWait();
  readonly #admission: Client["admission"];
  /** From STARTTLS to the end of its handshake. */
  #upgrade = false;
  /** Whether both sides compress once the running command is answered. */
  #compress = false;
  readonly #trace: Trace | undefined;
  #badCommands = 0;
  /** Milliseconds that the client may still let the server wait in the middle of a command. */
  #patience: number;
  /** What it holds beyond its share; made when there is any. */
  #held: HeldInput | undefined;
  /** Messages of the running command that are not in a mailbox yet. */
  #received: ReceivedMessage[] | undefined;
  #loginDeadline: number;
  readonly #since: number;
  #commands = 0;
  /** Who is logged in, or was until LOGOUT. */
  #user: string | undefined;

  constructor(
    socket: Socket,
    private readonly endpoint: Endpoint,
    private readonly service: Service,
    private readonly buffers: Buffers,
    private readonly log: Log,
    id: string,
    client: Client,
  ) {
    const { limits, ioDebug } = endpoint;
    this.#session = new Session(id, client.remote, client.secure, client.port);
    if (client.tls !== undefined) this.#session.channel = tlsChannel(client.tls, endpoint);
    this.#input = new ClientInput(socket, beforeLogin(limits), {
      came: (octets) => this.#came(octets),
      mayReadAhead: () => this.#mayReadAhead(),
      ended: (reason) => this.#end(reason),
    }, log);
    this.#patience = limits.read;
    this.#admission = client.admission;
    const trace = ioDebug ? new Trace(log) : undefined;
    this.#trace = trace;
    this.#out = new SocketOutput(
      socket,
      limits.write,
      service.meter,
      () => this.#syncing,
      buffers,
      () => this.#owner,
      trace && ((text) => trace.sent(text)),
    );
    this.#since = client.since;
    this.#loginDeadline = this.#since + limits.login;
  }

  /** Serves the client until it leaves or has to. Never rejects. */
  async run(): Promise<void> {
    const { log } = this;
    let reason = "The client logged out";
    try {
      await this.#greet();
      while (this.#session.state.name !== "logout") {
        await this.#handle(await this.#next());
        // Who sends one command after the other must not keep others waiting for all of them.
        if (this.#input.framer.buffered > 0 && isTurnDue()) await yieldNow(this.#owner);
      }
    } catch (error) {
      reason = error instanceof Disconnected ? error.message : "Internal error";
      await this.#failed(error);
    } finally {
      for (const message of this.#received ?? []) await abort(message, log);
      this.#held?.give();
      this.#logEnd(reason);
      this.#session.enter({ name: "logout" });
      this.#input.close();
      await hangUp(this.#input.socket, this.endpoint.limits.write);
    }
  }

  /** The name of its state in the protocol. */
  get state(): SessionInfo["state"] {
    return this.#session.state.name;
  }

  /** What there is to be told of it now. */
  get info(): SessionInfo {
    const { state, id, remote, secure, client } = this.#session;
    return {
      id,
      remote,
      secure,
      client,
      state: state.name,
      user: this.#user,
      mailbox: state.name === "selected" ? state.view.mailbox.name : undefined,
      since: this.#since,
      octetsIn: this.#input.octets,
      octetsOut: this.#out.written,
      commands: this.#commands,
    };
  }

  /** Whose work it does, and whose memory it holds. */
  get #owner(): string {
    return this.#user ?? customerNetwork(this.#session.remote);
  }

  get #syncing(): Promise<void> | undefined {
    const { state } = this.#session;
    return "user" in state ? state.user.account.syncing : undefined;
  }

  /** Ends the connection with a BYE that tells the reason, once the running command is through. */
  end(reason: string): void {
    this.#end(new Farewell(reason));
  }

  /** Ends it at once. @param reason for the log */
  destroy(reason: string): void {
    this.#end(new Disconnected(reason));
    this.#input.socket.destroy();
  }

  /**
   * Like {@link destroy}, but with a last response where one can be sent now: nothing waits for a
   * command, and not for a client that reads nothing.
   */
  dismiss(response: string, reason: string): void {
    const ending = this.#upgrade || this.#client.ended !== undefined;
    const told = !ending && this.#session.state.name !== "logout" && this.#out.interject(response);
    if (!told) return this.destroy(reason);
    this.#end(new Disconnected(reason));
    void hangUp(this.#input.socket, DISMISSAL_PATIENCE);
  }

  async #greet(): Promise<void> {
    const code = capabilityCode(capabilities({ session: this.#session, service: this.service }));
    this.#out.text(statusLine("*", "OK", `${this.service.hostname} ready`, code));
    await this.#out.flush();
  }

  /** Who came only to see whether there is a server, as balancers do, is not worth a line. */
  #logEnd(reason: string): void {
    const { remote, user, octetsIn, octetsOut, commands, since } = this.info;
    const seconds = Math.max(0, Math.round((this.service.now() - since) / 100) / 10);
    const fields = { user, remote, reason, in: octetsIn, out: octetsOut, commands, seconds };
    if (commands > 0) this.log.info("disconnected", fields);
    else this.log.debug("disconnected", fields);
  }

  async #failed(error: unknown): Promise<void> {
    if (error instanceof Farewell) {
      this.#out.text(statusLine("*", "BYE", error.message));
      await this.#out.flush().catch(() => {});
    } else if (error instanceof Disconnected) {
      if (this.endpoint.ioErrors) this.log.warn("connection lost", { reason: error.message });
      else this.log.debug("connection lost", { reason: error.message });
    } else {
      this.log.bug(error);
    }
  }

  async #handle(event: FrameEvent): Promise<void> {
    const foreign = this.#commands === 0 && "text" in event && foreignProtocol(event.text);
    if (foreign) throw new Farewell(`Expected IMAP, got ${foreign}`);
    switch (event.type) {
      case "command":
        return await this.#run(event);
      case "literal":
        return await this.#announced(event);
      case "chunk":
        if (event.message instanceof ReceivedMessage) await event.message.write(event.bytes);
        return;
      case "fault":
        this.#out.text(faultReply(event));
        return await this.#answered(true);
    }
  }

  async #run(frame: Extract<FrameEvent, { readonly type: "command" }>): Promise<void> {
    this.#trace?.command(frame);
    this.#commands++;
    this.#patience = this.endpoint.limits.read;
    const { bad } = await dispatch(frame, this.#environment);
    this.#noteUser();
    await this.#answered(bad);
    this.#trace?.answered();
    if (this.#upgrade) await this.#startTls();
    if (this.#compress !== this.#session.compressed) {
      this.#session.compressed = this.#out.compressed = this.#input.compressed = this.#compress;
    }
  }

  #noteUser(): void {
    const { state } = this.#session;
    const { limits } = this.endpoint;
    if (state.name === "authenticated" || state.name === "selected") {
      if (this.#user === undefined) {
        this.#input.framer.limit(limits);
        this.#admission?.loggedIn(true);
      }
      this.#user = state.user.name;
    }
    if (state.name === "not-authenticated" && this.#user !== undefined) {
      this.#user = undefined;
      this.#admission?.loggedIn(false);
      this.#input.framer.limit(beforeLogin(limits));
      this.#loginDeadline = this.service.now() + limits.login;
    }
  }

  async #announced(literal: Extract<FrameEvent, { readonly type: "literal" }>): Promise<void> {
    const verdict = await judge(literal, this.#session, this.service);
    if (verdict.type === "refuse") {
      this.#input.framer.discard();
      this.#out.text(verdict.reply);
      return await this.#answered(verdict.bad);
    }
    if (verdict.type === "stream") {
      (this.#received ??= []).push(verdict.message);
      this.#input.framer.stream(verdict.message);
    } else if (!await this.#roomFor(literal.size)) {
      this.#input.framer.discard();
      this.#out.text(statusLine(tagOf(literal.text), "NO", "Memory is short, try later", "LIMIT"));
      return await this.#answered(false);
    } else if (!this.#input.framer.accept()) {
      return;
    }
    if (literal.synchronizing) await this.#prompt("OK");
  }

  /** @returns false if memory is short */
  async #roomFor(literal: number): Promise<boolean> {
    const octets = this.#input.framer.literalOctets + literal;
    // Before login they are few; above the limit they are not kept.
    if (!this.#loggedIn || octets <= SHARE || octets > this.endpoint.limits.literals) return true;
    return await this.#holder.literals(this.#owner, octets);
  }

  get #holder(): HeldInput {
    const patience = Math.min(this.endpoint.limits.read, SHORT_PATIENCE);
    return this.#held ??= new HeldInput(this.buffers, patience);
  }

  async #forgetReceived(): Promise<void> {
    const received = this.#received;
    if (received === undefined) return;
    this.#received = undefined;
    for (const message of received) await abort(message, this.log);
  }

  /** Sends the reply, counts commands that were not understood, and is ready for the next one. */
  async #answered(bad: boolean): Promise<void> {
    await this.#forgetReceived();
    this.#patience = this.endpoint.limits.read;
    this.#held?.giveLiterals();
    this.#badCommands = bad ? this.#badCommands + 1 : 0;
    const { badBeforeLogin, badAfterLogin, failedLogins } = this.endpoint.limits;
    const allowed = this.#loggedIn ? badAfterLogin : badBeforeLogin;
    if (this.#badCommands >= allowed) this.#end(new Farewell("Too many bad commands"));
    if (this.#session.failedLogins >= failedLogins) {
      this.#end(new Farewell("Too many failed logins"));
    }
    await this.#out.flush();
  }

  get #loggedIn(): boolean {
    return this.#session.state.name !== "not-authenticated";
  }

  async #prompt(text: string): Promise<void> {
    this.#out.text(continuation(text));
    await this.#out.flush();
  }

  get #dialogue(): Dialogue {
    return {
      owner: this.#owner,
      prompt: (text) => this.#prompt(text),
      line: () => this.#line(),
      interject: (response) => this.#out.interject(response),
      assertOpen: () => {
        const { ended } = this.#client;
        if (ended !== undefined && !(ended instanceof Farewell)) throw ended;
      },
      // Bytes that come meanwhile wait.
      pause: (milliseconds, wakers) => this.#client.pause(milliseconds, wakers),
      startTls: this.service.tls ? () => this.#upgrade = true : undefined,
      compress: (on) => this.#compress = on,
      end: (reason) => this.end(reason),
    };
  }

  async #next(): Promise<FrameEvent> {
    for (;;) {
      endIfOutdated(this.#session, this);
      if (this.#client.ended) throw this.#client.ended;
      const event = this.#input.framer.next();
      if (event !== undefined) return event;
      const { notify } = this.#session;
      if (this.#input.framer.midway) await this.#rest();
      else if (notify !== undefined) await this.#waitWith(notify);
      else await this.#more(this.#loggedIn ? this.endpoint.limits.idle : undefined);
    }
  }

  /** Waits for bytes, and tells meanwhile what the client asked to hear. @see RFC 5465 §3.1 */
  async #waitWith(notify: Notifications): Promise<void> {
    const end = this.service.now() + this.endpoint.limits.idle;
    const octets = this.#input.octets;
    notify.onDue = () => this.#client.wake();
    while (this.#input.octets === octets) {
      endIfOutdated(this.#session, this);
      if (notify.due) await notify.tell(this.#environment, false);
      else await this.#more(Math.max(0, end - this.service.now()));
    }
  }

  get #environment(): Environment {
    return {
      session: this.#session,
      service: this.service,
      out: this.#out,
      dialogue: this.#dialogue,
      log: this.log,
    };
  }

  async #line(): Promise<string> {
    for (;;) {
      try {
        const line = this.#input.framer.line();
        if (line !== undefined) {
          this.#trace?.line(line);
          return line;
        }
      } catch (error) {
        if (error instanceof LineTooLong) throw new SyntaxFault(error.message, 0);
        throw error;
      }
      if (this.#loggedIn && !this.#input.framer.midway) await this.#more(undefined);
      else await this.#rest();
    }
  }

  /** Waits for more of what the client is in the middle of. */
  async #rest(): Promise<void> {
    const { now } = this.service;
    const since = now();
    const octets = this.#input.octets;
    await this.#more(this.#patience, "The rest of the command took too long");
    const { read } = this.endpoint.limits;
    const came = this.#input.octets - octets;
    this.#patience = patienceLeft(this.#patience, now() - since, came, read);
  }

  /**
   * Waits for bytes; before login never past the deadline.
   *
   * @param patience milliseconds; undefined for as long as it takes, as in IDLE
   */
  async #more(patience: number | undefined, tooLong = "Idle for too long"): Promise<void> {
    if (this.#client.ended) throw this.#client.ended;
    let wait = patience;
    let text = tooLong;
    if (!this.#loggedIn) {
      const left = Math.max(0, this.#loginDeadline - this.service.now());
      if (wait === undefined || left <= wait) {
        wait = left;
        text = "Logging in took too long";
      }
    }
    const bytes = this.#client.forBytes(wait, () => this.#end(new Farewell(text)));
    if (this.#input.framer.buffered <= SHARE) this.#held?.giveAhead();
    this.#input.resume();
    await bytes;
    // Nor must they wait for all that comes at once over many connections of one user.
    if (!mayBegin()) await yieldNow(this.#owner);
  }

  #came(octets: number): void {
    this.service.meter.received(octets);
    this.#client.wake();
  }

  #mayReadAhead(): boolean {
    const { buffered } = this.#input.framer;
    if (buffered <= SHARE) return true;
    if (!this.#loggedIn || buffered > READ_AHEAD) return false;
    return this.#holder.ahead(this.#owner);
  }

  #end(reason: Disconnected): void {
    if (!this.#client.end(reason)) return;
    if (!(reason instanceof Farewell)) this.#out.break(reason);
  }

  /** @see RFC 9051 §6.2.1: what came in the clear before the handshake must not be believed */
  async #startTls(): Promise<void> {
    const { tls, limits } = this.endpoint;
    if (tls === undefined) return;
    if (this.#input.framer.buffered > 0) {
      this.log.warn("bytes after STARTTLS", { octets: this.#input.framer.buffered });
      throw new Disconnected("The client sent bytes after STARTTLS without waiting for it");
    }
    const socket = this.#input.secure(tls, beforeLogin(limits));
    this.#out.use(socket);
    const left = Math.max(0, this.#loginDeadline - this.service.now());
    try {
      await handshake(socket, Math.min(limits.read, left));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Disconnected(reason, { cause: error });
    }
    this.#upgrade = false;
    this.#session.secure = true;
    this.#session.channel = tlsChannel(socket, this.endpoint);
  }
}

function beforeLogin(limits: Limits): FramerLimits {
  return { line: limits.lineBeforeLogin, literals: limits.literalsBeforeLogin };
}

async function abort(message: ReceivedMessage, log: Log): Promise<void> {
  if (message.stored) return;
  try {
    await message.incoming.abort();
  } catch (error) {
    log.warn("an unfinished message was left behind", { error: String(error) });
  }
}
