/** Takes in the clients of an endpoint, counts them, and serves each by a {@link Connection}. */

import type { Socket } from "node:net";
import { setTimeout } from "node:timers";
import { TLSSocket } from "node:tls";
import type { Login } from "../auth/auth.ts";
import type { Service } from "../imap/command.ts";
import { KeyMemory } from "../imap/key_memory.ts";
import { LastingTexts } from "../imap/lasting_texts.ts";
import { type ImapMeter, NO_IMAP_METER } from "../imap/meter.ts";
import { NO_SERVER_ANNOTATIONS, type ServerAnnotations } from "../imap/server_annotations.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { type PlainCode, statusLine } from "../wire/response.ts";
import { Buffers, READ_AHEAD } from "./buffers.ts";
import { type Client, Connection } from "./connection.ts";
import { Admission, type ConnectionCounts, type Excess, type Place } from "./connection_counts.ts";
import type { Endpoint, ProxyProtocol, TlsContext } from "./endpoint.ts";
import { canonicalAddress, UNIX_PEER } from "./ip_address.ts";
import type { Acceptor, Arrival } from "./listener.ts";
import { NoProxyHeader, receiveHeader } from "./proxy_channel.ts";
import { ProxyHeaderFault } from "./proxy_header.ts";
import { canSecure, handshake, secured } from "./secured.ts";
import type { SessionInfo } from "./session_info.ts";
import { Strangers } from "./strangers.ts";

export interface ImapServerOptions {
  readonly endpoint: Endpoint;
  readonly login: Login;
  readonly store: Store;
  readonly log: Log;
  /** Those of the whole server. */
  readonly counts: ConnectionCounts;
  readonly hostname: string;
  readonly version: string;
  /** Makes the id of a connection, the field `conn` of its log lines. */
  readonly nextId: () => string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Absent: the server has none. */
  readonly annotations?: ServerAnnotations;
  /** Absent: nobody watches. */
  readonly meter?: ImapMeter;
}

/** Milliseconds for a proxy to send its header. */
const HEADER_PATIENCE = 5000;

/** Milliseconds for commands to end after their connection was cut. */
const LAST_TURNS = 1000;

/** Milliseconds for a TLS handshake after which the client only hears that there are too many. */
const FAREWELL_PATIENCE = 5000;

/** Connections that are turned away by TLS at once: handshakes cost. */
const MOST_FAREWELLS = 32;

/** Milliseconds between two warnings that connections are turned away. */
const WARN_EVERY = 1000;

/** What a client hears that is turned away. */
const FAREWELLS: Readonly<Record<Excess, { readonly text: string; readonly code: PlainCode }>> = {
  all: { text: "Too many connections, try later", code: "UNAVAILABLE" },
  address: { text: "Too many connections from your address", code: "LIMIT" },
};

/** A connection on which the protocol can begin. */
interface Prepared {
  readonly socket: Socket;
  readonly client: Client;
  /** It counts as one; else it is turned away. */
  readonly admission: Admission | Excess;
}

/** A connection that just came. */
interface Newcomer {
  readonly socket: Socket;
  /** The address of the other end, which may be a proxy. */
  readonly peer: string;
  readonly arrival: Arrival;
  readonly id: string;
  readonly log: Log;
}

/** What one `[[imap]]` endpoint offers; its addresses are opened by `Listeners`. */
export class ImapServer implements Acceptor, Place {
  readonly #options: ImapServerOptions;
  readonly #service: Service;
  readonly #buffers: Buffers;
  /** Sockets whose PROXY header or TLS handshake is not through. */
  readonly #preparing = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  readonly strangers = new Strangers();
  readonly #running = new Set<Promise<void>>();
  readonly #unwatch: () => void;
  #farewells = 0;
  #warned = -Infinity;

  constructor(options: ImapServerOptions) {
    this.#options = options;
    this.#service = serviceOf(options);
    const { buffers, literals } = options.endpoint.limits;
    this.#buffers = new Buffers(buffers, literals + READ_AHEAD);
    this.#unwatch = watch(options.endpoint);
  }

  get tls(): TlsContext | undefined {
    return this.#options.endpoint.tls;
  }

  /** Connections that are being served, or will be after their handshake. */
  get connections(): number {
    return this.#connections.size + this.#preparing.size;
  }

  get isFull(): boolean {
    return this.connections >= this.#options.endpoint.limits.connections;
  }

