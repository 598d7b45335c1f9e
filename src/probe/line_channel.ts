/** The client's side of a protocol of lines, over TCP, a unix socket or TLS. */

import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** How a server is reached. */
export type Route =
  | { readonly kind: "inet"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Milliseconds for each answer. */
const PATIENCE = 15_000;
const LONGEST_LINE = 65_536;

/** The other end did not answer as it should. */
export class ChannelError extends Error {
  override name = "ChannelError";
}

/** A connection; what is read is cut into lines of Latin-1. */
export class LineChannel {
  #socket: Socket;
  #text = "";
  #ended: Error | undefined;
  #wake = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** @throws {Error} when nobody takes the connection */
  static async open(route: Route): Promise<LineChannel> {
    const options = route.kind === "unix" ? { path: route.path } : route;
    const socket = connect({ ...options });
    await settled(socket, "connect");
    return new LineChannel(socket);
  }

  /**
   * Connects with TLS from the first byte; see {@link secure}.
   *
   * @throws {Error} when nobody takes the connection, or the handshake fails
   */
  static async openSecure(
    { host, port }: Extract<Route, { kind: "inet" }>,
    serverName: string,
    authorities: readonly string[],
  ): Promise<{ readonly channel: LineChannel; readonly socket: TLSSocket }> {
    const socket = connectTls({ host, port, ...tlsOptions(serverName, authorities) });
    await settled(socket, "secureConnect");
    return { channel: new LineChannel(socket), socket };
  }

  /**
   * Goes on over TLS. Whatever certificate is shown is taken: the caller looks at it.
   *
   * @param authorities PEM of those that may vouch for it, beside the well-known ones
   * @throws {Error} when the handshake fails
   */
  async secure(serverName: string, authorities: readonly string[]): Promise<TLSSocket> {
    if (this.#text !== "") throw new ChannelError("the server spoke before TLS");
    const plain = this.#socket;
    plain.removeAllListeners("data");
    plain.removeAllListeners("close");
    const socket = connectTls({ socket: plain, ...tlsOptions(serverName, authorities) });
    await settled(socket, "secureConnect");
    this.#socket = socket;
    this.#listen(socket);
    return socket;
  }

  write(line: string): void {
    this.#socket.write(`${line}\r\n`, "latin1");
  }

  /** The next line without its end. @throws {ChannelError} when none comes */
  async line(): Promise<string> {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const at = this.#text.indexOf("\n");
      if (at >= 0) {
        const line = this.#text.slice(0, at).replace(/\r$/, "");
        this.#text = this.#text.slice(at + 1);
        return line;
      }
      if (this.#text.length > LONGEST_LINE) throw new ChannelError("the line has no end");
      if (this.#ended !== undefined) throw this.#ended;
      if (Date.now() >= end) throw new ChannelError("no answer came");
      await this.#more(end - Date.now());
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #more(patience: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patience);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #listen(socket: Socket): void {
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    const end = (error: Error) => {
      this.#ended ??= error;
      this.#wake();
    };
    socket.on("error", end);
    socket.on("close", () => end(new ChannelError("the server closed the connection")));
  }
}

function tlsOptions(serverName: string, authorities: readonly string[]) {
  return {
    servername: serverName,
    rejectUnauthorized: false,
    ...authorities.length === 0 ? {} : { ca: [...authorities] },
  };
}

function settled(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => failed(new ChannelError("no answer came")), PATIENCE);
    const closed = () => failed(new ChannelError("the server closed the connection"));
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off("close", closed);
      socket.off("error", failed);
      // Stays: an error without a listener would end the process.
      socket.on("error", () => {});
      resolve();
    });
    socket.on("error", failed);
    socket.on("close", closed);
  });
}
