/** The loader `acme`: a certificate that a CA issues and that is renewed in time. @see RFC 8555 */

import { createPrivateKey, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { replaceFileSync } from "../durable_file.ts";
import { AcmeClient, AcmeProblem } from "./acme_client.ts";
import type { Responder } from "./acme_challenge.ts";
import { orderCertificate } from "./acme_order.ts";
import { type CertificateOptions, type Certificates, CertificateSet } from "./certificate_set.ts";
import { fileVersion } from "./files.ts";
import type { ExternalAccount } from "./jws.ts";
import { canonicalName, type Pair, pairOf, readPair, reasonOf } from "./pair.ts";
import { keyText, type KeyType, makeKey, makeSelfSigned } from "./x509.ts";

export interface AcmeSettings {
  /** DNS names; the first one names the file. */
  readonly names: readonly string[];
  readonly email?: string;
  /** URL of the CA's directory. */
  readonly directory: string;
  /** PEM of the roots that the CA's own certificate may have; absent: those of the web. */
  readonly caRoots?: readonly string[];
  readonly external?: ExternalAccount;
  readonly responder: Responder;
  readonly keyType: KeyType;
  /** Folder for the account's key and the certificates. */
  readonly storePath: string;
}

export interface AcmeOptions extends CertificateOptions {
  /** Resolves after so many milliseconds, or rejects once `signal` is aborted. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to 1. */
  readonly random?: () => number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Five failures in an hour are what big CAs allow for a name. */
const FIRST_PAUSE = 5 * MINUTE;
const LONGEST_PAUSE = DAY;

/**
 * Serves the certificate that was kept, or a self-signed one until there is one, and has it issued
 * and renewed meanwhile: after two thirds of its life, and again and again, ever more seldom, while
 * that fails.
 *
 * @throws {Error} when the folder cannot be written to
 */
export function acmeCertificate(settings: AcmeSettings, options: AcmeOptions): Certificates {
  const dir = `${settings.storePath}/${folderOf(settings.directory)}`;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = `${dir}/${settings.names[0]}.pem`;
  const set = new CertificateSet(kept(path, settings, options), options);
  const renewal = new Renewal(settings, options, { dir, path, set });
  return {
    get current() {
      return set.current;
    },
    refresh: () => set.refresh(),
    watch: (listener) => set.watch(listener),
    async close() {
      await renewal.close();
      await set.close();
    },
  };
}

/** CAs have each a folder of their own, so that a trial with a test CA leaves nothing behind. */
function folderOf(directory: string): string {
  const { host, pathname } = new URL(directory);
  return `${host}${pathname}`.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^\.+/, "");
}

function kept(path: string, settings: AcmeSettings, { log, clock = Date.now }: CertificateOptions) {
  let loaded = false;
  return {
    version: () => String(fileVersion(path)),
    load(): readonly Pair[] {
      const first = !loaded;
      loaded = true;
      try {
        return [readPair({ cert: path, key: path })];
      } catch (error) {
        if (!first) throw error;
        if (existsSync(path)) {
          log.error("certificate not loaded", { error: reasonOf(error) });
        }
        log.warn("serving a self-signed certificate until the CA has issued one", { path });
        return [temporary(settings.names, clock())];
      }
    },
  };
}

function temporary(names: readonly string[], now: number): Pair {
  const { cert, key } = makeSelfSigned({
    names,
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + 365 * DAY),
  });
  const path = "a temporary certificate";
  return pairOf(cert, key, { cert: path, key: path });
}

/** What {@link Renewal} works on. */
interface Kept {
  readonly dir: string;
  /** The file with the chain and the key. */
  readonly path: string;
  readonly set: CertificateSet;
}

class Renewal {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #now: () => number;
  readonly #random: () => number;
  /** When to renew what is kept: a point for each certificate, so that it does not move. */
  #due: { readonly pair: Pair; readonly at: number } | undefined;
  #renewedAt = -Infinity;

