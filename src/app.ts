/** Builds the server from a config; only this and `app/` name concrete drivers and modules. */

import { accountFault, openStorage } from "./app/storage.ts";
import { Authenticators } from "./app/auth.ts";
import { refuseOldDeno } from "./app/old_deno.ts";
import { TlsContexts } from "./app/tls.ts";
import { warmUp } from "./app/warm_up.ts";
import { openLoginNames } from "./app/login_names.ts";
import { Tables } from "./app/tables.ts";
import type { Login } from "./auth/auth.ts";
import { EndpointLogin } from "./auth/login.ts";
import type { Config, ImapConfig } from "./config/load.ts";
import type { Log } from "./log.ts";
import type { Endpoint } from "./net/endpoint.ts";
import { readHandover } from "./net/inherited_sockets.ts";
import { Networks } from "./net/ip_address.ts";
import { Libc } from "./net/libc.ts";
import type { ListenAddress } from "./net/listen_address.ts";
import { Listeners, type Wanted } from "./net/listeners.ts";
import { ImapServer } from "./net/server.ts";
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
): Promise<readonly ListenAddress[]> {
  await makeStateDir(config.stateDir);
  const hostname = config.hostname ?? Deno.hostname();
  await warmUp(config.warmUp, config.stateDir, config.imap[0].limits, log);
  const build = new Build(config, hostname, log);
  closers.push(() => build.close());
  const servers: ImapServer[] = [];
  const wanted: Wanted[] = [];
  const nextId = countUp();
  for (const imap of config.imap) {
    const { login, store } = await build.modules(imap);
    const endpoint = build.endpoint(imap);
    const version = VERSION;
    const acceptor = new ImapServer({ endpoint, login, store, log, hostname, version, nextId });
    servers.push(acceptor);
    wanted.push(...imap.listen.map((address) => ({ address, acceptor })));
  }
  // Before the modules close, which come first in the list.
  closers.push(async (graceMs) => {
    await Promise.all(servers.map((server) => server.close(graceMs)));
  });
  const handover = readHandover((name) => Deno.env.get(name), Deno.pid);
  const listeners = new Listeners({ log, handover, libc: Libc.open() });
  closers.push(() => listeners.close());
  return await listeners.apply(wanted);
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
  readonly #tls: TlsContexts;
  readonly #tables: Tables;

  constructor(
    readonly config: Config,
    readonly hostname: string,
    readonly log: Log,
  ) {
    this.#tls = new TlsContexts(config.stateDir, hostname, log);
    this.#tables = new Tables(log);
    this.#auths = new Authenticators(this.#tables, log);
  }

  async modules(imap: ImapConfig): Promise<{ login: Login; store: Store }> {
    const store = once(this.#stores, imap.storage.path, () => openStorage(imap.storage, this.log));
    const login = new EndpointLogin({
      auth: await this.#auths.open(imap.auth),
      names: await openLoginNames(imap, this.#tables),
      accountFault: (name) => accountFault(imap.storage, name),
      secret: this.#secret,
      log: this.log,
    });
    return { login, store };
  }

  endpoint(imap: ImapConfig): Endpoint {
    const { insecureAuth, saslLogin, channelBinding, certificateName, ioDebug, ioErrors } = imap;
    const { limits, tls, proxyProtocol } = imap;
    refuseOldDeno(imap, this.log);
    return {
      insecureAuth,
      saslLogin,
      channelBinding,
      ioDebug,
      ioErrors,
      limits,
      certificateName,
      tls: tls && this.#tls.context(tls),
      proxyProtocol: proxyProtocol && {
        trust: new Networks(proxyProtocol.trust),
        tlsOffloaded: proxyProtocol.tlsOffloaded,
        tls: proxyProtocol.tls && this.#tls.context(proxyProtocol.tls),
      },
    };
  }

  async close(): Promise<void> {
    await this.#tls.close();
    await this.#auths.close();
    for (const store of this.#stores.values()) await store.close();
    await this.#tables.close();
  }
}

function once<K, V>(made: Map<K, V>, key: K, make: () => V): V {
  const found = made.get(key);
  if (found !== undefined) return found;
  const value = make();
  made.set(key, value);
  return value;
}
