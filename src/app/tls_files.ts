/** Looks at the files that the config of TLS names, before anything is started. */

import type { Config } from "../config/load.ts";
import type { LocatedPath } from "../config/located_path.ts";
import type { LoaderConfig, TlsConfig } from "../config/tls_setting.ts";
import { PairFault, readAuthorities, readPair } from "../tls/pair.ts";
import { tlsOf } from "./tls.ts";

/**
 * Faults of certificates and keys, each as `FILE:LINE:COLUMN: …`, in the order of the file.
 *
 * @param file the config's path
 */
export function tlsFileFaults(config: Config, file: string): string[] {
  const faults = [...new Set(tlsOf(config))]
    .flatMap(faultsOf)
    .toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
    .map(({ at, key, fault: { wanted, got } }) =>
      `${file}:${at.line}:${at.column}: ${key} must be ${wanted}: got ${got}`
    );
  return [...new Set(faults)];
}

type Fault = Omit<LocatedPath, "path"> & { readonly fault: PairFault };

function faultsOf({ loader, clientCa = [] }: TlsConfig): Fault[] {
  const authorities = clientCa.flatMap((ca) => tried(() => readAuthorities(ca.path), () => ca));
  return [...loaderFaults(loader), ...authorities];
}

function loaderFaults(loader: LoaderConfig): Fault[] {
  switch (loader.module) {
    case "file":
      return loader.certs.flatMap((cert, i) => {
        const key = loader.keys[i];
        const read = () => readPair({ cert: cert.path, key: key.path });
        return tried(read, ({ file }) => file === "cert" ? cert : key);
      });
    case "self_signed":
      return [];
    case "acme": {
      const { caRoot } = loader;
      return caRoot === undefined ? [] : tried(() => readAuthorities(caRoot.path), () => caRoot);
    }
  }
}

function tried(read: () => unknown, place: (fault: PairFault) => LocatedPath): Fault[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof PairFault)) throw error;
    const { key, at } = place(error);
    return [{ key, at, fault: error }];
  }
}
