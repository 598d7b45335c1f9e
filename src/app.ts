/** Builds the server from a config; only this and `app/` name concrete drivers and modules. */

import { accountFault, openStorage } from "./app/storage.ts";
import { Authenticators } from "./app/auth.ts";
import { readClientCertificates } from "./app/client_certificates.ts";
import { openTls } from "./app/tls.ts";
import type { Login } from "./auth/auth.ts";
import { EndpointLogin, SAME_NAMES } from "./auth/login.ts";
import type { Config, ImapConfig, TlsConfig } from "./config/load.ts";
import type { Log } from "./log.ts";
import type { Endpoint, ListenAddress, TlsContext } from "./net/endpoint.ts";
import { ImapServer } from "./net/server.ts";
import { askingClients } from "./net/tls_channel.ts";
import type { Store } from "./store/store.ts";
import { VERSION } from "./version.ts";

/** A running server. */
export interface App {
  /** Where it listens, with the real ports. */
  readonly listening: readonly ListenAddress[];
  /** Says BYE to all, lets commands finish for `graceMs`, and lets go of everything. */
  close(graceMs: number): Promise<void>;
}

/** @throws {Error} when the server cannot start; nothing is left running then */
export async function startApp(config: Config, log: Log): Promise<App> {
  const closers: ((graceMs: number) => Promise<void>)[] = [];
  const close = async (graceMs: number) => {
    for (const closer of closers.splice(0).reverse()) await closer(graceMs);
  };
  try {
    return { listening: await start(config, log, closers), close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

async function start(
  config: Config,
  log: Log,
  closers: ((graceMs: number) => Promise<void>)[],
): Promise<ListenAddress[]> {
  await makeStateDir(config.stateDir);
  const hostname = config.hostname ?? Deno.hostname();
  const build = new Build(config, hostname, log);
  closers.push(() => build.close());
  const servers: ImapServer[] = [];
  const nextId = countUp();
  for (const imap of config.imap) {
    const { login, store } = await build.modules(imap);
    const endpoint = build.endpoint(imap);
    const version = VERSION;
    servers.push(new ImapServer({ endpoint, login, store, log, hostname, version, nextId }));
  }
  // Before the modules close, which come first in the list.
  closers.push(async (graceMs) => {
    await Promise.all(servers.map((server) => server.close(graceMs)));
  });
  const listening: ListenAddress[] = [];
  for (const server of servers) listening.push(...await server.listen());
  return listening;
}

async function makeStateDir(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new Error(`state_dir: cannot make the folder ${path}: ${reason}`, { cause: error });
  }
}

/** Short names that differ within the program. */
function countUp(): () => string {
  let count = 0;
  return () => (++count).toString(36);
}

/** Makes each module once, however many endpoints refer to it. */
class Build {
  readonly #auths: Authenticators;
  readonly #secret = crypto.getRandomValues(new Uint8Array(32));
  /** By path template: a Maildir can be open only once. */
  readonly #stores = new Map<string, Store>();
  readonly #tls = new Map<TlsConfig, TlsContext>();

  constructor(
    readonly config: Config,
    readonly hostname: string,
    readonly log: Log,
  ) {
    this.#auths = new Authenticators(log);
  }

  async modules(imap: ImapConfig): Promise<{ login: Login; store: Store }> {
    const store = once(this.#stores, imap.storage.path, () => openStorage(imap.storage, this.log));
    const login = new EndpointLogin({
      auth: await this.#auths.open(imap.auth),
      names: SAME_NAMES,
      accountFault: (name) => accountFault(imap.storage, name),
      secret: this.#secret,
      log: this.log,
    });
    return { login, store };
  }

  endpoint(imap: ImapConfig): Endpoint {
    const { listen, insecureAuth, saslLogin, channelBinding, ioDebug, ioErrors, limits, tls } =
      imap;
    const certificates = tls &&
      once(this.#tls, tls, () => openTls(tls, this.config.stateDir, this.hostname, this.log));
    const clientCertificates = imap.clientCerts && readClientCertificates(imap.clientCerts);
    return {
      listen,
      insecureAuth,
      saslLogin,
      channelBinding,
      ioDebug,
      ioErrors,
      limits,
      clientCertificates,
      tls: certificates && clientCertificates
        ? askingClients(certificates, clientCertificates)
        : certificates,
    };
  }

  async close(): Promise<void> {
    await this.#auths.close();
    for (const store of this.#stores.values()) await store.close();
  }
}

function once<K, V>(made: Map<K, V>, key: K, make: () => V): V {
  const found = made.get(key);
  if (found !== undefined) return found;
  const value = make();
  made.set(key, value);
  return value;
}
