/** The server's side of the control socket. */

import type { Socket } from "node:net";
import type { LocalAdmin } from "../admin/local.ts";
import { AdminError } from "../admin/operation.ts";
import { type OperationName, OPERATIONS, type ParamsOf } from "../admin/operations.ts";
import type { Log } from "../log.ts";
import { Channel, ControlFault, type Item, type Json } from "./channel.ts";

/** The first item of a call. */
export interface ControlRequest {
  /** Both sides must be of one version. */
  readonly version: string;
  /** The server's `state_dir` as whoever asks knows it: so nobody changes another server's mail. */
  readonly stateDir: string;
  readonly operation: string;
  readonly params: Json;
}

/** What {@link ControlServer} needs. */
export interface ControlServerOptions {
  /** Runs operations by the config in force. */
  readonly admin: () => LocalAdmin;
  readonly version: string;
  readonly stateDir: string;
  readonly log: Log;
}

/** Runs the operations that are asked for over the control socket. */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #running = new Map<Socket, Promise<void>>();

  constructor(options: ControlServerOptions) {
    this.#options = options;
  }

  /** Serves one call. */
  accept(socket: Socket): void {
    const serving = this.#serve(new Channel(socket)).finally(() => this.#running.delete(socket));
    this.#running.set(socket, serving);
  }

  /** Ends what runs; operations notice it when they next send or read. */
  async close(): Promise<void> {
    for (const socket of this.#running.keys()) socket.destroy();
    await Promise.all(this.#running.values());
  }

  async #serve(channel: Channel): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#answer(channel);
    } catch (error) {
      if (error instanceof ControlFault) log.debug("control call broken", { error: error.message });
      else await this.#failed(channel, error);
    } finally {
      await channel.close();
    }
  }

  async #answer(channel: Channel): Promise<void> {
    const { operation, params } = this.#checked(await channel.first());
    const input = channel.items(() => new ControlFault("The caller gave up"));
    // The caller is of this version, so what it sends fits the operation.
    const results = this.#options.admin().call(
      operation,
      params as ParamsOf<OperationName>,
      input,
      channel.gone,
    );
    for await (const result of results) await channel.send(result as unknown as Item);
    await channel.end();
  }

  #checked(item: Item): { operation: OperationName; params: Json } {
    const { version, stateDir, operation, params } = requestOf(item);
    if (version !== this.#options.version) {
      throw new AdminError(
        `The running server is of version ${this.#options.version}, this program of ${version}: ` +
          "restart the server",
      );
    }
    if (stateDir !== this.#options.stateDir) {
      throw new AdminError(
        `The running server has the state_dir ${this.#options.stateDir}, not ${stateDir}: ` +
          "choose its config by --config",
      );
    }
    if (!isOperation(operation)) throw new AdminError(`Unknown operation ${operation}`);
    return { operation, params };
  }

  async #failed(channel: Channel, error: unknown): Promise<void> {
    const { log } = this.#options;
    let failure = { message: error instanceof Error ? error.message : String(error), kind: "" };
    if (error instanceof AdminError) {
      failure = { message: error.message, kind: error.kind };
    } else {
      log.bug(error);
    }
    await channel.fail(failure).catch(() => {});
  }
}

function requestOf(item: Item): ControlRequest {
  const { version, stateDir, operation, params }: Record<string, unknown> = { ...Object(item) };
  if (
    typeof version !== "string" || typeof stateDir !== "string" || typeof operation !== "string"
  ) {
    throw new ControlFault("Expected a request on the control socket, got something else");
  }
  return { version, stateDir, operation, params: params as Json };
}

function isOperation(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}
