/** Settings of the status page and the metrics. */

import { isIPv4 } from "node:net";
import { type Address, address } from "../addresses.ts";
import { secret } from "../kinds.ts";
import { type LocatedPath, locatedPath } from "../located_path.ts";
import { type Kind, optional, readSection, required, type Section, wrong } from "../setting.ts";
import type { TomlTable, TomlValue } from "../toml.ts";

/** Where the status page and the metrics are, and who may see them. */
export interface OpenMetricsConfig {
  readonly listen: Address;
  readonly token?: string;
  /** A file with the token on its only line. */
  readonly tokenFile?: LocatedPath;
}

const PLACES = '"tcp://HOST:PORT" or "unix://PATH"';

const anyAddress = address();

/** An address of HTTP. */
const place: Kind<Address> = {
  name: "address",
  expected: PLACES,
  read(value, key, reading) {
    const read = anyAddress.read(value, key, reading);
    if (read === undefined || read.kind === "unix") return read;
    return read.kind === "inet" && !read.tls ? read : wrong(reading, value, key, PLACES);
  },
};

/** What a token has to be like. */
export const TOKEN = "a token of 16 to 256 visible characters of ASCII";

/** Whether a text is fit to be a token. */
export function isToken(text: string): boolean {
  return /^[!-~]{16,256}$/.test(text);
}

/** The table that `openmetrics` may be. */
export const openmetrics = {
  listen: required(place, {
    doc:
      "Where it listens: `tcp://HOST:PORT`, `unix:///path`, or a table with the permissions of a " +
      "unix socket, as in `imap.listen`. **There is no TLS**: put a proxy in front of it where others can listen in.",
    example: '"tcp://127.0.0.1:9749"',
  }),
  token: optional(secret(TOKEN, isToken), {
    sample: '"8fKt3cYvQm2Zr7Wd"',
    doc:
      "What has to be known to see anything: as `Authorization: Bearer TOKEN`, as `?token=TOKEN`, " +
      "or in the form that browsers are shown.",
  }),
  token_file: optional(locatedPath(), {
    sample: '"/etc/imapd/status.token"',
    doc: "A file with the token on its only line, instead of `token`.",
  }),
} satisfies Section;

/** An address, or a table with one and a token, without which only this machine may ask. */
export function openMetrics(): Kind<OpenMetricsConfig> {
  const expected = `${PLACES}, or a table with listen`;
  return {
    name: "address or table",
    expected,
    sections: { "": openmetrics },
    read(value, key, reading) {
      const table = value.type === "table" ? value : asTable(value);
      const written = table.entries.get("listen")?.value ?? value;
      const read = readSection(table, openmetrics, key, reading);
      if (read === undefined) return undefined;
      const { listen, token, tokenFile } = read;
      if (token !== undefined && tokenFile !== undefined) {
        reading.fault(tokenFile.at, `${key} must have only one of token and token_file: got both`);
        return undefined;
      }
      if (token === undefined && tokenFile === undefined && !isOnlyLocal(listen)) {
        const where = value.type === "table" ? `${key}.listen` : key;
        const wanted = "a loopback address, or stand in a table with a token or token_file";
        return wrong(reading, written, where, wanted);
      }
      return read;
    },
  };
}

function asTable(value: TomlValue): TomlTable {
  const { at, source } = value;
  return { type: "table", at, source, entries: new Map([["listen", { keyAt: at, value }]]) };
}

function isOnlyLocal(listen: Address): boolean {
  if (listen.kind !== "inet") return listen.kind === "unix";
  const { host } = listen;
  return host === "localhost" || /^(0{0,4}:)*(:|0{0,4}:)0{0,3}1$/.test(host) ||
    isIPv4(host) && host.startsWith("127.");
}
