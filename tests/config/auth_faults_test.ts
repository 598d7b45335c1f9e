import { deepStrictEqual } from "node:assert/strict";
import { ConfigError, parseConfig } from "../../src/config/load.ts";

/** The settings of a module begin in line 9. */
function configWith(module: string, settings: string): string {
  return `[tls]\nloader = "self_signed"\n[[imap]]\nlisten = ["tcp://127.0.0.1:143"]\n` +
    `auth = "&a"\nstorage = "maildir"\n[auth.a]\nmodule = "${module}"\n${settings}\n`;
}

/** The faults of a config, without the file's name. */
function faultsOf(text: string): string[] {
  try {
    parseConfig(text, "c.toml");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map((fault) => fault.replace(/^c\.toml:/, ""));
  }
}

const URLS = 'urls = ["ldap://h"]\n';
const TEMPLATE = 'dn_template = "uid={username},dc=x"\n';
const URL_EXPECTED =
  '"ldap://HOST[:PORT]", "ldaps://HOST[:PORT]" or "ldapi://PATH" (its slashes written as %2F)';
const BIND_EXPECTED = '"off", "external", ["unauth", "DN"] or ["plain", "DN", "PASSWORD"]';
const ENDPOINT = '"unix:///PATH" or "tcp://HOST:PORT"';
const JWT = 'issuer = "https://i"\naudience = ["x"]\n';
const WAYS = "auth.a must have either dn_template, or base_dn and filter: got";

/** The module, what is wrong, its settings, and all faults. */
const FAULTY: readonly [string, string, string, ...string[]][] = [
  [
    "ldap",
    "no server",
    TEMPLATE,
    `7:7: auth.a.urls is missing: it must be a list of at least 1, each ${URL_EXPECTED}`,
  ],
  ...[
    "http://h",
    "ldap://",
    "ldap://h:0",
    "ldap://h:65536",
    "ldaps://a b",
    "ldapi:///run/x",
    "ldap://h/dc=x",
  ].map((
    url,
  ): [string, string, string, string] => [
    "ldap",
    `the URL ${url}`,
    `urls = ["ldap://[::1]:389", "${url}"]\n${TEMPLATE}`,
    `9:29: auth.a.urls[1] must be ${URL_EXPECTED}: got "${url}"`,
  ]),
  ["ldap", "no way to users", URLS, `7:7: ${WAYS} neither`],
  ["ldap", "two ways to users", `${URLS}${TEMPLATE}base_dn = "dc=x"`, `11:1: ${WAYS} both`],
  ["ldap", "a base alone", `${URLS}base_dn = "dc=x"`, `7:7: ${WAYS} only base_dn`],
  ["ldap", "a filter alone", `${URLS}filter = "(uid={username})"`, `7:7: ${WAYS} only filter`],
  ...["uid=ann", "{username}", ""].map((dn): [string, string, string, string] => [
    "ldap",
    `the template "${dn}"`,
    `${URLS}dn_template = "${dn}"`,
    `10:15: auth.a.dn_template must be a DN with {username}, such as "uid={username},ou=people,dc=example,dc=org": got "${dn}"`,
  ]),
  ...[
    "uid={username}",
    "(uid=ann)",
    "(uid={username}",
    "(uid={username}))",
    "(a=b)(uid={username})",
  ].map((
    filter,
  ): [string, string, string, string] => [
    "ldap",
    `the filter ${filter}`,
    `${URLS}base_dn = "dc=x"\nfilter = "${filter}"`,
    `11:10: auth.a.filter must be a filter in parentheses with {username}, such as "(uid={username})": got "${filter}"`,
  ]),
  [
    "ldap",
    "an unknown bind",
    `${URLS}${TEMPLATE}bind = "on"`,
    `11:8: auth.a.bind must be ${BIND_EXPECTED}: got another text`,
  ],
  [
    "ldap",
    "a bind without its DN, whose password is not shown",
    `${URLS}${TEMPLATE}bind = ["plain", "secret"]`,
    `11:8: auth.a.bind must be ${BIND_EXPECTED}: got another list`,
  ],
  [
    "ldap",
    "a certificate without its key",
    `${URLS}${TEMPLATE}tls_client = { cert = "c.pem" }`,
    "11:14: auth.a.tls_client must have key beside cert",
  ],
  [
    "ldap",
    "a key without its certificate, and no authorities",
    `${URLS}${TEMPLATE}tls_client = { root_ca = [], key = "k.pem" }`,
    "11:14: auth.a.tls_client must have cert beside key",
    "11:26: auth.a.tls_client.root_ca must be a list of at least 1, each a path: got []",
  ],
  [
    "ldap",
    "times that are none",
    `${URLS}${TEMPLATE}connect_timeout = "0s"\nrequest_timeout = 5`,
    '11:19: auth.a.connect_timeout must be a duration from "1ms" to "10m": got "0s"',
    '12:19: auth.a.request_timeout must be a duration from "1ms" to "10m": got 5',
  ],
  ["dovecot_sasl", "no endpoint", "", `7:7: auth.a.endpoint is missing: it must be ${ENDPOINT}`],
  ...["/run/x", "unix://run/x", "tcp://h", "tcp://h:0", "tcp://h:70000", "tls://h:1"].map((
    endpoint,
  ): [string, string, string, string] => [
    "dovecot_sasl",
    `the endpoint ${endpoint}`,
    `endpoint = "${endpoint}"`,
    `9:12: auth.a.endpoint must be ${ENDPOINT}: got "${endpoint}"`,
  ]),
  ...["../passwd", "a/b", "", ".x"].map((service): [string, string, string, string] => [
    "pam",
    `the service "${service}"`,
    `service = "${service}"`,
    `9:11: auth.a.service must be a name such as "imapd": got "${service}"`,
  ]),
  ["external", "no socket", "", "7:7: auth.a.socket is missing: it must be a path"],
  [
    "external",
    "a domain that is none",
    'socket = "/s"\ndomains = ["a@b"]',
    '10:12: auth.a.domains[0] must be a host name such as "mail.example.org": got "a@b"',
  ],
  ["shadow", "a path that is none", "path = 5", "9:8: auth.a.path must be a path: got 5"],
  [
    "oauth2",
    "neither keys nor introspection",
    "",
    "7:7: auth.a must have issuer, or introspection_uri: got neither",
    "7:7: auth.a must have audience, or introspection_uri: got neither",
  ],
  [
    "oauth2",
    "JWTs for anybody",
    `issuer = "https://i"`,
    "7:7: auth.a must have audience, or introspection_uri: got neither",
  ],
  [
    "oauth2",
    "a client of nobody",
    `${JWT}client_id = "x"`,
    "11:1: auth.a.client_id must stand beside introspection_uri",
  ],
  [
    "oauth2",
    "introspection by nobody",
    `introspection_uri = "https://i"`,
    "7:7: auth.a must have client_id beside introspection_uri",
    "7:7: auth.a must have client_secret beside introspection_uri",
  ],
  [
    "oauth2",
    "both ways",
    `${JWT}introspection_uri = "https://i"\nclient_id = "x"\nclient_secret = "y"\njwks_uri = "https://k"`,
    "14:1: auth.a must have either jwks_uri or introspection_uri: got both",
  ],
  [
    "oauth2",
    "a secret that is none, which is not shown",
    `introspection_uri = "https://i"\nclient_id = "x"\nclient_secret = ["hush"]`,
    "11:17: auth.a.client_secret must be a string that is not empty: got something else",
  ],
  ...["http://id.example.org", "ftp://i", "id.example.org", "https://u:p@i", "https:i"].map((
    url,
  ): [string, string, string, string] => [
    "oauth2",
    `the issuer ${url}`,
    `issuer = "${url}"\naudience = ["x"]`,
    "9:10: auth.a.issuer must be a URL with https:// (or http:// of this machine): got " +
    `"${url.replace(":p@", ":***@")}"`,
  ]),
  ...["none", "HS256", "rs256"].map((algorithm): [string, string, string, string] => [
    "oauth2",
    `the algorithm ${algorithm}`,
    `${JWT}algorithms = ["${algorithm}"]`,
    `11:15: auth.a.algorithms[0] must be "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", ` +
    `"ES256", "ES384", "ES512" or "EdDSA": got "${algorithm}"` +
    (algorithm === "none" ? "" : `, did you mean RS256?`),
  ]),
];

