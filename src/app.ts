/** Builds the server from a config: the only file that names concrete drivers and modules. */

import { accountNameFault, accountPath, refuseUnfitNames } from "./auth/account_name.ts";
import type { Authenticator } from "./auth/auth.ts";
import { PassTable } from "./auth/pass_table.ts";
import type {
  AuthConfig,
  Config,
  ImapConfig,
  StorageConfig,
  TableConfig,
  TlsConfig,
} from "./config/load.ts";
import type { SPECIAL_USES } from "./config/schema.ts";
import type { Log } from "./log.ts";
import type { Endpoint, ListenAddress, TlsContext } from "./net/endpoint.ts";
import { ImapServer } from "./net/server.ts";
import { fileCertificates, selfSignedCertificate } from "./net/tls.ts";
import { MaildirStore } from "./store/maildir/store.ts";
import { type SpecialUse, type Store, StoreError } from "./store/store.ts";
import { FileTable } from "./tables/file_table.ts";
import type { MutableTable } from "./tables/table.ts";
import { VERSION } from "./version.ts";

const SPECIAL_USE: Readonly<Record<typeof SPECIAL_USES[number], SpecialUse>> = {
  all: "\\All",
  archive: "\\Archive",
  drafts: "\\Drafts",
  flagged: "\\Flagged",
  junk: "\\Junk",
  sent: "\\Sent",
  trash: "\\Trash",
};

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
    const { auth, store } = await build.modules(imap);
    const endpoint = build.endpoint(imap);
    const version = VERSION;
    servers.push(new ImapServer({ endpoint, auth, store, log, hostname, version, nextId }));
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
  readonly #auths = new Map<AuthConfig, Promise<Authenticator>>();
  /** By path template: a Maildir can be open only once. */
  readonly #stores = new Map<string, Store>();
  readonly #tls = new Map<TlsConfig, TlsContext>();

  constructor(
    readonly config: Config,
    readonly hostname: string,
    readonly log: Log,
  ) {}

  async modules(imap: ImapConfig): Promise<{ auth: Authenticator; store: Store }> {
    const auth = await once(this.#auths, imap.auth, () => openAuth(imap.auth, this.log));
    const store = once(this.#stores, imap.storage.path, () => openStorage(imap.storage, this.log));
    const fits = (name: string) => accountFault(imap.storage, name);
    return { auth: refuseUnfitNames(auth, fits, this.log), store };
  }

  endpoint(imap: ImapConfig): Endpoint {
    const { listen, insecureAuth, ioDebug, ioErrors, limits, tls } = imap;
    return {
      listen,
      insecureAuth,
      ioDebug,
      ioErrors,
      limits,
      tls: tls && once(this.#tls, tls, () => this.#openTls(tls)),
    };
  }

  #openTls(tls: TlsConfig): TlsContext {
    const options = { protocols: tls.protocols, log: this.log };
    if (tls.loader === "file") {
      const files = tls.certs.map((cert, i) => ({ cert, key: tls.keys[i] }));
      return fileCertificates(files, options);
    }
    const names = [...new Set([this.hostname, "localhost", "127.0.0.1", "::1"])];
    return selfSignedCertificate(`${this.config.stateDir}/tls`, names, options);
  }

  async close(): Promise<void> {
    for (const auth of this.#auths.values()) await (await auth.catch(() => undefined))?.close();
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

async function openAuth(config: AuthConfig, log: Log): Promise<Authenticator> {
  return new PassTable({ table: await openTable(config.table, log), log });
}

/** Opens a table that the command line may change, too. @throws {Error} when it cannot be read */
export function openTable(config: TableConfig, log: Log): Promise<MutableTable> {
  return FileTable.open({ path: config.path, log });
}

/** Opens where mail is kept; nothing is made before an account is asked for. */
export function openStorage(config: StorageConfig, log: Log): Store {
  return new MaildirStore({
    path(account: string) {
      try {
        return accountPath(config.path, account);
      } catch (error) {
        throw new StoreError("not-permitted", "No account can have this name", { cause: error });
      }
    },
    specialFolders: [...config.specialFolders].map(([name, use]) => ({
      name,
      use: SPECIAL_USE[use],
    })),
    memoryBudget: config.memoryBudget,
    log,
  });
}

function accountFault(config: StorageConfig, name: string): string | undefined {
  const needsDomain = config.path.includes("{domain}");
  return accountNameFault(name) ??
    (needsDomain && !name.includes("@") ? "has no domain" : undefined);
}
