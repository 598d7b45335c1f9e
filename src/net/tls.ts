/** Certificates: where they come from, which one answers, and when they are loaded again. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from "node:tls";
import { clearInterval, setInterval } from "node:timers";
import type { Log } from "../log.ts";
import type { TlsContext } from "./endpoint.ts";
import { makeSelfSigned } from "./self_signed.ts";

/** Lowest and highest version on offer. */
export interface ProtocolRange {
  readonly lowest: "tls1.2" | "tls1.3";
  readonly highest: "tls1.2" | "tls1.3";
}

export interface TlsOptions {
  readonly protocols: ProtocolRange;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** A certificate with its chain, and its key: two PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate in force needs to be found and served. */
interface Served {
  readonly names: readonly string[];
  readonly context: SecureContext;
  readonly settings: SecureContextOptions;
}

const CHECK_EVERY = 60_000;
const DAY = 86_400_000;
const VALID = 397 * DAY;
const RENEW_BEFORE = 30 * DAY;

/**
 * Serves certificates from files: the first pair by default, another one when the client asks for
 * a name that it is for. Changed files are loaded within a minute; if they are faulty, the log says
 * so and the old certificates stay.
 *
 * @throws {Error} when a file cannot be read, or a key does not belong to its certificate
 */
export function fileCertificates(
  files: readonly CertificateFiles[],
  options: TlsOptions,
): TlsContext {
  return new CertificateSet(options, {
    version: () => files.map(({ cert, key }) => versionOf(cert) + versionOf(key)).join(),
    load: () => files.map((pair) => loadPair(pair, options)),
  });
}

/**
 * Serves a self-signed certificate, kept in `dir` and made anew 30 days before its end or when the
 * names change. Clients that have stored it keep trusting it in between.
 *
 * @throws {Error} when `dir` cannot be written to
 */
export function selfSignedCertificate(
  dir: string,
  names: readonly string[],
  options: TlsOptions,
): TlsContext {
  const pair = { cert: `${dir}/self_signed.cert.pem`, key: `${dir}/self_signed.key.pem` };
  const now = options.clock ?? Date.now;
  return new CertificateSet(options, {
    version() {
      if (needsRenewal(pair, names, now())) {
        writeSelfSigned(pair, names, now());
        options.log.info("made a self-signed certificate", { path: pair.cert });
      }
      return versionOf(pair.cert);
    },
    load: () => [loadPair(pair, options)],
  });
}

interface CertificateSource {
  /** Differs when there is something new to load, and makes it if need be. */
  version(): string;
  load(): readonly Served[];
}

class CertificateSet implements TlsContext {
  readonly #source: CertificateSource;
  readonly #log: Log;
  readonly #clock: () => number;
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #served: readonly Served[];
  #version: string;
  #checkedAt: number;

  constructor(options: TlsOptions, source: CertificateSource) {
    this.#source = source;
    this.#log = options.log;
    this.#clock = options.clock ?? Date.now;
    this.#version = source.version();
    this.#served = source.load();
    this.#checkedAt = this.#clock();
  }

  context(serverName?: string): SecureContext {
    this.#refresh();
    return this.#chosen(serverName).context;
  }

  #chosen(serverName: string | undefined): Served {
    const name = serverName?.toLowerCase();
    const chosen = name === undefined ? undefined : (
      this.#served.find(({ names }) => names.includes(name)) ??
        this.#served.find(({ names }) => names.some((pattern) => fitsWildcard(pattern, name)))
    );
    return chosen ?? this.#served[0];
  }

  get choosesByName(): boolean {
    return this.#served.length > 1;
  }

  options(serverName?: string): SecureContextOptions {
    return this.#chosen(serverName).settings;
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.#refresh(), CHECK_EVERY).unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Small files and once a minute, so it need not be asynchronous: the next handshake has them. */
  #refresh(): void {
    if (Math.abs(this.#clock() - this.#checkedAt) < CHECK_EVERY) return;
    this.#checkedAt = this.#clock();
    try {
      const version = this.#source.version();
      if (version === this.#version) return;
      this.#served = this.#source.load();
      // Not taken as seen before it has loaded: certificate and key may be replaced one by one.
      this.#version = version;
      this.#log.info("certificates loaded again");
      for (const listener of this.#listeners) listener();
    } catch (error) {
      this.#log.error("certificates not loaded again, keeping the old ones", {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

/** A wildcard stands for exactly one label. @see RFC 9525 §6.3 */
function fitsWildcard(pattern: string, name: string): boolean {
  if (!pattern.startsWith("*.")) return false;
  const dot = name.indexOf(".");
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}

function versionOf(path: string): string {
  const { mtimeMs, ctimeMs, size, ino } = reading(path, () => statSync(path));
  return `${mtimeMs} ${ctimeMs} ${size} ${ino};`;
}

/** node:tls takes any text as certificate and key and fails at each handshake, so look first. */
function loadPair(files: CertificateFiles, options: TlsOptions): Served {
  const cert = readPem(files.cert);
  const key = readPem(files.key);
  const certificate = parse(files.cert, "a certificate", () => new X509Certificate(cert));
  const privateKey = parse(files.key, "an unencrypted private key", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`Expected ${files.key} to be the key of ${files.cert}, got another one`);
  }
  const now = (options.clock ?? Date.now)();
  if (Date.parse(certificate.validTo) < now) {
    options.log.warn("certificate has expired", { path: files.cert, end: certificate.validTo });
  }
  const { lowest, highest } = options.protocols;
  const settings = {
    cert,
    key,
    minVersion: versionName(lowest),
    maxVersion: versionName(highest),
  };
  return {
    names: namesOf(certificate),
    context: createSecureContext(settings),
    settings,
  };
}

function readPem(path: string): string {
  return reading(path, () => readFileSync(path, "utf8"));
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read ${path}: ${why}`, { cause: error });
  }
}

function parse<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`Expected ${what} in PEM in ${path}`, { cause: error });
  }
}

function versionName(version: "tls1.2" | "tls1.3"): SecureVersion {
  return version === "tls1.2" ? "TLSv1.2" : "TLSv1.3";
}

/** DNS names and addresses in lower case, as in `DNS:a.example, IP Address:127.0.0.1`. */
function namesOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "").split(", ")
    .map((entry) => entry.slice(entry.indexOf(":") + 1).toLowerCase())
    .filter((name) => name !== "");
}

function needsRenewal(files: CertificateFiles, names: readonly string[], now: number): boolean {
  try {
    const certificate = new X509Certificate(readFileSync(files.cert));
    if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(files.key)))) return true;
    const covered = namesOf(certificate);
    return Date.parse(certificate.validTo) - now < RENEW_BEFORE ||
      !names.every((name) => covered.includes(name.toLowerCase()));
  } catch {
    return true;
  }
}

function writeSelfSigned(files: CertificateFiles, names: readonly string[], now: number): void {
  const { cert, key } = makeSelfSigned({
    names,
    // Clocks of clients may be somewhat behind.
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + VALID),
  });
  mkdirSync(dirname(files.cert), { recursive: true, mode: 0o700 });
  replace(files.key, key, 0o600);
  replace(files.cert, cert, 0o644);
}

function replace(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}
