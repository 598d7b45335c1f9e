/** One address that is listened on. */

import { createServer, type Server, type Socket } from "node:net";
import { clearInterval, setInterval } from "node:timers";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import type { Log } from "../log.ts";
import { certificateRequest } from "./client_certificate.ts";
import type { TlsContext } from "./endpoint.ts";
import { type KernelSocket, openSocket, reasonOf, type SocketAddress } from "./kernel_socket.ts";
import type { Libc } from "./libc.ts";
import { cannotOpen, isImplicitTls, type ListenAddress, urlOf } from "./listen_address.ts";
import { canSecure, serverNameChoice } from "./secured.ts";
import { clearPath, identityOf, removeSocket, setPermissions } from "./unix_socket.ts";

/** What is known of a new connection. */
export interface Arrival {
  /** Over a unix socket: from this machine, and without an IP address. */
  readonly unix: boolean;
  /** A TLS handshake has to come before anything else of the protocol. */
  readonly implicitTls: boolean;
  /** TLS has been done: only where {@link canSecure} says no. */
  readonly secured: boolean;
}

/** Who serves the connections. */
export interface Acceptor {
  accept(socket: Socket, arrival: Arrival): void;
  /** Absent: TLS is off. */
  readonly tls?: TlsContext;
}

/** Milliseconds between two looks for connections that nobody accepts. */
const LOOK_EVERY = 1000;

/** Listens, and hands new connections to its acceptor, which may be replaced while it does. */
export class Listener {
  #server: Server | undefined;
  #kernel: KernelSocket | undefined;
  /** Removes the file of a unix socket that Deno made. */
  #remove = () => Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;
  #listening: ListenAddress;
  #unix: boolean;
  #accepted = 0;
  #stalled = false;
  /** Somebody waited at the last look, and nobody had been accepted. */
  #waited = false;

  private constructor(
    private readonly libc: Libc | undefined,
    private address: SocketAddress,
    private acceptor: Acceptor,
    private readonly log: Log,
  ) {
    this.#listening = address;
    this.#unix = address.kind === "unix";
  }

  /** @throws {ListenError} when the address cannot be had */
  static async open(
    libc: Libc | undefined,
    address: SocketAddress,
    acceptor: Acceptor,
    log: Log,
  ): Promise<Listener> {
    const listener = new Listener(libc, address, acceptor, log);
    await listener.#open();
    log.info(`listening on ${listener.#text()}`);
    return listener;
  }

  /** The address with its real port. */
  get listening(): ListenAddress {
    return this.#listening;
  }

