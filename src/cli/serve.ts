/** `imapd --config FILE`: serves until it is told to stop. */

import { type App, startApp } from "../app.ts";
import { loadCheckedConfig } from "../app/checked_config.ts";
import { filesNeeded, openFileLimit } from "../app/open_files.ts";
import { collectWhenQuiet } from "../app/quiet_collection.ts";
import { type Config, ConfigError } from "../config/load.ts";
import { createLog, type Log, type OpenLog } from "../log.ts";
import { openServiceManager, type ServiceManager } from "../service_manager.ts";
import { VERSION } from "../version.ts";
import { type Arguments, configFile, EXIT } from "./command.ts";

/** How long commands may still run after a signal, in ms. */
const GRACE = 10_000;

/** Loads the config, starts the server, and waits for a signal. */
export async function serve(args: Arguments): Promise<number> {
  const load = () => loadCheckedConfig(configFile(args));
  return await serveConfig(await load(), { load });
}

/** What else is to be known, or wants to know. */
export interface ServeOptions {
  /** Reads the config anew, for SIGHUP. */
  readonly load?: () => Promise<Config>;
  /** Called once all ports are open. */
  readonly started?: (app: App) => void;
  /** Called with the reason, which is in the log already, when the server cannot start. */
  readonly failed?: (reason: unknown) => void;
}

/** Serves until SIGTERM or SIGINT. SIGHUP reads the config anew, SIGUSR1 opens log files anew. */
export async function serveConfig(config: Config, options: ServeOptions = {}): Promise<number> {
  const log = createLog(config.log, config.debug, config.logFormat);
  const signal = waitForSignal();
  // From the start on: without a listener they would end the program.
  const asked = new Asked();
  logUnhandled(log);
  const manager = openServiceManager((name) => Deno.env.get(name), Deno.pid, log);
  warn(config, log);
  let app: App;
  try {
    app = await startApp(config, log);
  } catch (error) {
    log.error("cannot start", { error: reasonOf(error) });
    if (config.debug && error instanceof Error) log.debug("stack", { stack: error.stack });
    await manager.close();
    await log.close();
    options.failed?.(error);
    return EXIT.failure;
  }
  const running = new Running(app, config, log, manager);
  const { load } = options;
  asked.answer({
    reload: () => load && running.reload(load),
    reopen: () => running.reopen(),
  });
  log.info("server started", { version: VERSION });
  running.ready();
  options.started?.(app);
  const endCollecting = collectWhenQuiet(() => app.connections);
  try {
    return await running.until(signal);
  } finally {
    endCollecting();
  }
}

/** The server between its start and its end. */
class Running {
  readonly #app: App;
  readonly #manager: ServiceManager;
  #config: Config;
  #log: OpenLog;
  /** One reload after the other. */
  #reloading = Promise.resolve();

  constructor(
    app: App,
    config: Config,
    log: OpenLog,
    manager: ServiceManager,
  ) {
    this.#app = app;
    this.#config = config;
    this.#log = log;
    this.#manager = manager;
  }

  reopen(): void {
    this.#log.reopen();
  }

  reload(load: () => Promise<Config>): void {
    this.#reloading = this.#reloading.then(() => this.#reload(load));
  }

  ready(): void {
    const { length } = this.#app.listening;
    this.#manager.tell("READY", `Listening on ${length} address${length === 1 ? "" : "es"}`);
  }

  async until(signal: Promise<string>): Promise<number> {
    this.#log.info("stopping", { signal: await signal });
    this.#manager.tell("STOPPING", "Commands may end");
    await this.#reloading;
    await this.#app.close(GRACE);
    this.#log.info("stopped");
    await this.#manager.close();
    await this.#log.close();
    return EXIT.ok;
  }

  async #reload(load: () => Promise<Config>): Promise<void> {
    this.#manager.tell("RELOADING", "Reading the config anew");
    try {
      const config = await load();
      await this.#app.reload(config);
      await this.#useLog(config);
      this.#config = config;
      warn(config, this.#log);
      this.#log.info("config loaded anew");
    } catch (error) {
      const faults = error instanceof ConfigError ? error.faults : [reasonOf(error)];
      for (const fault of faults) this.#log.error(`config not loaded, the old one stays: ${fault}`);
    }
    this.ready();
  }

  /** A log that cannot be opened leaves the old one in use. */
  async #useLog({ log, debug, logFormat }: Config): Promise<void> {
    const old = this.#config;
    if (
      String(log) === String(old.log) && debug === old.debug && logFormat === old.logFormat
    ) return;
    try {
      const old = this.#log;
      this.#log = createLog(log, debug, logFormat);
      await old.close();
    } catch (error) {
      this.#log.error(`the log stays where it is: ${reasonOf(error)}`);
    }
  }
}

/** Tells of what is odd in a config that comes into force, and of what there may be too little of. */
function warn({ warnings, limits: { connections } }: Config, log: Log): void {
  for (const warning of warnings) log.warn(warning);
  const limit = openFileLimit();
  const needed = filesNeeded(connections);
  if (limit === undefined || limit >= needed) return;
  log.warn("too few open files are allowed: raise LimitNOFILE=, or lower limits.connections", {
    connections,
    limit,
    needed,
  });
}

/** SIGHUP and SIGUSR1, which may come before the server can follow. */
class Asked {
  #answers: { reload(): void; reopen(): void } | undefined;
  #reload = false;

  constructor() {
    Deno.addSignalListener("SIGHUP", () => {
      if (this.#answers) this.#answers.reload();
      else this.#reload = true;
    });
    // Files that are opened at the start need not be opened anew.
    Deno.addSignalListener("SIGUSR1", () => this.#answers?.reopen());
  }

  answer(answers: { reload(): void; reopen(): void }): void {
    this.#answers = answers;
    if (this.#reload) answers.reload();
  }
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
