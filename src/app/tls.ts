/** Makes TLS contexts from their configs. */

import type { TlsConfig } from "../config/load.ts";
import type { Log } from "../log.ts";
import type { TlsContext } from "../net/endpoint.ts";
import { fileCertificates, selfSignedCertificate } from "../net/tls.ts";

/** @param stateDir where certificates are kept that the server makes itself */
export function openTls(
  config: TlsConfig,
  stateDir: string,
  hostname: string,
  log: Log,
): TlsContext {
  const options = { protocols: config.protocols, log };
  if (config.loader === "file") {
    const files = config.certs.map((cert, i) => ({ cert, key: config.keys[i] }));
    return fileCertificates(files, options);
  }
  const names = [...new Set([hostname, "localhost", "127.0.0.1", "::1"])];
  return selfSignedCertificate(`${stateDir}/tls`, names, options);
}
