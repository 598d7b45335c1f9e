/** The caller's side of the control socket. */

import { connect, type Socket } from "node:net";
import { AdminError } from "../admin/operation.ts";
import type { Admin, OperationName, ParamsOf, ResultOf } from "../admin/operations.ts";
import { Channel, ControlFault, type Item, type Json } from "./channel.ts";
import type { ControlRequest } from "./server.ts";

/** Who asks, and whom. */
export type Identity = Pick<ControlRequest, "version" | "stateDir">;

/** Has operations run by a server. */
export class ControlClient implements Admin {
  readonly #path: string;
  readonly #identity: Identity;
  /** The connection that showed that a server is there; the first call uses it. */
  #ready: Socket | undefined;

  private constructor(path: string, identity: Identity, socket: Socket) {
    this.#path = path;
    this.#identity = identity;
    this.#ready = socket;
  }

  /**
   * Connects to the server that listens at `path`; undefined if there is none.
   *
   * @throws {AdminError} when there is one that may not be asked
   */
  static async open(
    path: string,
    identity: Identity,
  ): Promise<ControlClient | undefined> {
    try {
      return new ControlClient(path, identity, await connected(path));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTDIR") return undefined;
      const reason = code === "EACCES"
        ? "permission denied: run this as root or as the server's user"
        : String(error);
      throw new AdminError(`Cannot ask the server at ${path}: ${reason}`, "failure", {
        cause: error,
      });
    }
  }

  async *call<N extends OperationName>(
    name: N,
    params: ParamsOf<N>,
    input?: AsyncIterable<unknown>,
  ): AsyncGenerator<ResultOf<N>, void> {
    const socket = this.#ready ?? await connected(this.#path);
    this.#ready = undefined;
    const channel = new Channel(socket);
    let broken: unknown;
    try {
      await channel.send({ ...this.#identity, operation: name, params: params as Json });
      // Answers come while the input still goes out: else both sides could wait for each other.
      send(channel, input).catch((error) => {
        // The server may have answered without reading all of it.
        if (error instanceof ControlFault) return;
        broken = error;
        socket.destroy();
      });
      for await (const item of channel.items(failureOf)) yield item as ResultOf<N>;
    } catch (error) {
      throw broken ?? error;
    } finally {
      socket.destroy();
    }
  }

  close(): Promise<void> {
    this.#ready?.destroy();
    return Promise.resolve();
  }
}

async function send(channel: Channel, input?: AsyncIterable<unknown>): Promise<void> {
  for await (const item of input ?? []) await channel.send(item as Item);
  await channel.end();
}

function failureOf(failure: Json): Error {
  const { message, kind }: Record<string, unknown> = { ...Object(failure) };
  return new AdminError(String(message), kind === "usage" ? kind : "failure");
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // The server may end its side while the input still goes out: that must not close this one.
    const socket = connect({ path, allowHalfOpen: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
