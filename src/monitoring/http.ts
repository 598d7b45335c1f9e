/**
 * As much of HTTP/1.1 as the status page and the forms of autoconfig need, over sockets that the server's own listeners
 * accept. Each connection carries one request.
 *
 * @see RFC 9112
 */

import type { Socket } from "node:net";
import { Buffer } from "node:buffer";
import { canonicalAddress, customerNetwork, UNIX_PEER } from "../net/ip_address.ts";

/** Octets of a request with its body. */
const LONGEST = 16 * 1024;
/** Milliseconds for a request to come, and for its answer to be taken. */
const PATIENCE = 10_000;
/** Connections at once; a page needs one at a time. Above it the oldest of who has most has to go. */
const MOST = 64;

export interface HttpRequest {
  readonly method: string;
  /** Begins with a slash, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** An IP address, or "unix". */
  readonly remote: string;
  /** With the port, as `192.0.2.9:1234` or `[2001:db8::9]:1234`. */
  readonly source: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse> | HttpResponse;

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  303: "See Other",
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  421: "Misdirected Request",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Something else than a request that is understood. */
class BadRequest extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
    this.name = "BadRequest";
  }
}

/** Answers requests by a handler. */
export class HttpServer {
  readonly #handler: HttpHandler;
  readonly #failed: (error: unknown) => void;
  /** Where each connection comes from; the oldest first. */
  readonly #remotes = new Map<Socket, string>();

  /** @param failed is told of errors of the handler, which clients see as 500 */
  constructor(handler: HttpHandler, failed: (error: unknown) => void) {
    this.#handler = handler;
    this.#failed = failed;
  }

  accept(socket: Socket, { unix }: { readonly unix: boolean }): void {
    socket.on("error", () => {});
    const remote = unix ? UNIX_PEER : addressOf(socket);
    if (this.#remotes.size >= MOST) this.#makeRoom();
    this.#remotes.set(socket, remote);
    const timer = setTimeout(() => socket.destroy(), PATIENCE);
    socket.on("close", () => {
      this.#remotes.delete(socket);
      clearTimeout(timer);
    });
    const source = sourceOf(remote, socket);
    let received = Buffer.alloc(0);
    const onData = (bytes: Uint8Array) => {
      received = Buffer.concat([received, bytes]);
      try {
        const request = readRequest(received, remote, source);
        if (request === undefined) return;
        socket.off("data", onData);
        void this.#answer(socket, request);
      } catch (error) {
        if (!(error instanceof BadRequest)) throw error;
        socket.off("data", onData);
        send(socket, { status: error.status, body: `${error.message}\n` }, false);
      }
    };
    socket.on("data", onData);
  }

  close(): void {
    for (const socket of this.#remotes.keys()) socket.destroy();
  }

  /** Whoever opens many and asks nothing must not keep others from being answered. */
  #makeRoom(): void {
    const counts = new Map<string, number>();
    for (const remote of this.#remotes.values()) {
      const network = customerNetwork(remote);
      counts.set(network, (counts.get(network) ?? 0) + 1);
    }
    const most = Math.max(...counts.values());
    for (const [socket, remote] of this.#remotes) {
      if (counts.get(customerNetwork(remote)) !== most) continue;
      this.#remotes.delete(socket);
      socket.destroy();
      return;
    }
  }

  async #answer(socket: Socket, request: HttpRequest): Promise<void> {
    let response: HttpResponse;
    try {
      response = await this.#handler(request);
    } catch (error) {
      this.#failed(error);
      response = { status: 500, body: "Internal error, reported in the log\n" };
    }
    send(socket, response, request.method === "HEAD");
  }
}

function addressOf({ remoteAddress = "" }: Socket): string {
  return canonicalAddress(remoteAddress) ?? remoteAddress;
}

function sourceOf(remote: string, { remotePort }: Socket): string {
  if (remote === UNIX_PEER) return remote;
  return `${remote.includes(":") ? `[${remote}]` : remote}:${remotePort}`;
}

/** @returns undefined while more has to come @throws {BadRequest} */
function readRequest(bytes: Buffer, remote: string, source: string): HttpRequest | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) {
    if (bytes.length > LONGEST) throw new BadRequest(413, "Expected a shorter request");
    return undefined;
  }
  const [line, ...fields] = bytes.toString("latin1", 0, end).split("\r\n");
  const [, method, target] = /^([A-Z]{1,10}) (\/[!-~]*) HTTP\/1\.[01]$/.exec(line) ?? [];
  if (target === undefined) throw new BadRequest(400, "Expected a request of HTTP/1.1");
  const headers = new Map(fields.map(fieldOf));
  const length = headers.get("content-length") ?? "0";
  if (headers.has("transfer-encoding") || !/^\d{1,9}$/.test(length)) {
    throw new BadRequest(400, "Expected a body of a known length");
  }
  const start = end + 4;
  if (start + Number(length) > LONGEST) throw new BadRequest(413, "Expected a shorter request");
  if (bytes.length < start + Number(length)) return undefined;
  const [path, query = ""] = target.split(/\?(.*)/s);
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers,
    body: bytes.toString("utf8", start, start + Number(length)),
    remote,
    source,
  };
}

function fieldOf(line: string): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
  if (name === undefined) throw new BadRequest(400, "Expected a field of a header");
  return [name.toLowerCase(), value];
}

function send(socket: Socket, { status, headers, body }: HttpResponse, headOnly: boolean): void {
  const bytes = Buffer.from(body);
  const all = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    ...headers,
    "Content-Length": String(bytes.length),
    "Connection": "close",
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const start = Buffer.from(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${head}\r\n`, "latin1");
  socket.end(headOnly ? start : Buffer.concat([start, bytes]));
}
