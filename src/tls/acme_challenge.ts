/** Answers the questions by which a CA finds out whether a name is ours. */

import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { answerHello, type Shown } from "./alpn_handshake.ts";
import { readClientHello } from "./client_hello.ts";
import { makeSelfSigned } from "./x509.ts";

/** Where an answer is given; the port that CAs ask is fixed, but it may be forwarded. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** A question of a CA, and what answers it. */
export interface Question {
  /** The DNS name to prove. */
  readonly name: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

/** How a CA is answered. */
export interface Responder {
  readonly type: "http-01" | "tls-alpn-01";
  /**
   * Answers until the returned function is called.
   *
   * @throws {Error} when the address cannot be had
   */
  answer(question: Question): Promise<() => Promise<void>>;
}

/** Answers at `http://NAME/.well-known/acme-challenge/TOKEN`. @see RFC 8555 §8.3 */
export function httpResponder({ host, port }: HostAndPort): Responder {
  return {
    type: "http-01",
    answer({ token, keyAuthorization }) {
      const path = `/.well-known/acme-challenge/${token}`;
      const stop = new AbortController();
      const handler = (request: Request) =>
        new URL(request.url).pathname === path
          ? new Response(keyAuthorization, {
            headers: { "Content-Type": "application/octet-stream", "Connection": "close" },
          })
          : new Response(null, { status: 404, headers: { "Connection": "close" } });
      const options = { hostname: host, port, signal: stop.signal, onListen() {} };
      try {
        const server = Deno.serve(options, handler);
        return Promise.resolve(() => {
          stop.abort();
          return server.finished;
        });
      } catch (error) {
        return Promise.reject(unavailable("http_listen", { host, port }, error));
      }
    },
  };
}

const DAY = 86_400_000;

/** Answers by a certificate that only one protocol of TLS shows. @see RFC 8737 §3 */
export function alpnResponder({ host, port }: HostAndPort): Responder {
  return {
    type: "tls-alpn-01",
    answer({ name, keyAuthorization }) {
      const now = Date.now();
      const proof = makeSelfSigned({
        names: [name],
        notBefore: new Date(now - DAY),
        notAfter: new Date(now + DAY),
        acmeIdentifier: createHash("sha256").update(keyAuthorization).digest(),
      });
      const certificate = new X509Certificate(proof.cert).raw;
      const shown = { name, certificate, key: createPrivateKey(proof.key) };
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        shakeHands(socket, shown);
      });
      const close = () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          for (const socket of sockets) socket.destroy();
        });
      return new Promise((resolve, reject) => {
        server.once(
          "error",
          (error) => reject(unavailable("alpn_listen", { host, port }, error)),
        );
        server.listen({ host, port }, () => resolve(close));
      });
    },
  };
}

/** More than a ClientHello needs, also with keys that quantum computers do not find. */
const LONGEST_HELLO = 16_384;
const HANDSHAKE_TIMEOUT = 10_000;

/** The handshake is the answer; nothing is said after it. */
function shakeHands(socket: Socket, shown: Shown): void {
  let received: Uint8Array = new Uint8Array();
  let answered = false;
  socket.setTimeout(HANDSHAKE_TIMEOUT, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    // The client's half of the handshake is not looked at: it proves nothing to us.
    if (answered) return void socket.end();
    received = Uint8Array.from([...received, ...bytes]);
    if (received.length > LONGEST_HELLO) return void socket.destroy();
    try {
      const hello = readClientHello(received);
      if (hello === undefined) return;
      answered = true;
      socket.write(answerHello(hello, shown));
    } catch {
      socket.destroy();
    }
  });
}

function unavailable(setting: string, { host, port }: HostAndPort, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  const at = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return new Error(`Cannot listen on ${at}, which is ${setting}: ${reason}`, { cause: error });
}
