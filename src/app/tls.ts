/** Makes TLS contexts from their configs. */

import type { TlsConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import type { TlsContext } from "../net/endpoint.ts";
import type { Certificates } from "../tls/certificate_set.ts";
import { tlsContext } from "../tls/context.ts";
import { fileCertificates } from "../tls/files.ts";
import { selfSignedCertificate } from "../tls/self_signed.ts";

/** @param stateDir where certificates are kept that the server makes itself */
export function openTls(
  config: TlsConfig,
  stateDir: string,
  hostname: string,
  log: Log,
): TlsContext {
  return tlsContext(certificates(config, stateDir, hostname, log), config);
}

function certificates(
  config: TlsConfig,
  stateDir: string,
  hostname: string,
  log: Log,
): Certificates {
  if (config.loader === "file") {
    const files = config.certs.map((cert, i) => ({ cert, key: config.keys[i] }));
    return fileCertificates(files, { log });
  }
  const names = [...new Set([hostname, "localhost", "127.0.0.1", "::1"])];
  return selfSignedCertificate(`${stateDir}/tls`, names, { log });
}