for (const [module, what, settings, ...faults] of FAULTY) {
  Deno.test(`parseConfig() finds fault with ${module}: ${what}`, () => {
    deepStrictEqual(faultsOf(configWith(module, settings)), faults);
  });
}

/** The module and its settings. */
const GOOD: readonly [string, string][] = [
  ["ldap", `${URLS}${TEMPLATE}`],
  [
    "ldap",
    'urls = ["ldap://h", "ldaps://[::1]:636", "ldapi://%2Frun%2Fslapd%2Fldapi"]\n' +
    'base_dn = "dc=x"\nfilter = "(&(a=b)(|(uid={username})(mail={username})))"\n' +
    'bind = ["plain", "cn=x", "secret"]\ntls_client = { root_ca = ["ca.pem"] }',
  ],
  ["ldap", `${URLS}${TEMPLATE}bind = ["unauth", "cn=x"]`],
  ["ldap", `${URLS}dn_template = "{username}@corp.example"\nbind = ["external"]`],
  ["dovecot_sasl", 'endpoint = "unix:///run/dovecot/auth-client"\nrequest_timeout = "5s"'],
  ["dovecot_sasl", 'endpoint = "tcp://[::1]:12345"'],
  ["pam", ""],
  ["pam", 'service = "dovecot"'],
  ["shadow", ""],
  ["external", 'socket = "s"\nperdomain = true\ndomains = ["example.org"]'],
  ["oauth2", JWT],
  ["oauth2", `issuer = "http://127.0.0.1:8080/realm"\naudience = ["a", "b"]\nscope = ["imap"]`],
  ["oauth2", 'introspection_uri = "http://[::1]:1/i"\nclient_id = "x"\nclient_secret = "y"'],
];

for (const [i, [module, settings]] of GOOD.entries()) {
  Deno.test(`parseConfig() takes settings of ${module} (${i + 1})`, () => {
    deepStrictEqual(faultsOf(configWith(module, settings)), []);
  });
}

for (
  const [forms, ...faults] of [
    [
      '["pam", "shadow"]',
      '5:16: imap.auth must have each of several modules in a list of its own, such as [["pam"], ' +
      '["shadow"]]: got "shadow" as an argument of "pam"',
      '7:7: [auth.a] is not used: refer to it by "&a", or remove it',
    ],
    ['[["pam"], ["shadow"], "&a"]'],
    ['["&a", "shadow", "pam"]'],
    ['["&a", ["pam", "shadow"]]'],
  ]
) {
  Deno.test(`parseConfig() reads auth = ${forms} as nothing but what was meant`, () => {
    const text = configWith("pam", "").replace('auth = "&a"', `auth = ${forms}`);
    deepStrictEqual(faultsOf(text), faults);
  });
}
