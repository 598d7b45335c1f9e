/** Reads a config file and reports all its faults at once. */

import { dirname, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Address } from "./addresses.ts";
import { type Chosen, readBlock } from "./modules.ts";
import type { AuthModule } from "./schema/auth.ts";
import type { autoconfig as autoconfigSection } from "./schema/autoconfig.ts";
import type { capabilities, imap as imapSection, limits, proxyProtocol } from "./schema/imap.ts";
import type { LocalAddress } from "./local_addresses.ts";
import type { serverLimits } from "./schema/limits.ts";
import type { lmtp as lmtpSection, lmtpLimits } from "./schema/lmtp.ts";
import type { storageModules } from "./schema/storage.ts";
import type { OpenMetricsConfig } from "./schema/openmetrics.ts";
import type { NORMALIZATIONS } from "./schema/names.ts";
import type { TableConfig } from "./schema/tables.ts";
import { namespaces, top } from "./schema/top.ts";
import { defaultOf, type NamedBlock, type Reading, readSection, type Values } from "./setting.ts";
import { acmeFaults } from "./acme_faults.ts";
import type { TlsConfig } from "./tls_setting.ts";
import { type Position, readToml, TomlFault, type TomlTable, type TomlValue } from "./toml.ts";

export type AuthConfig = AuthModule;
export type StorageConfig = Chosen<"module", typeof storageModules>;
export type { OpenMetricsConfig, TableConfig };
export type NormalizationName = typeof NORMALIZATIONS[number];
export type LimitsConfig = Values<typeof limits>;
export type ServerLimitsConfig = Values<typeof serverLimits>;

/** Proxies in front of an endpoint; `tls` is absent where it is off. */
export interface ProxyProtocolConfig extends Omit<Values<typeof proxyProtocol>, "tls"> {
  readonly tls?: TlsConfig;
}

/** One `[[imap]]` block with its defaults worked out. */
export interface ImapConfig {
  readonly listen: readonly Address[];
  /** Absent: every peer is a client. */
  readonly proxyProtocol?: ProxyProtocolConfig;
  /** Absent: TLS is off. */
  readonly tls?: TlsConfig;
  readonly insecureAuth: boolean;
  readonly saslLogin: boolean;
  readonly channelBinding: boolean;
  readonly certificateName: "email" | "dns" | "cn";
  /** Names of accounts. */
  readonly admins: readonly string[];
  /** A URI. */
  readonly adminContact?: string;
  readonly debug: boolean;
  readonly ioDebug: boolean;
  readonly ioErrors: boolean;
  /** Tried in order. The same object for all that refer to the same named block; so is `storage`. */
  readonly auth: readonly AuthConfig[];
  /** Those of the same path have the same settings, so that they can share one store. */
  readonly storage: StorageConfig;
  readonly authMap: TableConfig;
  readonly authMapNormalize: NormalizationName;
  readonly storageMap: TableConfig;
  readonly storageMapNormalize: NormalizationName;
  readonly capabilities: Values<typeof capabilities>;
  readonly limits: LimitsConfig;
}

/** One `[[lmtp]]` block with its defaults worked out. */
export interface LmtpConfig {
  readonly listen: readonly LocalAddress[];
  /** The same object as that of an `[[imap]]` where both refer to the same block. */
  readonly storage: StorageConfig;
  readonly createAccounts: boolean;
  readonly debug: boolean;
  readonly ioDebug: boolean;
  readonly limits: Values<typeof lmtpLimits>;
}

/** The `[autoconfig]` table. */
export interface AutoconfigConfig extends Values<typeof autoconfigSection> {
  /** That of the top; absent: TLS is off. */
  readonly tls?: TlsConfig;
}

/** All settings, with absolute paths and module references resolved. */
export interface Config {
  /** Absent: the machine's own name. */
  readonly hostname?: string;
  readonly stateDir: string;
  /** The socket by which a running server is administrated, in `runtime_dir`. */
  readonly controlPath: string;
  readonly log: readonly string[];
  readonly logFormat: "text" | "logfmt" | "json";
  readonly debug: boolean;
  /** Absent: neither a status page nor metrics. */
  readonly openmetrics?: OpenMetricsConfig;
  /** Milliseconds. */
  readonly warmUp: number;
  /** Those of all endpoints together. */
  readonly limits: ServerLimitsConfig;
  readonly imap: readonly ImapConfig[];
  readonly lmtp: readonly LmtpConfig[];
  /** Absent: no forms are served. */
  readonly autoconfig?: AutoconfigConfig;
  /** Sentences about what is allowed but unwise. */
  readonly warnings: readonly string[];
}

