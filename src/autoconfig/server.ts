/** Serves forms by HTTP: a handful of small documents, each over a connection of its own. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Log } from "../log.ts";
import type { TlsContext } from "../net/endpoint.ts";
import type { Acceptor, Arrival } from "../net/listener.ts";
import { handshake, secured } from "../net/secured.ts";
import { answerForm, type FormAnswer } from "./answers.ts";
import type { ClientSettings } from "./client_settings.ts";

/** What a server of forms is made from. */
export interface AutoconfigServerOptions {
  readonly settings: ClientSettings;
  readonly tls?: TlsContext;
  readonly log: Log;
}

/** Milliseconds that a connection may last; it takes one request. */
const PATIENCE = 15_000;
const CONNECTIONS = 200;
const LONGEST_BODY = 65_536;
const LONGEST_TARGET = 4096;

const ALWAYS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Connection": "close",
  "X-Content-Type-Options": "nosniff",
};

/** Answers whoever comes to the addresses of `[autoconfig]`. */
export class AutoconfigServer implements Acceptor {
  readonly #options: AutoconfigServerOptions;
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  readonly #unwatch: () => void;

  constructor(options: AutoconfigServerOptions) {
    this.#options = options;
    this.#http = createServer((request, response) => void this.#answer(request, response));
    this.#http.on("clientError", (_error, socket) => socket.destroy());
    // Certificates stay current while nobody connects.
    this.#unwatch = options.tls?.watch(() => {}) ?? (() => {});
  }

  get tls(): TlsContext | undefined {
    return this.#options.tls;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  accept(socket: Socket, { implicitTls }: Arrival): void {
    socket.on("error", () => socket.destroy());
    if (this.#sockets.size >= CONNECTIONS) return void socket.destroy();
    this.#sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), PATIENCE).unref();
    socket.on("close", () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    const { tls } = this.#options;
    if (!implicitTls || tls === undefined) return void this.#http.emit("connection", socket);
    const channel = secured(socket, tls);
    handshake(channel, PATIENCE).then(
      () => this.#http.emit("connection", channel),
      () => socket.destroy(),
    );
  }

  /** Ends all connections: an answer takes no longer than its packets. */
  close(_graceMs: number): Promise<void> {
    this.#unwatch();
    for (const socket of this.#sockets) socket.destroy();
    return Promise.resolve();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { settings, log } = this.#options;
    try {
      const { method = "", url: target = "", headers: { host } } = request;
      if (target.length > LONGEST_TARGET) return send(response, TOO_LONG, method);
      const body = await bodyOf(request);
      if (body === undefined) return send(response, TOO_LARGE, method);
      const https = "encrypted" in request.socket || isForwardedHttps(request);
      send(response, answerForm(settings, { method, target, host, https, body }), method);
      log.debug("autoconfig", { method, path: target.replace(/\?.*$/, "") });
    } catch (error) {
      log.debug("autoconfig request ended", { error: String(error) });
      request.socket.destroy();
    }
  }
}

/** A web server in front tells so; it decides only over the scheme of a link. */
function isForwardedHttps({ headers }: IncomingMessage): boolean {
  return headers["x-forwarded-proto"] === "https";
}

const TOO_LONG: FormAnswer = { status: 414, headers: {}, body: "" };
const TOO_LARGE: FormAnswer = { status: 413, headers: {}, body: "" };

function send(
  response: ServerResponse,
  { status, headers, body }: FormAnswer,
  method: string,
): void {
  const octets = new TextEncoder().encode(body);
  response.writeHead(status, { ...ALWAYS, ...headers, "Content-Length": octets.length });
  response.end(method === "HEAD" ? undefined : octets);
}

/** Undefined where there is too much of it. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LONGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(
    new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()),
  );
}
