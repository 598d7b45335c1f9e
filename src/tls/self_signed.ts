/** The loader `self_signed`: a certificate that nobody vouches for, kept and renewed. */

import { mkdirSync } from "node:fs";
import { replaceFileSync } from "../durable_file.ts";
import { type CertificateOptions, type Certificates, CertificateSet } from "./certificate_set.ts";
import { fileVersion } from "./files.ts";
import { canonicalName, type CertificateFiles, type Pair, readPair } from "./pair.ts";
import { makeSelfSigned } from "./x509.ts";

const DAY = 86_400_000;
const VALID = 397 * DAY;
const RENEW_BEFORE = 30 * DAY;

export interface SelfSignedSettings {
  /** Folder that it is kept in. */
  readonly dir: string;
  /** What its files are called before `.cert.pem` and `.key.pem`. */
  readonly file: string;
  /** Host names and IP addresses. */
  readonly names: readonly string[];
}

/**
 * A self-signed certificate, kept in `dir` and made anew 30 days before its end or when the names
 * change. Clients that have stored it keep trusting it in between.
 *
 * @throws {Error} when `dir` cannot be written to
 */
export function selfSignedCertificate(
  { dir, file, names }: SelfSignedSettings,
  options: CertificateOptions,
): Certificates {
  const files = { cert: `${dir}/${file}.cert.pem`, key: `${dir}/${file}.key.pem` };
  const now = options.clock ?? Date.now;
  const version = () => `${fileVersion(files.cert)},${fileVersion(files.key)}`;
  /** When to look closely again: then, or when the files have changed. */
  let known = { version: "", renewAt: 0 };
  return new CertificateSet({
    version() {
      if (known.version === version() && now() < known.renewAt) return known.version;
      let pair = usable(files, names, now());
      if (pair === undefined) {
        pair = write(dir, files, names, now());
        options.log.info("made a self-signed certificate", { path: files.cert });
      }
      known = { version: version(), renewAt: pair.notAfter - RENEW_BEFORE };
      return known.version;
    },
    load: () => [readPair(files)],
  }, options);
}

/** The pair that is there, if it need not be replaced. */
function usable(files: CertificateFiles, names: readonly string[], now: number): Pair | undefined {
  try {
    const pair = readPair(files);
    const others = new Set(names.map(canonicalName)).symmetricDifference(new Set(pair.names));
    return others.size === 0 && now < pair.notAfter - RENEW_BEFORE ? pair : undefined;
  } catch {
    return undefined;
  }
}

function write(dir: string, files: CertificateFiles, names: readonly string[], now: number): Pair {
  const { cert, key } = makeSelfSigned({
    names: names.map(canonicalName),
    // Clocks of clients may be somewhat behind.
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + VALID),
  });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  replaceFileSync(files.key, key, 0o600);
  replaceFileSync(files.cert, cert, 0o644);
  return readPair(files);
}
