/** What one reading of the config makes; a reload replaces it as a whole. */

import type { Login } from "../auth/auth.ts";
import { EndpointLogin } from "../auth/login.ts";
import type { Config, ImapConfig } from "../config/load.ts";
import type { ImapMeter } from "../imap/meter.ts";
import type { Log } from "../log.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { Networks } from "../net/ip_address.ts";
import type { Wanted } from "../net/listeners.ts";
import { ImapServer } from "../net/server.ts";
import { VERSION } from "../version.ts";
import { Authenticators } from "./auth.ts";
import { openLoginNames } from "./login_names.ts";
import { refuseOldDeno } from "./old_deno.ts";
import { accountFault, type Stores } from "./storage.ts";
import { Tables } from "./tables.ts";
import type { TlsContexts } from "./tls.ts";

/** What outlives a reload. */
export interface Lasting {
  readonly hostname: string;
  readonly stores: Stores;
  readonly tls: TlsContexts;
  /** What the salts of unknown users are made from. */
  readonly secret: Uint8Array;
  readonly nextId: () => string;
  readonly meter: ImapMeter;
  readonly log: Log;
}

/** The servers of all endpoints, and the modules that they ask. */
export class Generation {
  readonly servers: ImapServer[] = [];
  readonly wanted: Wanted[] = [];
  readonly #log: Log;
  readonly #tables: Tables;
  readonly #auths: Authenticators;

  private constructor(readonly config: Config, private readonly lasting: Lasting) {
    this.#log = lasting.log.debugged(config.debug);
    this.#tables = new Tables(this.#log);
    this.#auths = new Authenticators(this.#tables, this.#log);
  }

  /** @throws {Error} when a module cannot be opened; nothing is left open then */
  static async make(config: Config, lasting: Lasting): Promise<Generation> {
    const made = new Generation(config, lasting);
    try {
      for (const imap of config.imap) await made.#add(imap);
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }

  /** Connections that were taken in by this config. */
  get connections(): number {
    return this.servers.reduce((sum, server) => sum + server.connections, 0);
  }

  /** Ends at once what its servers do, and lets go of what logging in needs. */
  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close(0)));
    await this.closeModules();
  }

  /** Lets go of what logging in needs; sessions that are logged in go on. */
  async closeModules(): Promise<void> {
    await this.#auths.close();
    await this.#tables.close();
  }

  async #add(imap: ImapConfig): Promise<void> {
    const { hostname, stores, nextId, meter } = this.lasting;
    const log = this.#log.debugged(imap.debug);
    const server = new ImapServer({
      endpoint: this.#endpoint(imap),
      login: await this.#login(imap),
      store: stores.open(imap.storage),
      log,
      hostname,
      version: VERSION,
      nextId,
      meter,
    });
    this.servers.push(server);
    this.wanted.push(...imap.listen.map((address) => ({ address, acceptor: server })));
  }

  async #login(imap: ImapConfig): Promise<Login> {
    return new EndpointLogin({
      auth: await this.#auths.open(imap.auth),
      names: await openLoginNames(imap, this.#tables),
      accountFault: (name) => accountFault(imap.storage, name),
      secret: this.lasting.secret,
      log: this.#log,
    });
  }

  #endpoint(imap: ImapConfig): Endpoint {
    const { insecureAuth, saslLogin, channelBinding, certificateName, ioDebug, ioErrors } = imap;
    const { limits, tls, proxyProtocol } = imap;
    const contexts = this.lasting.tls;
    refuseOldDeno(imap, this.#log);
    return {
      insecureAuth,
      saslLogin,
      channelBinding,
      certificateName,
      ioDebug,
      ioErrors,
      limits,
      tls: tls && contexts.context(tls),
      proxyProtocol: proxyProtocol && {
        trust: new Networks(proxyProtocol.trust),
        tlsOffloaded: proxyProtocol.tlsOffloaded,
        tls: proxyProtocol.tls && contexts.context(proxyProtocol.tls),
      },
    };
  }
}
