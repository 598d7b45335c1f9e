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
import { statusLine } from "../wire/response.ts";
import { type Client, Connection } from "./connection.ts";
import type { Endpoint, ProxyProtocol, TlsContext } from "./endpoint.ts";
import { canonicalAddress, UNIX_PEER } from "./ip_address.ts";
import type { Acceptor, Arrival } from "./listener.ts";
import { NoProxyHeader, receiveHeader } from "./proxy_channel.ts";
import { ProxyHeaderFault } from "./proxy_header.ts";
import { canSecure, handshake, secured } from "./secured.ts";
import type { SessionInfo } from "./session_info.ts";

export interface ImapServerOptions {
  readonly endpoint: Endpoint;
  readonly login: Login;
  readonly store: Store;
  readonly log: Log;
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

/** A connection on which the protocol can begin. */
interface Prepared {
  readonly socket: Socket;
  readonly client: Client;
}

/** What one `[[imap]]` endpoint offers; its addresses are opened by `Listeners`. */
export class ImapServer implements Acceptor {
  readonly #options: ImapServerOptions;
  readonly #service: Service;
  /** Sockets whose PROXY header or TLS handshake is not through. */
  readonly #preparing = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  readonly #running = new Set<Promise<void>>();
  readonly #unwatch: () => void;

  constructor(options: ImapServerOptions) {
    this.#options = options;
    this.#service = serviceOf(options);
    this.#unwatch = watch(options.endpoint);
  }

  get tls(): TlsContext | undefined {
    return this.#options.endpoint.tls;
  }

  /** Connections that are being served, or will be after their handshake. */
  get connections(): number {
    return this.#connections.size + this.#preparing.size;
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
    const { endpoint, nextId } = this.#options;
    const id = nextId();
    const log = this.#options.log.with({ conn: id });
    // Stays: an error without a listener would end the process.
    socket.on("error", () => {});
    const remote = peerOf(socket, arrival);
    if (remote === undefined) {
      log.debug("client has gone already");
      socket.destroy();
      return;
    }
    if (this.#preparing.size >= endpoint.limits.connections) {
      this.#service.meter.refused("too many");
      log.warn("too many connections", { remote });
      socket.destroy();
      return;
    }
    if (!arrival.implicitTls && !isProxy(endpoint.proxyProtocol, remote)) {
      return this.#serve({ socket, client: clientOf(socket, remote, arrival) }, id, log);
    }
    this.#preparing.add(socket);
    this.#prepare(socket, remote, arrival)
      .then(
        (prepared) => this.#serve(prepared, id, log),
        (error) => this.#refused(socket, remote, error, log),
      )
      .finally(() => this.#preparing.delete(socket));
  }

  /** Says BYE to every client; commands that run may finish within `graceMs` milliseconds. */
  async close(graceMs: number): Promise<void> {
    this.#unwatch();
    for (const socket of this.#preparing) socket.destroy();
    for (const connection of this.#connections) connection.end("Server is shutting down");
    await Promise.race([Promise.all(this.#running), after(graceMs)]);
    for (const connection of this.#connections) connection.destroy();
    // What runs notices at its next turn that its client is gone.
    await Promise.race([Promise.all(this.#running), after(LAST_TURNS)]);
  }

  /** From the outside to the inside: TLS of the proxy, its header, TLS of the client. */
  async #prepare(plain: Socket, peer: string, arrival: Arrival): Promise<Prepared> {
    const { endpoint } = this.#options;
    const { proxyProtocol: proxy, limits } = endpoint;
    let socket = plain;
    let client = clientOf(plain, peer, arrival);
    if (proxy !== undefined && isProxy(proxy, peer)) {
      if (proxy.tls !== undefined) socket = await withTls(socket, proxy.tls, HEADER_PATIENCE);
      const { source, port, tls } = await receiveHeader(socket, HEADER_PATIENCE);
      if (source !== undefined) {
        client = { remote: source, port, secure: proxy.tlsOffloaded && tls };
      }
    }
    if (arrival.implicitTls) {
      if (endpoint.tls === undefined) throw new Error("Expected TLS to be configured");
      const tls = await withTls(socket, endpoint.tls, Math.min(limits.login, limits.read));
      socket = tls;
      client = { ...client, secure: true, tls };
    }
    return { socket, client };
  }

  #refused(socket: Socket, remote: string, error: Error, log: Log): void {
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

  #serve({ socket, client }: Prepared, id: string, log: Log): void {
    const { endpoint } = this.#options;
    if (this.#connections.size >= endpoint.limits.connections) {
      this.#service.meter.refused("too many");
      log.warn("too many connections", { remote: client.remote });
      socket.end(statusLine("*", "BYE", "Too many connections, try later"));
      return;
    }
    this.#service.meter.accepted();
    log.debug("connected", { remote: client.remote, secure: client.secure });
    const connection = new Connection(socket, endpoint, this.#service, log, id, client);
    this.#connections.add(connection);
    const running = connection.run().finally(() => {
      this.#connections.delete(connection);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}

function serviceOf(options: ImapServerOptions): Service {
  const { endpoint, login, store, log, hostname, version } = options;
  const { now = Date.now, meter = NO_IMAP_METER, annotations = NO_SERVER_ANNOTATIONS } = options;
  return {
    login,
    store,
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

/** Who is at the other end, as long as no proxy says otherwise. */
function clientOf(socket: Socket, remote: string, { secured, unix }: Arrival): Client {
  const tls = secured && socket instanceof TLSSocket ? socket : undefined;
  return { remote, port: unix ? undefined : socket.remotePort, secure: secured || unix, tls };
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