/** The config cannot be used; `faults` has all reasons, each as `FILE:LINE:COLUMN: …`. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(faults.join("\n"));
    this.name = "ConfigError";
  }
}

/** @throws {ConfigError} when `file` cannot be read, or has faults */
export async function loadConfig(file: string): Promise<Config> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(file));
  } catch (error) {
    throw new ConfigError([`${file}: ${whyUnreadable(error)}`]);
  }
  return parseConfig(text, file);
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof TypeError) return "the file is not UTF-8 text";
  return `the file cannot be read: ${error instanceof Error ? error.message : error}`;
}

/**
 * Reads the text of a config.
 *
 * @param file where it came from: shown in faults, and relative paths start at its folder
 * @throws {ConfigError}
 */
export function parseConfig(text: string, file: string): Config {
  const loader = new Loader(file);
  const config = loader.load(text);
  if (config === undefined || loader.faults.length > 0) throw new ConfigError(loader.report());
  return config;
}

type Namespace = keyof typeof namespaces;
type EndpointValues = Values<typeof imapSection>;
type LmtpValues = Values<typeof lmtpSection>;
type TopValues = Values<typeof top>;

class Loader implements Reading {
  readonly faults: { at: Position; message: string }[] = [];
  readonly #blocks = new Map<string, Map<string, NamedBlock>>();
  readonly #used = new Set<NamedBlock>();
  readonly #warnings: string[] = [];
  stateDir = "";
  #runtimeDir = "";

  constructor(readonly file: string) {}

  fault(at: Position, message: string): void {
    this.faults.push({ at, message });
  }

  resolve(path: string): string {
    return resolve(dirname(this.file), path);
  }

  resolveRuntime(path: string): string {
    return resolve(this.#runtimeDir, path);
  }

  block(namespace: string, name: string): NamedBlock | undefined {
    const block = this.#blocks.get(namespace)?.get(name);
    if (block !== undefined) this.#used.add(block);
    return block;
  }

  blockNames(namespace: string): readonly string[] {
    return [...this.#blocks.get(namespace)?.keys() ?? []];
  }

  namespacesOf(name: string): readonly string[] {
    return [...this.#blocks].filter(([, blocks]) => blocks.has(name)).map(([each]) => each);
  }

  /** Faults in the order of the file, each once. */
  report(): string[] {
    const sorted = this.faults.toSorted((a, b) =>
      a.at.line - b.at.line || a.at.column - b.at.column
    );
    const lines = sorted.map(({ at, message }) => this.#locate(at, message));
    return [...new Set(lines)];
  }

  load(text: string): Config | undefined {
    let root: TomlTable;
    try {
      root = readToml(text.startsWith("\ufeff") ? text.slice(1) : text);
    } catch (error) {
      if (!(error instanceof TomlFault)) throw error;
      return void this.fault(error.at, error.message);
    }
    this.#collectBlocks(root);
    this.stateDir = this.#folder(root, "state_dir");
    this.#runtimeDir = this.#folder(root, "runtime_dir");
    const values = readSection(root, top, "", this, Object.keys(namespaces));
    this.#checkBlocks();
    const endpoints = tablesOf(root, "imap");
    const lmtpTables = tablesOf(root, "lmtp");
    this.#checkEndpoints(endpoints, root.entries.get("tls")?.value);
    const forms = root.entries.get("autoconfig")?.value;
    this.#checkAddresses([
      ...endpoints.map((table) => ({ key: "imap", table })),
      ...lmtpTables.map((table) => ({ key: "lmtp", table })),
      ...forms?.type === "table" ? [{ key: "autoconfig", table: forms }] : [],
    ]);
    this.#checkForms(root);
    if (values === undefined) return undefined;
    const { hostname, stateDir } = values;
    const imap = values.imap.map((endpoint) => endpointOf(endpoint, values));
    const lmtp = values.lmtp?.map((endpoint) => lmtpOf(endpoint, values)) ?? [];
    this.#checkStorages([
      ...imap.map(({ storage }, i) => ({ storage, key: "imap", table: endpoints[i] })),
      ...lmtp.map(({ storage }, i) => ({ storage, key: "lmtp", table: lmtpTables[i] })),
    ]);
    for (const { at, message } of acmeFaults(imap, hostname, endpoints, root)) {
      this.fault(at, message);
    }
    const controlPath = this.resolveRuntime("control.sock");
    const { log, logFormat, debug, openmetrics, warmUp, limits } = values;
    const autoconfig = values.autoconfig && { ...values.autoconfig, tls: whereOn(values.tls) };
    const warnings = this.#warnings;
    return {
      hostname,
      stateDir,
      controlPath,
      log,
      logFormat,
      debug,
      openmetrics,
      warmUp,
      limits,
      imap,
      lmtp,
      autoconfig,
      warnings,
    };
  }

