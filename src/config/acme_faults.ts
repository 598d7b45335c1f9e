/** Faults of ACME loaders that show only where the whole config is known. */

import { isDeepStrictEqual } from "node:util";
import type { LoaderConfig, TlsConfig } from "./tls_setting.ts";
import type { Position, TomlTable } from "./toml.ts";

type AcmeConfig = Extract<LoaderConfig, { readonly module: "acme" }>;

/**
 * Finds loaders without a name, and two that would keep different certificates in one file.
 *
 * @param hostname that of the server
 * @param tables where `endpoints` stand in the file `root`
 */
export function acmeFaults(
  endpoints: readonly { readonly tls?: TlsConfig }[],
  hostname: string | undefined,
  tables: readonly TomlTable[],
  root: TomlTable,
): { at: Position; message: string }[] {
  const faults: { at: Position; message: string }[] = [];
  const byFile = new Map<string, AcmeConfig>();
  endpoints.forEach(({ tls }, i) => {
    if (tls?.loader.module !== "acme") return;
    const { loader } = tls;
    const own = tables[i].entries.get("tls");
    const key = own === undefined ? "tls" : "imap.tls";
    const at = (own ?? root.entries.get("tls"))?.value.at ?? tables[i].at;
    const name = loader.hostname ?? hostname;
    if (name === undefined) {
      const message = 'must be a host name such as "mail.example.org", here or at the top';
      faults.push({ at, message: `${key}.hostname is missing: it ${message}` });
      return;
    }
    const file = [loader.storePath, loader.ca, name.toLowerCase()].join("\n");
    const first = byFile.get(file) ?? loader;
    byFile.set(file, first);
    if (isDeepStrictEqual(settingsOf(first), settingsOf(loader))) return;
    faults.push({
      at,
      message: `${key} must have the same settings as the other acme loader of its hostname: got ` +
        `others for ${name}`,
    });
  });
  return faults;
}

/** Without what may differ: where it stands in the config. */
function settingsOf(loader: AcmeConfig) {
  return { ...loader, caRoot: loader.caRoot?.path, hostname: "", blockName: "" };
}