  /** Who is connected, without those whose handshake is not through. */
  sessions(): readonly SessionInfo[] {
    return Array.from(this.#connections, (connection) => connection.info);
  }

  /** How many connections there are by their state; "preparing" before the protocol begins. */
  states(): ReadonlyMap<string, number> {
    const counts = new Map([["preparing", this.#preparing.size]]);
    for (const { state } of this.#connections) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }

  /** Ends the connections that match, with a BYE that tells the reason. @returns how many there were */
  kick(matches: (info: SessionInfo) => boolean, reason: string): number {
    const matching = [...this.#connections].filter(({ info }) => matches(info));
    for (const connection of matching) connection.end(reason);
    return matching.length;
  }

  /** Serves a new connection. */
  accept(socket: Socket, arrival: Arrival): void {
    const { endpoint, nextId, counts } = this.#options;
    const id = nextId();
    const log = this.#options.log.with({ conn: id });
    // Stays: an error without a listener would end the process.
    socket.on("error", () => {});
    const peer = peerOf(socket, arrival);
    if (peer === undefined) {
      log.debug("client has gone already");
      socket.destroy();
      return;
    }
    const newcomer = { socket, peer, arrival, id, log };
    const proxied = isProxy(endpoint.proxyProtocol, peer);
    const admission = counts.admit(proxied ? undefined : peer, this);
    if (!(admission instanceof Admission)) return this.#turnAway(newcomer, admission);
    if (!arrival.implicitTls && !proxied) {
      return this.#serve({ socket, client: this.#clientOf(newcomer), admission }, id, log);
    }
    this.#preparing.add(socket);
    admission.onEnd = () => {
      this.#preparing.delete(socket);
      if (this.#isPlain(newcomer)) return this.#farewell(socket, peer, "all", log);
      this.#noteExcess(peer, "all", log);
      socket.destroy();
    };
    const { login, read } = endpoint.limits;
    this.#prepare(newcomer, admission, Math.min(login, read))
      .then(
        (prepared) => this.#serve(prepared, id, log),
        (error) => {
          admission.leave();
          // Who had to make room is reported already.
          if (this.#preparing.has(socket)) this.#refused(newcomer, error);
        },
      )
      .finally(() => this.#preparing.delete(socket));
  }

  /** Says BYE to every client; commands that run may finish within `graceMs` milliseconds. */
  async close(graceMs: number): Promise<void> {
    this.#unwatch();
    for (const socket of this.#preparing) socket.destroy();
    for (const connection of this.#connections) connection.end("Server is shutting down");
    await Promise.race([Promise.all(this.#running), after(graceMs)]);
    for (const connection of this.#connections) connection.destroy("Server is shutting down");
    // What runs notices at its next turn that its client is gone.
    await Promise.race([Promise.all(this.#running), after(LAST_TURNS)]);
  }

  /** From the outside to the inside: TLS of the proxy, its header, TLS of the client. */
  async #prepare(
    newcomer: Newcomer,
    counted: Admission | Excess,
    patience: number,
  ): Promise<Prepared> {
    const { peer, arrival } = newcomer;
    const { endpoint } = this.#options;
    const { proxyProtocol: proxy } = endpoint;
    let { socket } = newcomer;
    let client = this.#clientOf(newcomer);
    let admission = counted;
    if (proxy !== undefined && isProxy(proxy, peer)) {
      if (proxy.tls !== undefined) socket = await withTls(socket, proxy.tls, HEADER_PATIENCE);
      const { source, port, tls } = await receiveHeader(socket, HEADER_PATIENCE);
      if (source !== undefined) {
        const { since } = client;
        client = { remote: source, since, port, secure: proxy.tlsOffloaded && tls };
      }
      if (counted instanceof Admission && !counted.identify(client.remote)) {
        counted.leave();
        admission = "address";
      }
    }
    if (arrival.implicitTls) {
      if (endpoint.tls === undefined) throw new Error("Expected TLS to be configured");
      const tls = await withTls(socket, endpoint.tls, patience);
      socket = tls;
      client = { ...client, secure: true, tls };
    }
    return { socket, client, admission };
  }

  /** Who just came, as long as no proxy says otherwise. */
  #clientOf({ socket, peer: remote, arrival: { secured, unix } }: Newcomer): Client {
    const since = this.#service.now();
    const tls = secured && socket instanceof TLSSocket ? socket : undefined;
    const port = unix ? undefined : socket.remotePort;
    return { remote, since, port, secure: secured || unix, tls };
  }

  #refused({ socket, peer: remote, log }: Newcomer, error: Error): void {
    const { endpoint } = this.#options;
    socket.destroy();
    const byProxy = error instanceof ProxyHeaderFault || error instanceof NoProxyHeader;
    this.#service.meter.refused(byProxy ? "PROXY" : "TLS");
    if (error instanceof ProxyHeaderFault) {
      log.warn("proxy turned away", { remote, error: error.message });
      return;
    }
    const event = error instanceof NoProxyHeader ? "proxy sent nothing" : "TLS handshake failed";
    const fields = { remote, error: error.message };
    if (endpoint.ioErrors) log.warn(event, fields);
    else log.debug(event, fields);
  }

  /** With a BYE, for which TLS comes first where it is spoken, as long as not too many want that. */
  #turnAway(newcomer: Newcomer, excess: Excess): void {
    const { socket, peer, log } = newcomer;
    if (this.#isPlain(newcomer)) return this.#farewell(socket, peer, excess, log);
    if (this.#farewells >= MOST_FAREWELLS) {
      this.#noteExcess(peer, excess, log);
      socket.destroy();
      return;
    }
    this.#farewells++;
    this.#prepare(newcomer, excess, FAREWELL_PATIENCE)
      .then(({ socket, client }) => this.#farewell(socket, client.remote, excess, log))
      .catch(() => {
        this.#noteExcess(peer, excess, log);
        socket.destroy();
      })
      .finally(() => this.#farewells--);
  }

  /** The protocol can be spoken before any TLS. */
  #isPlain({ peer, arrival }: Newcomer): boolean {
    const { proxyProtocol: proxy } = this.#options.endpoint;
    return !arrival.implicitTls && !(isProxy(proxy, peer) && proxy?.tls);
  }

  #farewell(socket: Socket, remote: string, excess: Excess, log: Log): void {
    this.#noteExcess(remote, excess, log);
    socket.end(farewellText(excess));
    // A client that does not close its side must not hold the socket.
    socket.destroySoon();
  }

  /** Whoever connects again and again shall not fill the log. */
  #noteExcess(remote: string, of: Excess, log: Log): void {
    this.#service.meter.refused("too many");
    const now = performance.now();
    if (now - this.#warned < WARN_EVERY) return log.debug("too many connections", { remote, of });
    this.#warned = now;
    log.warn("too many connections", { remote, of });
  }

  #serve({ socket, client, admission }: Prepared, id: string, log: Log): void {
    if (!(admission instanceof Admission)) {
      return this.#farewell(socket, client.remote, admission, log);
    }
    // It may have made room since its last octet came.
    if (admission.hasLeft) return;
    this.#service.meter.accepted();
    log.debug("connected", { remote: client.remote, secure: client.secure });
    const connection = new Connection(
      socket,
      this.#options.endpoint,
      this.#service,
      this.#buffers,
      log,
      id,
      { ...client, admission },
    );
    this.#connections.add(connection);
    admission.onEnd = () => {
      this.#noteExcess(client.remote, "all", log);
      this.#connections.delete(connection);
      connection.dismiss(farewellText("all"), "It had to make room for others");
    };
    const running = connection.run().finally(() => {
      admission.leave();
      this.#connections.delete(connection);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}

function farewellText(excess: Excess): string {
  const { text, code } = FAREWELLS[excess];
  return statusLine("*", "BYE", text, code);
}

function serviceOf(options: ImapServerOptions): Service {
  const { endpoint, login, store, log, counts, hostname, version } = options;
  const { now = Date.now, meter = NO_IMAP_METER, annotations = NO_SERVER_ANNOTATIONS } = options;
  return {
    login,
    store,
    userConnections: counts,
    log,
    hostname,
    version,
    insecureAuth: endpoint.insecureAuth,
    saslLogin: endpoint.saslLogin,
    tls: endpoint.tls !== undefined && canSecure(),
    admins: new Set(endpoint.admins),
    contact: endpoint.adminContact,
    annotations,
    withheld: endpoint.withheld,
    clientQuirks: endpoint.clientQuirks,
    messageLimit: endpoint.limits.messages,
    saveLimit: endpoint.limits.savedMessages,
    appendLimit: endpoint.limits.append,
    appendLimits: endpoint.appendLimits ?? new Map(),
    keepalive: endpoint.limits.keepalive,
    now,
    meter,
    keyMemory: new KeyMemory(),
    lastingTexts: new LastingTexts(),
  };
}

/** Keeps certificates current while nobody connects, until the returned function is called. */
function watch({ tls, proxyProtocol }: Endpoint): () => void {
  const ends = [tls, proxyProtocol?.tls].map((each) => each?.watch(() => {}));
  return () => ends.forEach((end) => end?.());
}

/** The address of the other end, which only a connection has that is still there. */
function peerOf({ remoteAddress }: Socket, { unix }: Arrival): string | undefined {
  if (unix) return UNIX_PEER;
  const address = remoteAddress?.replace(/%.*$/, "");
  return address && (canonicalAddress(address) ?? address);
}

function isProxy(proxy: ProxyProtocol | undefined, peer: string): boolean {
  return proxy !== undefined && proxy.trust.includes(peer);
}

async function withTls(plain: Socket, tls: TlsContext, patience: number): Promise<TLSSocket> {
  // Else the handshake waits for delayed acknowledgements.
  plain.setNoDelay(true);
  const socket = secured(plain, tls);
  await handshake(socket, patience);
  return socket;
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
