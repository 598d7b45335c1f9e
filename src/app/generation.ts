/** What one reading of the config makes; a reload replaces it as a whole. */

import { AutoconfigServer } from "../autoconfig/server.ts";
import type { Login } from "../auth/auth.ts";
import { EndpointLogin } from "../auth/login.ts";
import type { LoginPenalties } from "../auth/penalties.ts";
import type { Config, ImapConfig, LmtpConfig } from "../config/load.ts";
import type { ServerAnnotations } from "../imap/server_annotations.ts";
import type { ImapMeter } from "../imap/meter.ts";
import { LmtpServer } from "../lmtp/server.ts";
import type { Log } from "../log.ts";
import type { ConnectionCounts } from "../net/connection_counts.ts";
import type { Endpoint } from "../net/endpoint.ts";
import { Networks } from "../net/ip_address.ts";
import type { Wanted } from "../net/listeners.ts";
import { ImapServer } from "../net/server.ts";
import { VERSION } from "../version.ts";
import { Authenticators } from "./auth.ts";
import { withheldBy } from "./capabilities.ts";
import { clientSettings } from "./client_settings.ts";
import { lmtpAddresses, openDelivery } from "./delivery.ts";
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
  readonly annotations: ServerAnnotations;
  readonly penalties: LoginPenalties;
  readonly counts: ConnectionCounts;
  readonly nextId: () => string;
  readonly meter: ImapMeter;
  readonly log: Log;
}

/** The servers of all endpoints, and the modules that they ask. */
export class Generation {
  readonly servers: ImapServer[] = [];
  readonly #forms: AutoconfigServer[] = [];
  readonly lmtpServers: LmtpServer[] = [];
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
      made.#addForms();
      for (const lmtp of config.lmtp) await made.#addLmtp(lmtp);
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }

  /** Connections that were taken in by this config. */
  get connections(): number {
    return this.#all.reduce((sum, server) => sum + server.connections, 0);
  }

  /** Another one takes new connections. MTAs must not go on with tables that will be closed. */
  retire(): void {
    for (const server of this.lmtpServers) server.retire();
  }

  /** Says good-bye to every client; what runs may finish within `graceMs` milliseconds. */
  async closeServers(graceMs: number): Promise<void> {
    await Promise.all(this.#all.map((server) => server.close(graceMs)));
  }

  /** Ends at once what its servers do, and lets go of what logging in needs. */
  async close(): Promise<void> {
    await this.closeServers(0);
    await this.closeModules();
  }

  /** Lets go of what logging in needs; sessions that are logged in go on. */
  async closeModules(): Promise<void> {
    await this.#auths.close();
    await this.#tables.close();
  }

  get #all(): readonly (ImapServer | LmtpServer | AutoconfigServer)[] {
    return [...this.servers, ...this.lmtpServers, ...this.#forms];
  }

  async #add(imap: ImapConfig): Promise<void> {
    const { hostname, stores, annotations, counts, nextId, meter } = this.lasting;
    const log = this.#log.debugged(imap.debug);
    const limits = imap.storage.quota?.map;
    // Stores ask it later: what is wrong with it is to be found now.
    if (limits !== undefined) await this.#tables.open(limits);
    const server = new ImapServer({
      endpoint: this.#endpoint(imap),
      login: await this.#login(imap),
      store: stores.open(imap.storage),
      log,
      counts,
      hostname,
      version: VERSION,
      annotations,
      nextId,
      meter,
    });
    this.servers.push(server);
    this.wanted.push(...imap.listen.map((address) => ({ address, acceptor: server })));
  }

  async #addLmtp(lmtp: LmtpConfig): Promise<void> {
    const { hostname, stores, nextId } = this.lasting;
    const log = this.#log.debugged(lmtp.debug);
    const { storage, limits, createAccounts, ioDebug } = lmtp;
    const { stateDir } = this.config;
    const context = { hostname, stateDir, tables: this.#tables, log };
    const delivery = await openDelivery(storage, stores.open(storage), context);
    const server = new LmtpServer({
      delivery: (ofConnection) => delivery.logging(ofConnection),
      limits,
      createAccounts,
      hostname,
      now: Date.now,
      log,
      ioDebug,
      nextId,
    });
    this.lmtpServers.push(server);
    this.wanted.push(...lmtpAddresses(lmtp).map((address) => ({ address, acceptor: server })));
  }

  #addForms(): void {
    const { config, lasting } = this;
    if (config.autoconfig === undefined) return;
    const { tls, listen } = config.autoconfig;
    const server = new AutoconfigServer({
      settings: clientSettings(config, lasting.hostname),
      tls: tls && lasting.tls.context(tls),
      log: this.#log,
    });
    this.#forms.push(server);
    const key = "autoconfig.listen";
    this.wanted.push(...listen.map((each) => ({ address: { ...each, key }, acceptor: server })));
  }

  async #login(imap: ImapConfig): Promise<Login> {
    return new EndpointLogin({
      auth: await this.#auths.open(imap.auth),
      names: await openLoginNames(imap, this.#tables),
      accountFault: (name) => accountFault(imap.storage, name),
      secret: this.lasting.secret,
      log: this.#log,
      penalties: this.lasting.penalties,
    });
  }

  #endpoint(imap: ImapConfig): Endpoint {
    const { insecureAuth, saslLogin, channelBinding, certificateName, ioDebug, ioErrors } = imap;
    const { admins, adminContact, limits, tls, proxyProtocol, capabilities } = imap;
    const contexts = this.lasting.tls;
    refuseOldDeno(imap, this.#log);
    return {
      insecureAuth,
      saslLogin,
      channelBinding,
      certificateName,
      admins,
      adminContact,
      appendLimits: imap.storage.appendlimits,
      ioDebug,
      ioErrors,
      limits,
      withheld: withheldBy(imap),
      clientQuirks: capabilities.clientQuirks,
      tls: tls && contexts.context(tls),
      proxyProtocol: proxyProtocol && {
        trust: new Networks(proxyProtocol.trust),
        tlsOffloaded: proxyProtocol.tlsOffloaded,
        tls: proxyProtocol.tls && contexts.context(proxyProtocol.tls),
      },
    };
  }
}
