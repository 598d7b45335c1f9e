/** Faults of ACME loaders that show only where the whole config is known. */

import { isDeepStrictEqual } from "node:util";
import type { LoaderConfig, TlsConfig } from "./tls_setting.ts";
import type { Position, TomlTable } from "./toml.ts";

type AcmeConfig = Extract<LoaderConfig, { readonly module: "acme" }>;

/** What an endpoint has of TLS. */
interface AnyTls {
  readonly tls?: TlsConfig;
  readonly proxyProtocol?: { readonly tls?: TlsConfig };
}

/**
 * Finds loaders without a name, and two that would keep different certificates in one file.
 *
 * @param hostname that of the server
 * @param tables where `endpoints` stand in the file `root`
 */
export function acmeFaults(
  endpoints: readonly AnyTls[],
  hostname: string | undefined,
  tables: readonly TomlTable[],
  root: TomlTable,
): { at: Position; message: string }[] {
  const faults: { at: Position; message: string }[] = [];
  const byFile = new Map<string, AcmeConfig>();
  for (const { tls, key, at } of endpoints.flatMap((each, i) => placesOf(each, tables[i], root))) {
    if (tls?.loader.module !== "acme") continue;
    const { loader } = tls;
    const name = loader.hostname ?? hostname;
    if (name === undefined) {
      const message = 'must be a host name such as "mail.example.org", here or at the top';
      faults.push({ at, message: `${key}.hostname is missing: it ${message}` });
      continue;
    }
    const file = [loader.storePath, loader.ca, name.toLowerCase()].join("\n");
    const first = byFile.get(file) ?? loader;
    byFile.set(file, first);
    if (isDeepStrictEqual(settingsOf(first), settingsOf(loader))) continue;
    faults.push({
      at,
      message: `${key} must have the same settings as the other acme loader of its hostname: got ` +
        `others for ${name}`,
    });
  }
  return faults;
}

/** The `tls` of an endpoint, and that of its proxies, with their places in the file. */
function placesOf(
  { tls, proxyProtocol }: AnyTls,
  table: TomlTable,
  root: TomlTable,
): { tls: TlsConfig | undefined; key: string; at: Position }[] {
  const own = table.entries.get("tls");
  const proxy = table.entries.get("proxy_protocol")?.value;
  const ofProxy = proxy?.type === "table" ? proxy.entries.get("tls") : undefined;
  return [
    {
      tls,
      key: own === undefined ? "tls" : "imap.tls",
      at: (own ?? root.entries.get("tls"))?.value.at ?? table.at,
    },
    {
      tls: proxyProtocol?.tls,
      key: "imap.proxy_protocol.tls",
      at: ofProxy?.value.at ?? table.at,
    },
  ];
}

/** Without what may differ: where it stands in the config. */
function settingsOf(loader: AcmeConfig) {
  return { ...loader, caRoot: loader.caRoot?.path, hostname: "", blockName: "" };
}
