/** A certificate with its chain and its key, looked at before they are used. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import type { KeyPair } from "./x509.ts";

/** A certificate with its chain, and its key: two PEM files, or one that has it all. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate with its chain and its key, which fit each other. */
export interface Pair extends KeyPair {
  /** DNS names and IP addresses that it is for, in lower case. */
  readonly names: readonly string[];
  /** Milliseconds since 1970, as `notAfter`. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Where it came from, for the log: a path. */
  readonly path: string;
}

/** Files that are no certificate and its key: `file`, the one to blame, is not what was `wanted`. */
export class PairFault extends Error {
  override name = "PairFault";

  constructor(
    readonly file: keyof CertificateFiles,
    readonly wanted: string,
    readonly got: string,
  ) {
    super(`Expected ${wanted}, got ${got}`);
  }
}

/** @throws {PairFault} when a file cannot be read, or the key does not belong to the certificate */
export function readPair(files: CertificateFiles): Pair {
  return pairOf(readText("cert", files.cert), readText("key", files.key), files);
}

/**
 * Certificates of authorities in a PEM file.
 *
 * @throws {PairFault} when it cannot be read or has none
 */
export function readAuthorities(path: string): readonly string[] {
  return certificatesIn(readText("cert", path), path).map(({ text }) => text);
}

/**
 * Checks what node:tls would take as it is, and fail at each handshake.
 *
 * @param files where the texts come from
 * @throws {PairFault}
 */
export function pairOf(certText: string, keyText: string, files: CertificateFiles): Pair {
  const chain = certificatesIn(certText, files.cert);
  const first = chain[0].certificate;
  const [key = ""] = keyText.match(PRIVATE_KEY) ?? [];
  const privateKey = parsed(() => createPrivateKey(key));
  if (privateKey === undefined) throw new PairFault("key", KEY_IN_PEM, files.key);
  if (!first.checkPrivateKey(privateKey)) {
    throw new PairFault("key", `the key of ${files.cert}`, `${files.key}, which is another one`);
  }
  return {
    cert: chain.map(({ text }) => `${text}\n`).join(""),
    key: `${key}\n`,
    names: namesOf(first),
    notBefore: Date.parse(first.validFrom),
    notAfter: Date.parse(first.validTo),
    path: files.cert,
  };
}

/** At least one. */
function certificatesIn(text: string, path: string) {
  const blocks = text.match(CERTIFICATE) ?? [];
  const found = parsed(() =>
    blocks.map((block) => ({ text: block, certificate: new X509Certificate(block) }))
  );
  if (found === undefined || found.length === 0) {
    throw new PairFault("cert", CERTIFICATE_IN_PEM, path);
  }
  return found;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;
const PRIVATE_KEY =
  /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[^]*?-----END (?:RSA |EC )?PRIVATE KEY-----/;

const CERTIFICATE_IN_PEM = "a certificate in PEM";
const KEY_IN_PEM = "an unencrypted private key in PEM";

function readText(file: keyof CertificateFiles, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(file, path, error);
  }
}

/** The fault of a file that cannot be read for the reason `error`. */
export function unreadable(
  file: keyof CertificateFiles,
  path: string,
  error: unknown,
): PairFault {
  const wanted = file === "cert" ? CERTIFICATE_IN_PEM : KEY_IN_PEM;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return new PairFault(file, wanted, `${path}, which does not exist`);
  return new PairFault(file, wanted, `${path}, which cannot be read: ${reasonOf(error)}`);
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

/** As in `DNS:a.example, IP Address:127.0.0.1`. */
function namesOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "").split(", ")
    .map((entry) => canonicalName(entry.slice(entry.indexOf(":") + 1)))
    .filter((name) => name !== "");
}

/** In lower case, and an IPv6 address in its shortest form. @see RFC 5952 §4 */
export function canonicalName(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name.toLowerCase();
}

/** The message of what was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
