/** Kinds of values that name addresses: to listen on, and of proxies to trust. */

import { isIPv4, isIPv6 } from "node:net";
import { string } from "./kinds.ts";
import {
  type Kind,
  optional,
  type Reading,
  readSection,
  required,
  type Section,
  wrong,
} from "./setting.ts";
import type { TomlTable } from "./toml.ts";

/** An address to listen on. `tls` is TLS from the first byte. */
export type Address =
  /** `host` without brackets. */
  | { readonly kind: "inet"; readonly tls: boolean; readonly host: string; readonly port: number }
  | {
    readonly kind: "unix";
    /** Absolute. */
    readonly path: string;
    readonly mode?: number;
    readonly owner?: string;
    readonly group?: string;
  }
  /** The name, or the number of the descriptor. */
  | { readonly kind: "fd"; readonly tls: boolean; readonly name: string | number };

const URLS = '"tcp://HOST:PORT", "tls://HOST:PORT", "unix://PATH", "fd://NAME" or "fd+tls://NAME"';

const url: Kind<Address> = {
  name: "address",
  expected: URLS,
  read: (value, key, reading) =>
    (value.type === "string" ? addressOf(value.value, reading) : undefined) ??
      wrong(reading, value, key, URLS),
};

/** Permissions of a file, such as "0660". */
const fileMode: Kind<number> = {
  name: "file mode",
  expected: 'a file mode such as "0660"',
  read: (value, key, reading) =>
    value.type === "string" && /^0[0-7]{3}$/.test(value.value)
      ? parseInt(value.value, 8)
      : wrong(reading, value, key, fileMode.expected),
};

const account = (what: string) =>
  string(`the name or number of a ${what}`, (text) => /^[A-Za-z0-9_][\w.-]*\$?$/.test(text));

const withPermissions = {
  address: required(url, { doc: "An address." }),
  mode: optional(fileMode, { doc: "Permissions of a unix socket." }),
  owner: optional(account("user"), { doc: "Owner of a unix socket." }),
  group: optional(account("group"), { doc: "Group of a unix socket." }),
} satisfies Section;

/** An address, or a table of an address and the permissions of its unix socket. */
export function address(): Kind<Address> {
  return {
    name: "address",
    expected: `${URLS}, or a table with such an address`,
    read: (value, key, reading) =>
      value.type === "table"
        ? readWithPermissions(value, key, reading)
        : url.read(value, key, reading),
  };
}

function readWithPermissions(
  value: TomlTable,
  key: string,
  reading: Reading,
): Address | undefined {
  const values = readSection(value, withPermissions, key, reading);
  if (values === undefined) return undefined;
  const { address, ...permissions } = values;
  if (address.kind === "unix") return { ...address, ...permissions };
  for (const name of ["mode", "owner", "group"]) {
    const entry = value.entries.get(name);
    if (entry === undefined) continue;
    reading.fault(entry.keyAt, `${key}.${name} must stand beside a unix:// address`);
    return undefined;
  }
  return address;
}

function addressOf(text: string, reading: Reading): Address | undefined {
  const [, scheme, rest] = /^([a-z+]+):\/\/([^\0]+)$/.exec(text) ?? [];
  switch (scheme) {
    case "tcp":
    case "tls":
      return inetOf(scheme === "tls", rest);
    case "unix":
      return { kind: "unix", path: reading.resolveRuntime(rest) };
    case "fd":
    case "fd+tls":
      return inheritedOf(scheme === "fd+tls", rest);
    default:
      return undefined;
  }
}

function inetOf(tls: boolean, text: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, v6, name, port] = match;
  if (Number(port) > 65535 || (v6 !== undefined && !isIPv6(v6))) return undefined;
  // No name ends in a number: such a thing was meant for an IPv4 address.
  if (name !== undefined && /(^|\.)\d+\.?$/.test(name) && !isIPv4(name)) return undefined;
  return { kind: "inet", tls, host: v6 ?? name, port: Number(port) };
}

/** The first three descriptors are standard input, output and error. */
function inheritedOf(tls: boolean, text: string): Address | undefined {
  if (!/^[!-9;-~]{1,255}$/.test(text)) return undefined;
  if (!/^\d+$/.test(text)) return { kind: "fd", tls, name: text };
  const name = Number(text);
  return name >= 3 && name < 1 << 20 ? { kind: "fd", tls, name } : undefined;
}

const PROXIES = 'a list of proxies: IP addresses, subnets such as "10.0.0.0/8", "unix" for unix ' +
  'sockets, or ["0.0.0.0/0", "::/0"] for all';

/** IP addresses and subnets, and "unix"; at least one of them. */
export function proxies(): Kind<readonly string[]> {
  return peers("list of proxies", PROXIES, 1);
}

/** IP addresses and subnets, and "unix". */
export function networks(): Kind<readonly string[]> {
  const expected = 'a list of IP addresses, subnets such as "10.0.0.0/8", and "unix"';
  return peers("list of networks", expected, 0);
}

function peers(name: string, expected: string, atLeast: number): Kind<readonly string[]> {
  return {
    name,
    expected,
    read(value, key, reading) {
      if (value.type !== "list" || value.items.length < atLeast) {
        return wrong(reading, value, key, expected);
      }
      const read = value.items.map((item, i) =>
        item.type === "string" && isProxy(item.value)
          ? item.value
          : wrong(reading, item, `${key}[${i}]`, 'an IP address, a subnet or "unix"')
      );
      return read.every((each) => each !== undefined) ? read as string[] : undefined;
    },
  };
}

function isProxy(text: string): boolean {
  if (text === "unix") return true;
  const [, ip, length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (ip === undefined) return false;
  const longest = isIPv4(ip) ? 32 : isIPv6(ip) ? 128 : -1;
  return Number(length ?? 0) <= longest;
}
