import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { ConfigError, parseConfig } from "../../src/config/load.ts";
import type { LoaderConfig } from "../../src/config/tls_setting.ts";

const ENDPOINT = `[[imap]]
listen = ["tls://127.0.0.1:993"]
auth = ["pass_table", ["file", "users"]]
storage = "maildir"
`;
/** A config whose line 1 is the TLS of all endpoints. */
const withTls = (tls: string, rest = "") => `${tls}\n${ENDPOINT}${rest}`;
const ACME = 'tls = { loader = "acme", agreed = true, hostname = "a.example" }';

function tlsOf(text: string) {
  const { tls } = parseConfig(text, "/etc/imapd/c.toml").imap[0];
  ok(tls);
  return tls;
}

/** Certificates and keys of a loader by turns, or its name. */
function written(loader: LoaderConfig): readonly string[] | string {
  if (loader.module !== "file") return loader.module;
  return loader.certs.flatMap((cert, i) => [cert.path, loader.keys[i].path]);
}

const FORMS: readonly [string, string, readonly string[] | string, string?][] = [
  ["a pair", 'tls = ["c.pem", "/k.pem"]', ["/etc/imapd/c.pem", "/k.pem"]],
  ["pairs", 'tls = ["/c", "/k", "/d", "/l"]', ["/c", "/k", "/d", "/l"]],
  ["the loader and pairs", 'tls = ["file", "/c", "/k"]', ["/c", "/k"]],
  ["a loader's name", 'tls = "self_signed"', "self_signed"],
  ["a loader with names", 'tls = ["self_signed", "a.example"]', "self_signed"],
  ["a table", 'tls = { loader = "file", certs = ["/c"], keys = ["/k"] }', ["/c", "/k"]],
  [
    "a reference",
    'tls = "&x"',
    ["/c", "/k"],
    '[tls_loader.x]\nmodule = "file"\ncerts = ["/c"]\nkeys = ["/k"]\n',
  ],
  [
    "a table with a reference",
    'tls = { loader = "&x", protocols = ["tls1.3"] }',
    "self_signed",
    '[tls_loader.x]\nmodule = "self_signed"\n',
  ],
  ["a table with pairs", 'tls = { loader = ["/c", "/k"] }', ["/c", "/k"]],
  ["ACME", ACME, "acme"],
];

for (const [what, tls, loader, blocks] of FORMS) {
  Deno.test(`parseConfig() takes tls as ${what}`, () => {
    deepStrictEqual(written(tlsOf(withTls(tls, blocks)).loader), loader);
  });
}

Deno.test("parseConfig() reads the rules of handshakes beside the loader", () => {
  deepStrictEqual(tlsOf(withTls(FORMS[7][1], FORMS[7][3])).protocols, {
    lowest: "tls1.3",
    highest: "tls1.3",
  });
  deepStrictEqual(tlsOf(withTls('tls = "self_signed"')).protocols.lowest, "tls1.2");
});

Deno.test("parseConfig() gives endpoints that refer to one loader the same object", () => {
  const block = '[tls_loader.x]\nmodule = "self_signed"\nnames = ["a.example", "::1"]\n';
  const { imap } = parseConfig(
    withTls('tls = "&x"', `tls = { loader = "&x" }\n${ENDPOINT.replace("993", "994")}${block}`),
    "c.toml",
  );
  strictEqual(imap[0].tls?.loader, imap[1].tls?.loader);
});

Deno.test("parseConfig() fills in the defaults of ACME", () => {
  const { loader } = tlsOf(withTls(`state_dir = "/s"\n${ACME}`));
  ok(loader.module === "acme");
  strictEqual(loader.ca, "https://acme-v02.api.letsencrypt.org/directory");
  strictEqual(loader.storePath, "/s/acme");
  deepStrictEqual(loader.httpListen, { host: "0.0.0.0", port: 80 });
  deepStrictEqual(loader.alpnListen, { host: "0.0.0.0", port: 443 });
});

Deno.test("parseConfig() takes all settings of ACME", () => {
  const { loader } = tlsOf(withTls(
    'tls = { loader = "acme", agreed = true, hostname = "a.example", extra_names = ["b.example"], ' +
      'ca = "https://ca.example/dir", email = "x@a.example", challenge = "tls-alpn-01", ' +
      'http_listen = "tcp://[::]:8080", alpn_listen = "tls://proxy:8443", store_path = "acme", ' +
      'key_type = "rsa", ca_root = "root.pem", eab_kid = "1", eab_hmac = "abcdefghijklmnop-_=="}',
  ));
  ok(loader.module === "acme");
  deepStrictEqual(loader.httpListen, { host: "::", port: 8080 });
  deepStrictEqual(loader.alpnListen, { host: "proxy", port: 8443 });
  strictEqual(loader.storePath, "/etc/imapd/acme");
  strictEqual(loader.caRoot?.path, "/etc/imapd/root.pem");
  strictEqual(loader.eabHmac, "abcdefghijklmnop-_");
});

