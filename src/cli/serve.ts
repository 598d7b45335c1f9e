/** `imapd --config FILE`: serves until it is told to stop. */

import { type App, startApp } from "../app.ts";
import { loadCheckedConfig } from "../app/checked_config.ts";
import type { Config } from "../config/load.ts";
import { createLog, type OpenLog } from "../log.ts";
import { VERSION } from "../version.ts";
import { type Arguments, EXIT, requiredOption } from "./command.ts";

/** How long commands may still run after a signal, in ms. */
const GRACE = 10_000;

/** Loads the config, starts the server, and waits for a signal. */
export async function serve(args: Arguments): Promise<number> {
  return await serveConfig(await loadCheckedConfig(requiredOption(args, "config")));
}

/**
 * Serves until SIGTERM or SIGINT.
 *
 * @param started called once all ports are open
 * @param failed called with the reason, which is in the log already, when the server cannot start
 */
export async function serveConfig(
  config: Config,
  started: (app: App) => void = () => {},
  failed: (reason: unknown) => void = () => {},
): Promise<number> {
  const log = createLog(config.log, config.debug);
  const signal = waitForSignal();
  logUnhandled(log);
  for (const warning of config.warnings) log.warn(warning);
  let app: App;
  try {
    app = await startApp(config, log);
  } catch (error) {
    log.error("cannot start", { error: reasonOf(error) });
    if (config.debug && error instanceof Error) log.debug("stack", { stack: error.stack });
    await log.close();
    failed(error);
    return EXIT.failure;
  }
  log.info("server started", { version: VERSION });
  started(app);
  log.info("stopping", { signal: await signal });
  await app.close(GRACE);
  log.info("stopped");
  await log.close();
  return EXIT.ok;
}

/** The first signal is returned, the second ends the program at once. */
function waitForSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let asked = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (asked) Deno.exit(EXIT.failure);
      asked = true;
      resolve(signal);
    });
  }
  return promise;
}

/** A bug in one connection must not end all others. */
function logUnhandled(log: OpenLog): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    const { reason } = event;
    log.error("unhandled error", {
      error: String(reason),
      stack: reason instanceof Error ? reason.stack : undefined,
    });
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