  constructor(
    readonly settings: AcmeSettings,
    readonly options: AcmeOptions,
    readonly kept: Kept,
  ) {
    this.#now = options.clock ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const left = this.#dueAt() - this.#now();
      // In short steps: the clock may be set, and the file replaced.
      if (left > 0) await this.#wait(Math.min(left, HOUR)).catch(() => {});
      else if (await this.#renewed(failures)) failures = 0;
      else failures++;
    }
  }

  /** Tries once; after a failure it waits before it returns false. */
  async #renewed(failures: number): Promise<boolean> {
    const { log } = this.options;
    try {
      await this.#renew();
      this.#renewedAt = this.#now();
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      const pause = this.#pauseAfter(failures, error);
      log.error("certificate not issued", {
        names: this.settings.names.join(),
        error: reasonOf(error),
        next: new Date(this.#now() + pause).toISOString(),
      });
      await this.#wait(pause).catch(() => {});
      return false;
    }
  }

  #pauseAfter(failures: number, error: unknown): number {
    const doubled = Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE);
    // Up to a quarter more, so that servers that failed together do not come back together.
    const pause = doubled * (1 + this.#random() / 4);
    const asked = error instanceof AcmeProblem ? error.retryAfter ?? 0 : 0;
    return Math.max(pause, Math.min(asked, LONGEST_PAUSE));
  }

  /** Two thirds of its life after its begin, and up to a thirtieth later. */
  #dueAt(): number {
    const [pair] = this.kept.set.current;
    const names = this.settings.names.map(canonicalName);
    const kept = pair.path === this.kept.path && names.every((name) => pair.names.includes(name));
    // A CA whose certificates are due when they come must not be asked without end.
    if (!kept) return this.#renewedAt + HOUR;
    if (this.#due?.pair !== pair) {
      const life = pair.notAfter - pair.notBefore;
      const at = pair.notBefore + life * (2 / 3 + this.#random() / 30);
      this.#due = { pair, at };
    }
    return Math.max(this.#due.at, this.#renewedAt + HOUR);
  }

  async #renew(): Promise<void> {
    const { settings, kept } = this;
    const { signal } = this.#stop;
    const accountKey = accountKeyIn(kept.dir);
    const client = new AcmeClient({ ...settings, accountKey, signal });
    try {
      await client.register(settings.email, settings.external);
      const key = makeKey(settings.keyType);
      const chain = await orderCertificate(client, {
        names: settings.names,
        accountKey,
        key,
        responder: settings.responder,
        wait: (milliseconds) => this.#wait(milliseconds),
      });
      this.#keep(chain, keyText(key));
    } finally {
      client.close();
    }
  }

  /** @throws {Error} when it is not what was ordered; what is kept stays then */
  #keep(chain: string, key: string): void {
    const { settings, kept, options } = this;
    const pair = pairOf(chain, key, { cert: "the CA's answer", key: "the key" });
    const missing = settings.names.filter((name) => !pair.names.includes(canonicalName(name)));
    if (missing.length > 0) throw new Error(`The CA's certificate is not for ${missing.join()}`);
    replaceFileSync(kept.path, pair.cert + pair.key, 0o600);
    kept.set.refreshNow();
    options.log.info("certificate issued", {
      names: pair.names.join(),
      end: new Date(pair.notAfter).toISOString(),
      path: kept.path,
    });
  }

  async #wait(milliseconds: number): Promise<void> {
    const { signal } = this.#stop;
    if (this.options.wait !== undefined) return await this.options.wait(milliseconds, signal);
    await setTimeout(milliseconds, undefined, { signal, ref: false });
  }
}

/** The account is its key: who loses it gets a new one, without harm. */
function accountKeyIn(dir: string): KeyObject {
  const path = `${dir}/account.key.pem`;
  if (existsSync(path)) return createPrivateKey(readFileSync(path));
  const key = makeKey("ecdsa");
  replaceFileSync(path, keyText(key), 0o600);
  return key;
}