  /** Hands connections to another one from now on; `address` may differ in TLS only. */
  use(address: SocketAddress, acceptor: Acceptor): void {
    this.address = address;
    this.acceptor = acceptor;
    const { port } = { port: 0, ...this.#listening };
    this.#listening = address.kind === "inet" ? { ...address, port } : address;
  }

  /** Accepts no more. Connections that there are stay. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#server?.close();
    await this.#kernel?.close();
    await this.#remove();
  }

  async #open(): Promise<void> {
    const { libc, address } = this;
    // Deno before 2.7.13 listens on no descriptor.
    if (libc === undefined || !canSecure() || hasZone(address)) return await this.#openByNode();
    this.#kernel = await openSocket(libc, address);
    try {
      await this.#serve(libc, this.#kernel);
    } catch (error) {
      await this.#kernel.close();
      cannotOpen(address, reasonOf(error, address), error);
    }
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY).unref();
  }

  async #serve(libc: Libc, kernel: KernelSocket): Promise<void> {
    const server = this.#createServer();
    const fd = libc.duplicate(kernel.fd);
    try {
      await this.#listen(server, { fd });
    } catch (error) {
      libc.close(fd);
      throw error;
    }
  }

  /** Without the C library some things cannot be had. */
  async #openByNode(): Promise<void> {
    const { address } = this;
    if (address.kind === "inet" && address.v6only) {
      cannotOpen(address, "it needs the C library to leave IPv4 to another address");
    }
    if (address.kind === "fd" && !canSecure()) cannotOpen(address, "it needs Deno 2.7.13 or later");
    if (address.kind === "unix") await clearPath(address);
    const { host, port, path, fd } = { host: "", port: 0, path: "", fd: 0, ...address };
    const options = { inet: { host, port }, unix: { path }, fd: { fd } }[address.kind];
    try {
      await this.#listen(this.#createServer(), options);
    } catch (error) {
      cannotOpen(address, reasonOf(error, address), error);
    }
    if (address.kind !== "unix") return;
    const identity = await identityOf(address.path);
    this.#remove = () => removeSocket(address.path, identity);
    try {
      await setPermissions(address);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #createServer(): Server {
    const { address } = this;
    if (!canSecure() && isImplicitTls(address)) return this.#createTlsServer();
    return createServer({ noDelay: true }, (socket) => this.#arrived(socket, false));
  }

  #arrived(socket: Socket, secured: boolean): void {
    this.#accepted++;
    const implicitTls = isImplicitTls(this.address) && !secured;
    this.acceptor.accept(socket, { unix: this.#unix, implicitTls, secured });
  }

  /** For a Deno that cannot do TLS on a connection that is there already. */
  #createTlsServer(): Server {
    const { tls } = this.acceptor;
    if (tls === undefined) throw new Error(`TLS is not configured for ${this.#text()}`);
    const { host } = { host: "", ...this.address };
    const options: TlsOptions & { host: string } = {
      ...tls.options(),
      host,
      ...serverNameChoice(tls),
      ...certificateRequest(tls),
    };
    const server = createTlsServer(options, (socket) => this.#arrived(socket, true));
    const unwatch = tls.watch(() => {
      if (server.setSecureContext !== undefined) server.setSecureContext(tls.options());
      else this.log.warn("this Deno serves new certificates on tls:// only after a restart");
    });
    server.on("close", unwatch);
    return server;
  }

  #listen(
    server: Server,
    options: { host: string; port: number } | { path: string } | { fd: number },
  ) {
    return new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const done = () => {
        server.off("error", reject);
        server.on("error", (error) => this.log.error("listener failed", { error: error.message }));
        this.#opened(server);
        resolve();
      };
      // TLS servers of an old Deno take nothing but a port and a callback.
      if (server.listen.length === 2 && "port" in options) server.listen(options.port, done);
      else server.listen(options, done);
    });
  }

  #opened(server: Server): void {
    this.#server = server;
    const found = server.address();
    const inet = typeof found === "object" && found !== null ? found : undefined;
    const { address } = this;
    if (address.kind === "inet") this.#listening = { ...address, port: inet?.port ?? address.port };
    if (address.kind === "fd") this.#unix = inet === undefined;
  }

  #text(): string {
    const found = this.#server?.address();
    const { kind } = this.address;
    if (kind !== "fd" || typeof found !== "object") return urlOf(this.#listening);
    const { address: host, port } = found ?? { address: "", port: 0 };
    const inner = host === "" ? "unix" : urlOf({ kind: "inet", tls: false, host, port }).slice(6);
    return `${urlOf(this.#listening)} (${inner})`;
  }

  /**
   * Starts again where connections wait for longer than a turn: then an accept(2) has failed,
   * because there was no file descriptor left.
   */
  #look(): void {
    const { libc } = this;
    const accepted = this.#accepted;
    this.#accepted = 0;
    if (libc === undefined || this.#kernel === undefined) return;
    const waiting = libc.isWaitedFor(this.#kernel.fd);
    const waitedBefore = this.#waited;
    this.#waited = waiting && accepted === 0;
    // One look may come just before the connection is taken.
    if (this.#waited && waitedBefore) this.#restart(libc, this.#kernel);
    else if (!waiting && this.#stalled) {
      this.#stalled = false;
      this.log.info("connections are accepted again", { listener: urlOf(this.#listening) });
    }
  }

  #restart(libc: Libc, kernel: KernelSocket): void {
    if (!this.#stalled) {
      this.log.error("connections wait and cannot be accepted: are there too many open files?", {
        listener: urlOf(this.#listening),
      });
    }
    this.#stalled = true;
    this.#server?.close();
    this.#serve(libc, kernel).catch((error) => {
      this.log.debug("cannot listen again yet", { error: String(error) });
    });
  }
}

/** Only the system knows the number of a zone as in `fe80::1%eth0`. */
function hasZone(address: SocketAddress): boolean {
  return address.kind === "inet" && address.host.includes("%");
}