  #locate(at: Position, message: string): string {
    return `${this.file}:${at.line}:${at.column}: ${message}`;
  }

  /** Other settings need it before the section that it belongs to has been read. */
  #folder(root: TomlTable, key: "state_dir" | "runtime_dir"): string {
    const value = root.entries.get(key)?.value;
    if (value?.type === "string") return this.resolve(value.value);
    const fallback = defaultOf(top[key]);
    return fallback?.type === "string" ? fallback.value : "";
  }

  #collectBlocks(root: TomlTable): void {
    for (const namespace of Object.keys(namespaces)) {
      const entry = root.entries.get(namespace);
      if (entry === undefined) continue;
      if (entry.value.type !== "table") {
        this.fault(entry.keyAt, `${namespace} must be blocks such as [${namespace}.NAME]`);
        continue;
      }
      const blocks = new Map<string, NamedBlock>();
      this.#blocks.set(namespace, blocks);
      for (const [name, { keyAt, value }] of entry.value.entries) {
        if (value.type === "table") blocks.set(name, { table: value, at: keyAt, state: "unread" });
        else this.fault(keyAt, `${namespace}.${name} must be a block such as [${namespace}.NAME]`);
      }
    }
  }

  /** A block that nothing refers to is most probably a slip. */
  #checkBlocks(): void {
    const blocks = [...this.#blocks].flatMap(([namespace, byName]) =>
      Array.from(byName, ([name, block]) => ({ namespace, name, block }))
    );
    // First all are read: what only an unused one refers to is no slip of its own.
    for (const { namespace, name, block } of blocks) {
      readBlock(block, namespace, name, namespaces[namespace as Namespace], this);
    }
    for (const { namespace, name, block } of blocks) {
      if (this.#used.has(block)) continue;
      this.fault(
        block.at,
        `[${namespace}.${name}] is not used: refer to it by "&${name}", or remove it`,
      );
    }
  }

  /** Looks at the file as written, so that these faults come together with all others. */
  #checkEndpoints(endpoints: readonly TomlTable[], topTls: TomlValue | undefined): void {
    for (const endpoint of endpoints) {
      const tls = endpoint.entries.get("tls")?.value ?? topTls;
      const insecure = endpoint.entries.get("insecure_auth")?.value;
      if (tls === undefined) {
        this.fault(
          endpoint.at,
          'imap.tls is missing: add a [tls] table with a loader, or tls = "off"',
        );
      } else if (isOff(tls)) {
        this.#checkWithoutTls(endpoint, insecure);
      } else if (insecure?.type === "boolean" && insecure.value) {
        this.#warn(
          insecure.at,
          "imap.insecure_auth is true although there is TLS: passwords may travel in the clear",
        );
      }
      const ioDebug = endpoint.entries.get("io_debug")?.value;
      if (ioDebug?.type === "boolean" && ioDebug.value) {
        this.#warn(
          ioDebug.at,
          "imap.io_debug is true: all that clients and server say, mail included, gets into the log",
        );
      }
    }
  }

  #checkAddresses(endpoints: readonly { key: string; table: TomlTable }[]): void {
    const taken = new Set<string>();
    for (const { key, table } of endpoints) {
      for (const address of listenOf(table)) {
        const name = address.value.replace(/^[\w+]+:/, "");
        if (taken.has(name) && !name.endsWith(":0")) {
          this.fault(address.at, `${key}.listen has an address twice: got ${address.source}`);
        }
        taken.add(name);
      }
    }
  }

  #checkForms(root: TomlTable): void {
    const forms = root.entries.get("autoconfig")?.value;
    const tls = root.entries.get("tls")?.value;
    if (forms?.type !== "table" || tls !== undefined && !isOff(tls)) return;
    for (const { value, source, at } of listenOf(forms)) {
      if (!/^(tls|fd\+tls):/.test(value)) continue;
      this.fault(at, `autoconfig.listen needs the top-level tls for ${source}: got none`);
    }
  }

  #checkStorages(
    storages: readonly { storage: StorageConfig; key: string; table: TomlTable }[],
  ): void {
    const byPath = new Map<string, StorageConfig>();
    for (const { storage, key, table } of storages) {
      const first = byPath.get(storage.path) ?? storage;
      byPath.set(storage.path, first);
      if (isDeepStrictEqual({ ...first, blockName: "" }, { ...storage, blockName: "" })) continue;
      this.fault(
        table.entries.get("storage")?.value.at ?? table.at,
        `${key}.storage must have the same settings as the other storage of its path: got others ` +
          `for ${storage.path}`,
      );
    }
  }

  #checkWithoutTls(endpoint: TomlTable, insecure: TomlValue | undefined): void {
    const addresses = listenOf(endpoint);
    const inClear = !maySecure(endpoint, addresses.map(({ value }) => value));
    if (insecure?.type === "boolean" && !insecure.value && inClear) {
      this.fault(
        insecure.at,
        "imap.insecure_auth must be true or left out where TLS is off: got false",
      );
    }
    for (const address of addresses) {
      const implicit = /^(tls|fd\+tls):/.exec(address.value);
      if (implicit === null) continue;
      this.fault(
        address.at,
        `imap.listen must not have ${implicit[1]}:// where TLS is off: got ${address.source}`,
      );
    }
    if (inClear) this.#warn(endpoint.at, "TLS is off: passwords and mail travel in the clear");
  }

  #warn(at: Position, message: string): void {
    this.#warnings.push(this.#locate(at, message));
  }
}

