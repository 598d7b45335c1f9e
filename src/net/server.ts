/** Listens, counts, and serves each client by a {@link Connection}. */

import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import type { Login } from "../auth/auth.ts";
import type { Service } from "../imap/command.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { statusLine } from "../wire/response.ts";
import { Connection, serverNameChoice } from "./connection.ts";
import type { Endpoint, ListenAddress } from "./endpoint.ts";

/** An address cannot be had. */
export class ListenError extends Error {
  override name = "ListenError";
}

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
}

/** One `[[imap]]` endpoint with all its addresses. */
export class ImapServer {
  readonly #options: ImapServerOptions;
  readonly #service: Service;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: ImapServerOptions) {
    const { endpoint, login, store, log, hostname, version, now = Date.now } = options;
    this.#options = options;
    this.#service = {
      login,
      store,
      log,
      hostname,
      version,
      insecureAuth: endpoint.insecureAuth,
      saslLogin: endpoint.saslLogin,
      tls: endpoint.tls !== undefined,
      appendLimit: endpoint.limits.append,
      keepalive: endpoint.limits.keepalive,
      now,
    };
  }

  /**
   * Opens every address of the endpoint.
   *
   * @returns them with their real ports
   * @throws {ListenError} when one cannot be had
   */
  async listen(): Promise<readonly ListenAddress[]> {
    const addresses: ListenAddress[] = [];
    for (const address of this.#options.endpoint.listen) {
      const server = this.#serverFor(address);
      const port = await opened(server, address).catch((error) => {
        throw new ListenError(`imap.listen: cannot open ${urlOf(address)}: ${reasonOf(error)}`, {
          cause: error,
        });
      });
      this.#servers.push(server);
      addresses.push({ ...address, port });
      this.#options.log.info(`listening on ${urlOf({ ...address, port })}`);
    }
    return addresses;
  }

  /** Says BYE to every client; commands that run may finish within `graceMs` milliseconds. */
  async close(graceMs: number): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const connection of this.#connections) connection.shutdown();
    await Promise.race([Promise.all(this.#running), after(graceMs)]);
    for (const connection of this.#connections) connection.destroy();
    // What runs notices at its next turn that its client is gone.
    await Promise.race([Promise.all(this.#running), after(LAST_TURNS)]);
  }

  #serverFor(address: ListenAddress): Server {
    const { tls, limits } = this.#options.endpoint;
    if (!address.tls) return createServer((socket) => this.#accept(socket, false));
    if (tls === undefined) throw new Error(`TLS is not configured for port ${address.port}`);
    const options: TlsOptions & { host: string } = {
      ...tls.options(),
      // Where Deno 2.7 looks for it.
      host: address.host,
      ...serverNameChoice(tls),
      handshakeTimeout: limits.login,
    };
    const server = createTlsServer(options, (socket: TLSSocket) => this.#accept(socket, true));
    // Clients that send no server name get what the server was made with.
    const unwatch = tls.watch(() => server.setSecureContext?.(tls.options()));
    server.on("close", unwatch);
    server.on("tlsClientError", (error: Error) => this.#handshakeFailed(error));
    return server;
  }

  #handshakeFailed(error: Error): void {
    const { log, endpoint } = this.#options;
    if (endpoint.ioErrors) log.warn("TLS handshake failed", { error: error.message });
    else log.debug("TLS handshake failed", { error: error.message });
  }

  #accept(socket: Socket, secure: boolean): void {
    const { endpoint, log } = this.#options;
    if (this.#connections.size >= endpoint.limits.connections) {
      log.warn("too many connections", { remote: socket.remoteAddress });
      socket.on("error", () => {});
      socket.end(statusLine("*", "BYE", "Too many connections, try later"));
      return;
    }
    const id = this.#options.nextId();
    const connectionLog = log.with({ conn: id });
    connectionLog.debug("connected", { remote: socket.remoteAddress, secure });
    const connection = new Connection(socket, endpoint, this.#service, connectionLog, id, secure);
    this.#connections.add(connection);
    const running = connection.run().finally(() => {
      this.#connections.delete(connection);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}

/** Milliseconds for commands to end after their connection was cut. */
const LAST_TURNS = 1000;

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** The address as the config spells it. */
function urlOf({ tls, host, port }: ListenAddress): string {
  return `${tls ? "tls" : "tcp"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "only root, or a program with CAP_NET_BIND_SERVICE, may listen on this port",
};

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}

function opened(server: Server, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const done = () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    };
    // A TLS server of Deno 2.7 takes nothing but a port and a callback.
    if (server.listen.length === 2) server.listen(port, done);
    else server.listen({ host, port }, done);
  });
}