const LOADER = '"file", "self_signed", "acme" or "&NAME" of a [tls_loader.NAME] block';
const FORMS_TEXT =
  '"off", "file", "self_signed", "acme", ["CERT", "KEY", …], "&NAME" of a [tls_loader.NAME] block ' +
  "or a table with a loader";
const TURNS = "must have paths of certificates and keys by turns: got";
const NAME = 'a host name or an IP address, such as "mail.example.org"';
const AGREED = "true, which says that you agree to the terms of service of the CA";
/** An ACME loader with one more setting, which begins at column 65. */
const acme = (setting: string) => `${ACME.slice(0, -2)}, ${setting} }`;

/** What is wrong, line 1, all its faults, and blocks after the endpoint. */
const FAULTY: readonly [string, string, readonly string[], string?][] = [
  ["an empty table", "tls = {}", [`1:7: tls.loader is missing: it must be ${LOADER}`]],
  ["an empty list", "tls = []", [`1:7: tls must be ${FORMS_TEXT}: got []`]],
  ["a number", "tls = 1", [`1:7: tls must be ${FORMS_TEXT}: got 1`]],
  ["a path alone", 'tls = "c.pem"', [`1:7: tls must be ${FORMS_TEXT}: got "c.pem"`]],
  [
    "a misspelt word",
    'tls = "of"',
    [
      `1:7: tls must be ${FORMS_TEXT}: got "of", did you mean off?`,
    ],
  ],
  ["a certificate without a key", 'tls = ["c"]', [`1:7: tls ${TURNS} 1`]],
  ["three paths", 'tls = ["c", "k", "d"]', [`1:7: tls ${TURNS} 3`]],
  ["the loader and three paths", 'tls = ["file", "c", "k", "d"]', [`1:7: tls ${TURNS} 3`]],
  ["the loader and no path in a list", 'tls = ["file"]', [`1:7: tls ${TURNS} 0`]],
  ["a number for a path", 'tls = ["c", 5]', ["1:13: tls[1] must be a path: got 5"]],
  [
    "the loader without paths",
    'tls = "file"',
    [
      "1:7: tls.certs is missing: it must be a list of at least 1, each a path",
      "1:7: tls.keys is missing: it must be a list of at least 1, each a path",
    ],
  ],
  [
    "a name that is none",
    'tls = ["self_signed", "a b"]',
    [`1:23: tls.names[0] must be ${NAME}: got "a b"`],
  ],
  ["arguments for acme", 'tls = ["acme", "a.example"]', [
    "1:16: tls must have no arguments: got 1",
  ]],
  [
    "ciphers",
    'tls = { loader = "self_signed", ciphers = ["AES"] }',
    [
      "1:43: tls.ciphers must be left out, because nobody can choose ciphers: the TLS library has " +
      'only such as are safe: got ["AES"]',
    ],
  ],
  [
    "curves",
    'tls = { loader = "self_signed", curves = ["p256"] }',
    [
      "1:42: tls.curves must be left out, because nobody can choose curves: the TLS library has " +
      'X25519, P-256 and P-384: got ["p256"]',
    ],
  ],
  [
    "a required certificate that nobody can vouch for",
    'tls = { loader = "self_signed", client_certificate = "required" }',
    ["1:54: tls.client_certificate needs tls.client_ca, which is missing"],
  ],
  [
    "a word for client certificates that there is not",
    'tls = { loader = "self_signed", client_ca = ["ca"], client_certificate = "always" }',
    ['1:74: tls.client_certificate must be "optional" or "required": got "always"'],
  ],
  [
    "nobody who vouches for clients",
    'tls = { loader = "self_signed", client_ca = [] }',
    ["1:45: tls.client_ca must be a list of at least 1, each a path: got []"],
  ],
  [
    "a misspelt rule",
    'tls = { loader = "self_signed", protocol = ["tls1.3"] }',
    ["1:33: unknown key protocol, did you mean protocols?"],
  ],
  [
    "a loader's setting beside a reference",
    'tls = { loader = "&x", names = ["a"] }',
    ["1:24: unknown key names"],
    '[tls_loader.x]\nmodule = "self_signed"\n',
  ],
  [
    "a rule in a block",
    'tls = "&x"',
    ["8:1: unknown key protocols"],
    '[tls_loader.x]\nmodule = "self_signed"\nprotocols = ["tls1.3"]\n',
  ],
  [
    "a reference to nothing",
    'tls = "&x"',
    ["1:7: tls refers to [tls_loader.x], which does not exist"],
  ],
  [
    "a loader that is not used",
    'tls = "self_signed"',
    ['6:13: [tls_loader.x] is not used: refer to it by "&x", or remove it'],
    '[tls_loader.x]\nmodule = "self_signed"\n',
  ],
  [
    "fewer keys in a block",
    'tls = "&x"',
    ["9:8: tls_loader.x.keys must have as many paths as tls_loader.x.certs (2): got 1"],
    '[tls_loader.x]\nmodule = "file"\ncerts = ["a", "b"]\nkeys = ["a"]\n',
  ],
  [
    "no agreement",
    'tls = { loader = "acme", hostname = "a.example" }',
    [`1:7: tls.agreed is missing: it must be ${AGREED}`],
  ],
  [
    "a disagreement",
    'tls = { loader = "acme", hostname = "a.example", agreed = false }',
    [`1:59: tls.agreed must be ${AGREED}: got false`],
  ],
  [
    "ACME without a name",
    'tls = { loader = "acme", agreed = true }',
    [
      '1:7: tls.hostname is missing: it must be a host name such as "mail.example.org", here or at ' +
      "the top",
    ],
  ],
  [
    "ACME for a wildcard",
    acme('extra_names = ["*.a.example"]'),
    ['1:80: tls.extra_names[0] must be a host name such as "mail.example.org": got "*.a.example"'],
  ],
  [
    "a directory without TLS",
    acme('ca = "http://ca.example/"'),
    ['1:70: tls.ca must be the URL of an ACME directory with https://: got "http://ca.example/"'],
  ],
  [
    "a challenge that there is not",
    acme('challenge = "dns-01"'),
    ['1:77: tls.challenge must be "http-01" or "tls-alpn-01": got "dns-01"'],
  ],
  ...["tls://h:80", "tcp://h", "tcp://h:80/x", "tcp://h:99999", "tcp://u@h:80"].map(
    (address): [string, string, string[]] => [
      `the address ${address} for HTTP-01`,
      acme(`http_listen = "${address}"`),
      [`1:79: tls.http_listen must be "tcp://HOST:PORT": got "${address}"`],
    ],
  ),
  [
    "a path with unknown braces",
    acme('store_path = "{dir}/acme"'),
    [
      "1:78: tls.store_path must be a path, in which {state_dir} may stand: got " +
      '"{dir}/acme"',
    ],
  ],
  [
    "a key id without its key",
    acme('eab_kid = "1"'),
    ["1:7: tls.eab_hmac is missing: it must be there where tls.eab_kid is"],
  ],
  [
    "a key without its id",
    acme('eab_hmac = "abcdefghijklmnop"'),
    ["1:7: tls.eab_kid is missing: it must be there where tls.eab_hmac is"],
  ],
  [
    "a key that is none, which is not shown",
    acme('eab_kid = "1", eab_hmac = "not base64url!"'),
    ["1:91: tls.eab_hmac must be a key in base64url: got something else"],
  ],
  [
    "an address of no form",
    acme('email = "postmaster"'),
    ['1:73: tls.email must be an address such as "postmaster@example.org": got "postmaster"'],
  ],
  [
    "two ACME loaders of one name",
    ACME,
    [
      "10:7: imap.tls must have the same settings as the other acme loader of its hostname: got " +
      "others for A.example",
    ],
    `${ENDPOINT.replace("993", "994")}${
      ACME.replace("a.example", "A.example").replace(" }", ', key_type = "rsa" }')
    }\n`,
  ],
  [
    "ACME without a name between proxies and server",
    'tls = "self_signed"',
    [
      "8:7: imap.proxy_protocol.tls.hostname is missing: it must be a host name such as " +
      '"mail.example.org", here or at the top',
    ],
    '[imap.proxy_protocol]\ntrust = ["::1"]\ntls = { loader = "acme", agreed = true }\n',
  ],
];

for (const [what, tls, faults, blocks] of FAULTY) {
  Deno.test(`parseConfig() refuses ${what} for tls`, () => {
    try {
      parseConfig(withTls(tls, blocks), "c.toml");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return deepStrictEqual(error.faults.map((fault) => fault.replace(/^c\.toml:/, "")), faults);
    }
    throw new Error("There were no faults");
  });
}