function endpointOf(values: EndpointValues, top: TopValues): ImapConfig {
  const { limits, storage, listen, proxyProtocol: proxy } = values;
  const tls = values.tls ?? top.tls ?? "off";
  const onlyUnix = listen.every(({ kind }) => kind === "unix");
  const inClear = tls === "off" && !onlyUnix && !proxy?.tlsOffloaded;
  return {
    ...values,
    tls: whereOn(tls),
    proxyProtocol: proxy && { ...proxy, tls: whereOn(proxy.tls) },
    insecureAuth: values.insecureAuth ?? inClear,
    debug: values.debug ?? top.debug,
    authMap: values.authMap ?? top.authMap,
    authMapNormalize: values.authMapNormalize ?? top.authMapNormalize,
    limits: { ...limits, append: Math.min(limits.append, storage.appendlimit ?? Infinity) },
  };
}

function lmtpOf(values: LmtpValues, top: TopValues): LmtpConfig {
  return {
    ...values,
    storage: values.storage ?? top.imap[0].storage,
    debug: values.debug ?? top.debug,
  };
}

/** The `[[key]]` tables as they are written. */
function tablesOf(root: TomlTable, key: string): TomlTable[] {
  const value = root.entries.get(key)?.value;
  return value?.type === "list" ? value.items.filter((item) => item.type === "table") : [];
}

function isOff(tls: TomlValue): boolean {
  return tls.type === "string" && tls.value === "off";
}

function whereOn(tls: TlsConfig | "off" | undefined): TlsConfig | undefined {
  return tls === "off" ? undefined : tls;
}

/** Whether connections may count as secure though the endpoint has no TLS. */
function maySecure(endpoint: TomlTable, addresses: readonly string[]): boolean {
  const proxy = endpoint.entries.get("proxy_protocol")?.value;
  const offloaded = proxy?.type === "table" && proxy.entries.get("tls_offloaded")?.value;
  if (offloaded && offloaded.type === "boolean" && offloaded.value) return true;
  return addresses.length > 0 && addresses.every((each) => each.startsWith("unix:"));
}

/** Addresses as they are written, also those that stand in a table. */
function listenOf(endpoint: TomlTable): { value: string; source: string; at: Position }[] {
  const listen = endpoint.entries.get("listen")?.value;
  if (listen?.type !== "list") return [];
  return listen.items
    .map((item) => item.type === "table" ? item.entries.get("address")?.value : item)
    .filter((item) => item?.type === "string");
}
