/** Serves forms by HTTP: a handful of small documents, each over a connection of its own. */

import type { Socket } from "node:net";
import type { Log } from "../log.ts";
import { type HttpHandler, type HttpRequest, HttpServer } from "../monitoring/http.ts";
import type { TlsContext } from "../net/endpoint.ts";
import type { Acceptor, Arrival } from "../net/listener.ts";
import { handshake, secured } from "../net/secured.ts";
import { answerForm } from "./answers.ts";
import type { ClientSettings } from "./client_settings.ts";

/** What a server of forms is made from. */
export interface AutoconfigServerOptions {
  readonly settings: ClientSettings;
  readonly tls?: TlsContext;
  readonly log: Log;
}

/** Milliseconds for a handshake. */
const PATIENCE = 10_000;
/** Handshakes at once. */
const MOST = 64;

/** Answers whoever comes to the addresses of `[autoconfig]`. */
export class AutoconfigServer implements Acceptor {
  readonly #options: AutoconfigServerOptions;
  readonly #http: HttpServer;
  readonly #https: HttpServer;
  /** Sockets whose handshake is not through. */
  readonly #preparing = new Set<Socket>();
  readonly #unwatch: () => void;

  constructor(options: AutoconfigServerOptions) {
    const failed = (error: unknown) =>
      options.log.error("autoconfig failed", { error: String(error) });
    this.#options = options;
    this.#http = new HttpServer(handlerOf(options, isForwardedHttps), failed);
    this.#https = new HttpServer(handlerOf(options, () => true), failed);
    // Certificates stay current while nobody connects.
    this.#unwatch = options.tls?.watch(() => {}) ?? (() => {});
  }

  get tls(): TlsContext | undefined {
    return this.#options.tls;
  }

  /** Nobody is connected for long enough to be waited for. */
  get connections(): number {
    return 0;
  }

  accept(socket: Socket, { implicitTls, secured: isSecured, unix }: Arrival): void {
    const { tls } = this.#options;
    if (!implicitTls || tls === undefined) {
      return (isSecured ? this.#https : this.#http).accept(socket, { unix });
    }
    socket.on("error", () => {});
    // Who connects and says nothing must not keep others out.
    const [oldest] = this.#preparing;
    if (this.#preparing.size >= MOST) {
      // At once: another one may come before its end is told.
      this.#preparing.delete(oldest);
      oldest.destroy();
    }
    this.#preparing.add(socket);
    const channel = secured(socket, tls);
    handshake(channel, PATIENCE)
      .then(() => this.#https.accept(channel, { unix }), () => socket.destroy())
      .finally(() => this.#preparing.delete(socket));
  }

  /** Ends all connections: an answer takes no longer than its packets. */
  close(_graceMs: number): Promise<void> {
    this.#unwatch();
    for (const socket of this.#preparing) socket.destroy();
    this.#http.close();
    this.#https.close();
    return Promise.resolve();
  }
}

function handlerOf(
  { settings, log }: AutoconfigServerOptions,
  isHttps: (request: HttpRequest) => boolean,
): HttpHandler {
  return (request) => {
    const { method, path, query, headers, body } = request;
    log.debug("autoconfig", { method, path });
    const https = isHttps(request);
    return answerForm(settings, { method, path, query, host: headers.get("host"), https, body });
  };
}

/** A web server in front tells so; it decides only over the scheme of a link. */
function isForwardedHttps({ headers }: HttpRequest): boolean {
  return headers.get("x-forwarded-proto") === "https";
}
