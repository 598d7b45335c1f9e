/** Settings of the `ldap` module. */

import { boolean, duration, list, path, string } from "../kinds.ts";
import { table } from "../modules.ts";
import { type Check, type Kind, optional, required, type Section, setting } from "../setting.ts";
import type { TomlValue } from "../toml.ts";
import { loginCache } from "./auth_cache.ts";

/** As whom the server itself searches. */
export type LdapBindConfig =
  | { readonly method: "off" }
  | { readonly method: "external" }
  | { readonly method: "unauth"; readonly dn: string }
  | { readonly method: "plain"; readonly dn: string; readonly password: string };

const USERNAME = "{username}";

/** `ldap://`, `ldaps://` or `ldapi://`. @see RFC 4516 §2 */
function ldapUrl(): Kind<string> {
  const expected = '"ldap://HOST[:PORT]", "ldaps://HOST[:PORT]" or "ldapi://PATH" (its slashes ' +
    "written as %2F)";
  return { ...string(expected, isLdapUrl), name: "LDAP URL" };
}

function isLdapUrl(text: string): boolean {
  if (/^ldapi:\/\/%2F[\w.%-]+$/i.test(text)) return true;
  const [, port] = text.match(/^ldaps?:\/\/(?:\[[\da-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/) ??
    ["", "0"];
  return port === undefined || (Number(port) > 0 && Number(port) < 65536);
}

/** Holds a password, which no fault may show. */
function ldapBind(): Kind<LdapBindConfig> {
  const expected = '"off", "external", ["unauth", "DN"] or ["plain", "DN", "PASSWORD"]';
  return {
    name: "word or list",
    expected,
    read(value, key, reading) {
      const read = bindOf(value);
      if (read !== undefined) return read;
      const what = { list: "another list", string: "another text", table: "a table" };
      const got = new Map(Object.entries(what)).get(value.type) ?? "something else";
      reading.fault(value.at, `${key} must be ${expected}: got ${got}`);
      return undefined;
    },
  };
}

function bindOf(value: TomlValue): LdapBindConfig | undefined {
  const words = (value.type === "list" ? value.items : [value]).map((item) =>
    item.type === "string" ? item.value : ""
  );
  const [method, dn = "", password = ""] = words;
  if (words.length === 1 && (method === "off" || method === "external")) return { method };
  if (words.length === 2 && method === "unauth" && dn !== "") return { method, dn };
  const whole = words.length === 3 && dn !== "" && password !== "";
  return whole && method === "plain" ? { method, dn, password } : undefined;
}

/** A bare "{username}" could become the empty name, which everybody may bind as. */
function isDnTemplate(text: string): boolean {
  return text.includes(USERNAME) && /[=@]/.test(text);
}

function isFilterTemplate(text: string): boolean {
  let depth = 0;
  for (const char of text.slice(0, -1)) {
    depth += char === "(" ? 1 : char === ")" ? -1 : 0;
    if (depth < 1) return false;
  }
  return depth === 1 && text.endsWith(")") && text.includes(USERNAME);
}

const oneWayToUsers: Check = ({ at, entries }, key, reading) => {
  const template = entries.get("dn_template");
  const base = entries.get("base_dn");
  const filter = entries.get("filter");
  const search = base ?? filter;
  if (template !== undefined && search !== undefined) {
    reading.fault(
      search.keyAt,
      `${key} must have either dn_template, or base_dn and filter: got both`,
    );
  } else if (template === undefined && (base === undefined || filter === undefined)) {
    const got = base !== undefined
      ? "only base_dn"
      : filter !== undefined
      ? "only filter"
      : "neither";
    reading.fault(at, `${key} must have either dn_template, or base_dn and filter: got ${got}`);
  }
};

const keyWithCertificate: Check = ({ at, entries }, key, reading) => {
  if (entries.has("cert") === entries.has("key")) return;
  const [there, missing] = entries.has("cert") ? ["cert", "key"] : ["key", "cert"];
  reading.fault(at, `${key} must have ${missing} beside ${there}`);
};

/** Certificates of a client of TLS. */
const tlsClient = {
  root_ca: optional(list(path(), 1), {
    doc: "PEM files with the authorities to trust. The default is Mozilla's list of them.",
    example: '["/etc/ssl/certs/directory-ca.pem"]',
  }),
  cert: optional(path(), {
    doc: "PEM file with the certificate to show to a server that asks for one.",
    example: '"/etc/imapd/ldap-cert.pem"',
    check: keyWithCertificate,
  }),
  key: optional(path(), {
    doc: "PEM file with the private key of `cert`.",
    example: '"/etc/imapd/ldap-key.pem"',
  }),
} satisfies Section;

export const ldapModule = {
  urls: required(list(ldapUrl(), 1), {
    doc: "Servers with the same directory, asked in this order until one can be reached. In the " +
      "path of `ldapi://` slashes are written `%2F`.",
    example: '["ldaps://ldap.example.org"]',
    check: oneWayToUsers,
  }),
  dn_template: optional(
    string(
      `a DN with ${USERNAME}, such as "uid=${USERNAME},ou=people,dc=example,dc=org"`,
      isDnTemplate,
    ),
    {
      doc: "The DN of a user, which a password is checked by binding as. `{username}` stands for " +
        "the name, with all that is special in a DN escaped. Either this, or `base_dn` and `filter`.",
      example: '"uid={username},ou=people,dc=example,dc=org"',
    },
  ),
  base_dn: optional(string("a DN"), {
    doc: "The entry below which users are searched.",
    example: '"ou=people,dc=example,dc=org"',
  }),
  filter: optional(
    string(
      `a filter in parentheses with ${USERNAME}, such as "(uid=${USERNAME})"`,
      isFilterTemplate,
    ),
    {
      doc:
        "What a user's entry fits, and no other. `{username}` stands for the name, with all that " +
        "is special in a filter escaped. A name that several entries fit is refused.",
      example: '"(&(objectClass=posixAccount)(uid={username}))"',
    },
  ),
  bind: setting(ldapBind(), {
    default: '"off"',
    doc:
      "As whom users are searched: anonymously, as whom the TLS certificate or the unix socket " +
      "says (SASL EXTERNAL), by a name without a password, or by a name and a password.",
    example: '["plain", "cn=imapd,dc=example,dc=org", "secret"]',
  }),
  starttls: setting(boolean(), {
    default: "false",
    doc:
      "Whether connections to `ldap://` become TLS first. **Without it passwords travel in the " +
      "clear.**",
  }),
  tls_client: setting(table(tlsClient), {
    default: "{}",
    doc: "TLS of the connections to the directory. The server's name is always checked.",
  }),
  connect_timeout: setting(duration({ atLeast: "1ms", atMost: "10m" }), {
    default: '"1m"',
    doc: "Time to connect to one of the `urls`, TLS included.",
  }),
  request_timeout: setting(duration({ atLeast: "1ms", atMost: "10m" }), {
    default: '"1m"',
    doc: "Time that the directory has for one answer.",
  }),
  cache: loginCache,
} satisfies Section;
