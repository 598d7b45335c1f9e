/** Reads whose certificates clients may show. */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ClientCertsConfig } from "../config/load.ts";
import type { ClientCertificates } from "../net/endpoint.ts";

/** @throws {Error} when a file cannot be read, or has no certificate */
export function readClientCertificates({ ca, name }: ClientCertsConfig): ClientCertificates {
  return { ca: ca.map(readAuthority), name };
}

function readAuthority(path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    new X509Certificate(text);
    return text;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`imap.client_certs.ca: cannot use ${path}: ${why}`, { cause: error });
  }
}
