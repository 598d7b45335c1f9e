/** Opens the control socket of the server, and the way to it for the command line. */

import { dirname } from "node:path";
import { LocalAdmin } from "../admin/local.ts";
import type { AdminContext } from "../admin/operation.ts";
import type { Admin } from "../admin/operations.ts";
import type { Config } from "../config/load.ts";
import { ControlClient } from "../control/client.ts";
import { ControlServer } from "../control/server.ts";
import type { Log } from "../log.ts";
import type { Libc } from "../net/libc.ts";
import { Listener } from "../net/listener.ts";
import { VERSION } from "../version.ts";
import { adminContext } from "./admin.ts";
import { Stores } from "./storage.ts";

/** Where a running server is asked for administration; see {@link Config.controlPath}. */
export interface OpenControl {
  close(): Promise<void>;
}

/**
 * Opens the control socket. Without one the server does its work as well, so what stands against it
 * is only logged.
 *
 * @param context that of the config in force
 */
export async function openControl(
  { controlPath, stateDir }: Config,
  context: () => AdminContext,
  log: Log,
  libc: Libc | undefined,
): Promise<OpenControl> {
  const nothing = { close: () => Promise.resolve() };
  const folder = await Deno.stat(dirname(controlPath)).catch(() => undefined);
  if (!folder?.isDirectory) {
    log.info("no control socket: there is no such runtime_dir", { path: dirname(controlPath) });
    return nothing;
  }
  const admin = () => new LocalAdmin(context(), () => Promise.resolve());
  const server = new ControlServer({ admin, version: VERSION, stateDir, log });
  const address = { kind: "unix", path: controlPath, mode: 0o600 } as const;
  try {
    const listener = await Listener.open(libc, address, server, log);
    return {
      async close() {
        await listener.close();
        await server.close();
      },
    };
  } catch (error) {
    log.warn("no control socket", {
      error: error instanceof Error ? error.message : String(error),
    });
    return nothing;
  }
}

/**
 * A way to administrate what `config` describes: through the server if one runs, else in this
 * process.
 *
 * @throws {AdminError} when a server runs that may not be asked
 */
export async function openAdmin(config: Config, log: Log): Promise<Admin> {
  const { controlPath, stateDir } = config;
  const client = await ControlClient.open(controlPath, { version: VERSION, stateDir });
  if (client !== undefined) return client;
  const stores = new Stores(log, dirname(controlPath));
  return new LocalAdmin(adminContext(config, stores, log), () => stores.close());
}
