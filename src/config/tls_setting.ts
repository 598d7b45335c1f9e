/** The setting `tls`, in all its forms. */

import { locatedPath } from "./located_path.ts";
import { type Chosen, moduleReference } from "./modules.ts";
import { tlsChecks, tlsLoaders, tlsRules } from "./schema/tls.ts";
import { type Kind, type Reading, readSection, type Values, wrong } from "./setting.ts";
import { didYouMean } from "./suggest.ts";
import type { TomlList, TomlTable, TomlValue } from "./toml.ts";

/** Where certificates come from; the same object for all that refer to the same named block. */
export type LoaderConfig = Chosen<"module", typeof tlsLoaders>;

/** Certificates, and the rules of handshakes. */
export type TlsConfig = { readonly loader: LoaderConfig } & Values<typeof tlsRules>;

const NAMES = Object.keys(tlsLoaders);
const WORDS = NAMES.map((name) => `"${name}"`).join(", ");
const REFERENCE = '"&NAME" of a [tls_loader.NAME] block';
const LOADER = `${WORDS} or ${REFERENCE}`;

const loaders = moduleReference("tls_loader", () => tlsLoaders, tlsChecks);

/**
 * `tls`: "off", a loader (by name, by reference, with arguments), paths of certificates and keys by
 * turns, or a table with `loader`.
 */
export function tlsSetting(): Kind<TlsConfig | "off"> {
  const expected = `"off", ${WORDS}, ["CERT", "KEY", …], ${REFERENCE} or a table with a loader`;
  return {
    name: "TLS",
    expected,
    sections: { "": tlsRules },
    read(value, key, reading) {
      if (value.type === "string" && value.value === "off") return "off";
      if (value.type === "table") return fromTable(value, key, reading);
      const loader = loaderOf(value, key, expected, reading);
      return loader &&
        withRules(loader, { ...value, type: "table", entries: new Map() }, key, reading);
    },
  };
}

/** A loader without other settings around it. */
function loaderOf(
  value: TomlValue,
  key: string,
  expected: string,
  reading: Reading,
): LoaderConfig | undefined {
  const first = value.type === "list" ? value.items[0] : value;
  if (first?.type !== "string") return wrong(reading, value, key, expected);
  const known = Object.hasOwn(tlsLoaders, first.value);
  if (value.type === "list") {
    if (first.value === "file") return pairs(value, value.items.slice(1), key, reading);
    if (!known) return pairs(value, value.items, key, reading);
  } else if (!known && !/^&./.test(first.value)) {
    return wrong(reading, value, key, expected, ["off", ...NAMES]);
  }
  return loaders.read(value, key, reading);
}

/** Paths of certificates and keys by turns. */
function pairs(
  value: TomlList,
  items: readonly TomlValue[],
  key: string,
  reading: Reading,
): LoaderConfig | undefined {
  const offset = value.items.length - items.length;
  const kind = locatedPath();
  const paths = items.map((item, i) => kind.read(item, `${key}[${i + offset}]`, reading));
  if (items.length === 0 || items.length % 2 !== 0) {
    return void reading.fault(
      value.at,
      `${key} must have paths of certificates and keys by turns: got ${items.length}`,
    );
  }
  const found = paths.filter((path) => path !== undefined);
  if (found.length < paths.length) return undefined;
  return {
    module: "file",
    certs: found.filter((_, i) => i % 2 === 0),
    keys: found.filter((_, i) => i % 2 === 1),
  };
}

function fromTable(value: TomlTable, key: string, reading: Reading): TlsConfig | undefined {
  const chosen = value.entries.get("loader")?.value;
  if (chosen === undefined) {
    return void reading.fault(value.at, `${key}.loader is missing: it must be ${LOADER}`);
  }
  if (chosen.type !== "string" || !Object.hasOwn(tlsLoaders, chosen.value)) {
    const loader = loaderOf(chosen, `${key}.loader`, LOADER, reading);
    return withRules(loader, value, key, reading);
  }
  const section = tlsLoaders[chosen.value as keyof typeof tlsLoaders];
  // The loader's settings and the rules stand side by side: each is read from its own entries.
  const own = entriesOf(value, (name) => name !== "loader" && !Object.hasOwn(tlsRules, name));
  const rules = entriesOf(value, (name) => !Object.hasOwn(section, name));
  for (const [name, { keyAt }] of own.entries) {
    if (Object.hasOwn(section, name)) continue;
    const known = [...Object.keys(section), ...Object.keys(tlsRules)];
    reading.fault(keyAt, `unknown key ${name}${didYouMean(name, known)}`);
    own.entries.delete(name);
    rules.entries.delete(name);
  }
  own.entries.set("module", { keyAt: chosen.at, value: chosen });
  return withRules(loaders.read(own, key, reading), rules, key, reading);
}

function entriesOf(table: TomlTable, belongs: (name: string) => boolean): TomlTable {
  const entries = [...table.entries].filter(([name]) => belongs(name));
  return { ...table, entries: new Map(entries) };
}

function withRules(
  loader: LoaderConfig | undefined,
  value: TomlTable,
  key: string,
  reading: Reading,
): TlsConfig | undefined {
  const rules = readSection(value, tlsRules, key, reading, ["loader"]);
  const required = value.entries.get("client_certificate");
  if (
    required?.value.type === "string" && required.value.value === "required" &&
    !value.entries.has("client_ca")
  ) {
    reading.fault(
      required.value.at,
      `${key}.client_certificate needs ${key}.client_ca, which is missing`,
    );
  }
  return loader && rules && { loader, ...rules };
}
