import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { ConfigError, loadConfig, parseConfig } from "../../src/config/load.ts";

const TLS = '[tls]\nloader = "self_signed"\n';
const AUTH = `auth = { module = "pass_table", table = { module = "file", path = "users" } }\n`;
const STORAGE = `storage = { module = "maildir" }\n`;
const LISTEN = 'listen = ["tcp://127.0.0.1:143"]\n';
/** A whole config in eight lines; `[[imap]]` is line 3, `auth` line 5. */
const GOOD = `${TLS}[[imap]]\n${LISTEN}${AUTH}${STORAGE}`;

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

Deno.test("parseConfig() takes the smallest config and fills in the defaults", () => {
  const config = parseConfig(GOOD, "/etc/imapd/c.toml");
  strictEqual(config.stateDir, "/var/lib/imapd");
  deepStrictEqual(config.log, ["stderr"]);
  deepStrictEqual(config.warnings, []);
  const [imap] = config.imap;
  strictEqual(imap.insecureAuth, false);
  strictEqual(imap.limits.append, 64 * 1024 * 1024);
  strictEqual(imap.limits.idle, 30 * 60_000);
  const [auth] = imap.auth;
  ok(auth.module === "pass_table");
  deepStrictEqual(auth.table, { module: "file", path: "/etc/imapd/users" });
  strictEqual(imap.storage.path, "/var/lib/imapd/mail/{account}");
  strictEqual(imap.storage.specialFolders.get("Junk"), "junk");
  deepStrictEqual(imap.tls?.protocols, { lowest: "tls1.2", highest: "tls1.3" });
});

Deno.test("parseConfig() takes a module by its name, and with arguments", () => {
  const auth = 'auth = ["pass_table", ["file", "users"]]\n';
  const short = parseConfig(`${TLS}[[imap]]\n${LISTEN}${auth}storage = "maildir"\n`, "/c.toml");
  deepStrictEqual(short, parseConfig(GOOD, "/c.toml"));
});

Deno.test("parseConfig() gives all that refer to one named block the same object", () => {
  const endpoint = (port: number) =>
    `[[imap]]\nlisten = ["tcp://127.0.0.1:${port}"]\nauth = "&a"\nstorage = "&s"\n`;
  const config = parseConfig(
    `${TLS}${endpoint(1)}${endpoint(2)}[auth.a]\nmodule = "pass_table"\ntable = "&t"\n` +
      `[table.t]\nmodule = "file"\npath = "/u"\n[storage.s]\nmodule = "maildir"\n`,
    "c.toml",
  );
  const [first, second] = config.imap;
  strictEqual(first.auth[0], second.auth[0]);
  strictEqual(first.storage, second.storage);
  strictEqual(first.auth[0].blockName, "a");
});

Deno.test("parseConfig() lets an endpoint have its own TLS, and [imap.limits] its bounds", () => {
  const config = parseConfig(
    `${GOOD}tls = "off"\n[imap.limits]\nline = "1 MiB"\nlogin = "1m 30s"\n`,
    "c.toml",
  );
  strictEqual(config.imap[0].tls, undefined);
  strictEqual(config.imap[0].insecureAuth, true);
  strictEqual(config.imap[0].limits.line, 1 << 20);
  strictEqual(config.imap[0].limits.login, 90_000);
  deepStrictEqual(config.warnings, [
    "c.toml:3:3: TLS is off: passwords and mail travel in the clear",
  ]);
});

Deno.test("parseConfig() warns of insecure_auth where there is TLS", () => {
  deepStrictEqual(parseConfig(`${GOOD}insecure_auth = true\n`, "c.toml").warnings, [
    "c.toml:7:17: imap.insecure_auth is true although there is TLS: passwords may travel in the clear",
  ]);
});

Deno.test("parseConfig() warns of io_debug", () => {
  deepStrictEqual(parseConfig(`${GOOD}io_debug = false\n`, "c.toml").warnings, []);
  deepStrictEqual(parseConfig(`${GOOD}io_debug = true\n`, "c.toml").warnings, [
    "c.toml:7:12: imap.io_debug is true: all that clients and server say, mail included, gets into the log",
  ]);
});

Deno.test("parseConfig() resolves paths at the folder of the file, and {state_dir} before that", () => {
  const storage = 'storage = { module = "maildir", path = "{state_dir}/m/{domain}/{local}" }\n';
  const config = parseConfig(
    `state_dir = "$&state"\nlog = ["./l"]\n${TLS}[[imap]]\n${LISTEN}${AUTH}${storage}`,
    "/etc/imapd/c.toml",
  );
  strictEqual(config.stateDir, "/etc/imapd/$&state");
  deepStrictEqual(config.log, ["/etc/imapd/l"]);
  strictEqual(config.imap[0].storage.path, "/etc/imapd/$&state/m/{domain}/{local}");
});

Deno.test("parseConfig() takes a byte order mark, CRLF, IPv6 and no special folders", () => {
  const text = `\ufeff${GOOD.replace("127.0.0.1", "[::1]")}`
    .replace('module = "maildir"', 'module = "maildir", special_folders = {}')
    .replaceAll("\n", "\r\n");
  const { imap: [imap] } = parseConfig(text, "c.toml");
  deepStrictEqual(imap.listen, [{ kind: "inet", tls: false, host: "::1", port: 143 }]);
  strictEqual(imap.storage.specialFolders.size, 0);
});

Deno.test("parseConfig() reads unix sockets, inherited ones, and their permissions", () => {
  const listen = 'listen = ["unix:///s", "unix://in/run", "fd://imap", "fd+tls://7", ' +
    '{ address = "unix://t", mode = "0660", owner = "vmail", group = "8" }]\n';
  const { imap: [imap] } = parseConfig(
    `runtime_dir = "run"\n${GOOD.replace(LISTEN, listen)}`,
    "/etc/imapd/c.toml",
  );
  deepStrictEqual(imap.listen, [
    { kind: "unix", path: "/s" },
    { kind: "unix", path: "/etc/imapd/run/in/run" },
    { kind: "fd", tls: false, name: "imap" },
    { kind: "fd", tls: true, name: 7 },
    { kind: "unix", path: "/etc/imapd/run/t", mode: 0o660, owner: "vmail", group: "8" },
  ]);
  const { imap: [other] } = parseConfig(GOOD.replace("tcp://127.0.0.1:143", "unix://s"), "c.toml");
  deepStrictEqual(other.listen, [{ kind: "unix", path: "/run/imapd/s" }]);
});

Deno.test("parseConfig() reads proxies as a list and as a table, whose TLS is not taken over", () => {
  const proxyOf = (text: string) => parseConfig(`${GOOD}${text}\n`, "c.toml").imap[0].proxyProtocol;
  strictEqual(proxyOf(""), undefined);
  const trust = ["127.0.0.1", "10.0.0.0/8", "2001:db8::1", "unix"];
  deepStrictEqual(proxyOf(`proxy_protocol = ${JSON.stringify(trust)}`), {
    trust,
    tlsOffloaded: false,
    tls: undefined,
  });
  const table = proxyOf(
    '[imap.proxy_protocol]\ntrust = ["::/0"]\ntls_offloaded = true\ntls = { loader = "self_signed" }',
  );
  strictEqual(table?.tlsOffloaded, true);
  deepStrictEqual(table?.tls?.loader, { module: "self_signed" });
});

Deno.test("parseConfig() takes passwords without TLS only where nothing else can be secure", () => {
  const off = GOOD.replace(TLS, 'tls = "off"\n\n');
  const of = (text: string) => {
    const { imap: [{ insecureAuth }], warnings } = parseConfig(text, "c.toml");
    return [insecureAuth, warnings.length];
  };
  deepStrictEqual(of(off), [true, 1]);
  const unix = off.replace("tcp://127.0.0.1:143", "unix:///s");
  deepStrictEqual(of(unix), [false, 0]);
  deepStrictEqual(of(`${unix}insecure_auth = false\n`), [false, 0]);
  deepStrictEqual(of(unix.replace('"unix:///s"', '"unix:///s", "tcp://[::]:143"')), [true, 1]);
  deepStrictEqual(of(`${off}proxy_protocol = ["::/0"]\n`), [true, 1]);
  const offloaded = `${off}proxy_protocol = { trust = ["::/0"], tls_offloaded = true }\n`;
  deepStrictEqual(of(offloaded), [false, 0]);
  deepStrictEqual(of(`${offloaded}insecure_auth = false\n`), [false, 0]);
  deepStrictEqual(of(`${offloaded}insecure_auth = true\n`), [true, 0]);
});

const LOG = 'a list of "stderr", "stderr_ts", "syslog" and paths of files with a "/", or ["off"]';
const ADDRESS =
  '"tcp://HOST:PORT", "tls://HOST:PORT", "unix://PATH", "fd://NAME" or "fd+tls://NAME"';
const PROXIES = 'a list of proxies: IP addresses, subnets such as "10.0.0.0/8", "unix" for unix ' +
  'sockets, or ["0.0.0.0/0", "::/0"] for all';
const RANGE = 'a list of one or two, lowest first, of "tls1.2" or "tls1.3"';
const TEMPLATE =
  "a path with {account} or {local} and no other braces than {state_dir}, {account}, {local}, {domain}";
const LOADER = '"file", "self_signed", "acme" or "&NAME" of a [tls_loader.NAME] block';
const TLS_FORMS =
  '"off", "file", "self_signed", "acme", ["CERT", "KEY", …], "&NAME" of a [tls_loader.NAME] block ' +
  "or a table with a loader";
const USES = '"all", "archive", "drafts", "flagged", "junk", "sent" or "trash"';

/** What is wrong, the config, and all its faults. */
const FAULTY: readonly [string, string, ...string[]][] = [
  ["a syntax error", `${GOOD}debug = \n`, "7:9: invalid TOML: unspecified values are invalid"],
  [
    "an open string",
    `hostname = "mail\n${GOOD}`,
    "1:17: invalid TOML: unterminated string constant",
  ],
  ["a key given twice", `debug = true\ndebug = true\n${GOOD}`, "2:1: key debug is defined twice"],
  ["a table given twice", `${GOOD}${TLS}`, "7:2: key tls is defined twice"],
  ["an unknown key", `colour = "red"\n${GOOD}`, "1:1: unknown key colour"],
  [
    "a misspelt key",
    `${GOOD}insecure_aut = false\n`,
    "7:1: unknown key insecure_aut, did you mean insecure_auth?",
  ],
  [
    "a misspelt table",
    `${GOOD}[imap.limit]\n`,
    "7:7: unknown key limit, did you mean limits?",
  ],
  [
    "a string for a boolean",
    `debug = "yes"\n${GOOD}`,
    '1:9: debug must be true or false: got "yes"',
  ],
  [
    "a number for a string",
    `hostname = 5\n${GOOD}`,
    '1:12: hostname must be a host name such as "mail.example.org": got 5',
  ],
  [
    "an impossible host name",
    `hostname = "a b"\n${GOOD}`,
    '1:12: hostname must be a host name such as "mail.example.org": got "a b"',
  ],
  ["an empty path", `state_dir = ""\n${GOOD}`, '1:13: state_dir must be a path: got ""'],
  [
    "a date for a path",
    `state_dir = 2026-01-01\n${GOOD}`,
    "1:13: state_dir must be a path: got 2026-01-01",
  ],
  [
    "a log target that is no path",
    `log = ["stdout"]\n${GOOD}`,
    `1:8: log must be ${LOG}: got "stdout"`,
  ],
  ["no log target", `log = []\n${GOOD}`, `1:7: log must be ${LOG}: got []`],
  [
    "all that is wrong with log targets",
    `log = ["stderr", "off", "relative", 1]\n${GOOD}`,
    `1:7: log must be ${LOG}: got ["stderr", "off", "relative", 1]`,
    `1:25: log must be ${LOG}: got "relative"`,
    `1:37: log must be ${LOG}: got 1`,
  ],
  [
    "off beside other log targets",
    `log = ["off", "stderr"]\n${GOOD}`,
    `1:7: log must be ${LOG}: got ["off", "stderr"]`,
  ],
  ["no endpoint", TLS, "1:1: imap is missing: it must be one or more [[…]] tables"],
  [
    "a table for [[imap]]",
    GOOD.replace("[[imap]]", "[imap]"),
    "3:2: imap must be one or more [[…]] tables: got a table",
  ],
  [
    "an empty endpoint",
    `${TLS}[[imap]]\n`,
    `3:3: imap.listen is missing: it must be a list of at least 1, each ${ADDRESS}, or a table with such an address`,
    '3:3: imap.auth is missing: it must be "&NAME" of a [auth.NAME] block, "MODULE", ["MODULE", "ARGUMENT", …] or a table with a module, or a list of such',
    '3:3: imap.storage is missing: it must be "&NAME" of a [storage.NAME] block, "MODULE", ["MODULE", "ARGUMENT", …] or a table with a module',
  ],
  [
    "nowhere to listen",
    GOOD.replace(LISTEN, "listen = []\n"),
    `4:10: imap.listen must be a list of at least 1, each ${ADDRESS}, or a table with such an address: got []`,
  ],
  ...[
    "tcp://127.0.0.1",
    "imap://h:143",
    "tcp://:143",
    "tcp://h:65536",
    "tcp://256.0.0.1:1",
    "tcp://10.1:1",
    "tcp://::1:143",
    "tcp://[h]:1",
    "unix://",
    "fd://",
    "fd://2",
    "fd://a:b",
    "fd+tcp://imap",
  ].map(
    (address): [string, string, string] => [
      `the address ${address}`,
      GOOD.replace("tcp://127.0.0.1:143", address),
      `4:11: imap.listen[0] must be ${ADDRESS}: got "${address}"`,
    ],
  ),
  [
    "an address twice",
    `${GOOD}[[imap]]\n${LISTEN}${AUTH}${STORAGE}`,
    '8:11: imap.listen has an address twice: got "tcp://127.0.0.1:143"',
  ],
  [
    "a port for both kinds of TLS",
    GOOD.replace(LISTEN, 'listen = ["fd://imap", "fd+tls://imap"]\n'),
    '4:24: imap.listen has an address twice: got "fd+tls://imap"',
  ],
  [
    "a unix socket twice",
    GOOD.replace(LISTEN, 'listen = ["unix:///s", { address = "unix:///s", mode = "0600" }]\n'),
    '4:36: imap.listen has an address twice: got "unix:///s"',
  ],
  [
    "permissions of no file",
    GOOD.replace(LISTEN, 'listen = [{ address = "tcp://[::]:143", mode = "0600" }]\n'),
    "4:41: imap.listen[0].mode must stand beside a unix:// address",
  ],
  [
    "a mode as a number",
    GOOD.replace(LISTEN, 'listen = [{ address = "unix:///s", mode = 660 }]\n'),
    '4:43: imap.listen[0].mode must be a file mode such as "0660": got 660',
  ],
  [
    "a mode that is none",
    GOOD.replace(LISTEN, 'listen = [{ address = "unix:///s", mode = "0680" }]\n'),
    '4:43: imap.listen[0].mode must be a file mode such as "0660": got "0680"',
  ],
  [
    "an impossible owner and group",
    GOOD.replace(LISTEN, 'listen = [{ address = "unix:///s", owner = "a:b", group = "" }]\n'),
    '4:44: imap.listen[0].owner must be the name or number of a user: got "a:b"',
    '4:59: imap.listen[0].group must be the name or number of a group: got ""',
  ],
  [
    "a table without an address",
    GOOD.replace(LISTEN, 'listen = [{ adress = "unix:///s" }]\n'),
    `4:11: imap.listen[0].address is missing: it must be ${ADDRESS}`,
    "4:13: unknown key adress, did you mean address?",
  ],
  [
    "a misspelt address in a table",
    GOOD.replace(LISTEN, 'listen = [{ address = "unix:/s" }]\n'),
    `4:23: imap.listen[0].address must be ${ADDRESS}: got "unix:/s"`,
  ],
  [
    "a number for runtime_dir",
    `runtime_dir = 5\n${GOOD}`,
    "1:15: runtime_dir must be a path: got 5",
  ],
  [
    "proxy_protocol without trust",
    `${GOOD}[imap.proxy_protocol]\ntls_offloaded = true\n`,
    `7:7: imap.proxy_protocol.trust is missing: it must be ${PROXIES}`,
  ],
  [
    "proxy_protocol that trusts nobody",
    `${GOOD}proxy_protocol = []\n`,
    `7:18: imap.proxy_protocol.trust must be ${PROXIES}: got []`,
  ],
  [
    "proxy_protocol by a word",
    `${GOOD}proxy_protocol = true\n`,
    `7:18: imap.proxy_protocol must be ${PROXIES}; or a table with trust: got true`,
  ],
  [
    "proxies that are none",
    `${GOOD}proxy_protocol = ["10.0.0.0/33", "::1/129", "localhost", "fe80::1%eth0", 5]\n`,
    '7:19: imap.proxy_protocol.trust[0] must be an IP address, a subnet or "unix": got "10.0.0.0/33"',
    '7:34: imap.proxy_protocol.trust[1] must be an IP address, a subnet or "unix": got "::1/129"',
    '7:45: imap.proxy_protocol.trust[2] must be an IP address, a subnet or "unix": got "localhost"',
    '7:58: imap.proxy_protocol.trust[3] must be an IP address, a subnet or "unix": got "fe80::1%eth0"',
    '7:74: imap.proxy_protocol.trust[4] must be an IP address, a subnet or "unix": got 5',
  ],
  [
    "a misspelt setting of proxies",
    `${GOOD}proxy_protocol = { trust = ["unix"], tls_ofloaded = true }\n`,
    "7:38: unknown key tls_ofloaded, did you mean tls_offloaded?",
  ],
  [
    "TLS of proxies by a word",
    `${GOOD}proxy_protocol = { trust = ["unix"], tls = "on" }\n`,
    '7:44: imap.proxy_protocol.tls must be "off", "file", "self_signed", "acme", ["CERT", "KEY", …], "&NAME" of a [tls_loader.NAME] block or a table with a loader: got "on"',
  ],
  [
    "an inherited tls:// without TLS",
    GOOD.replace(TLS, 'tls = "off"\n\n').replace("tcp://127.0.0.1:143", "fd+tls://imap"),
    '4:11: imap.listen must not have fd+tls:// where TLS is off: got "fd+tls://imap"',
  ],
  [
    "tls:// without TLS",
    GOOD.replace(TLS, 'tls = "off"\n\n').replace("tcp:", "tls:"),
    '4:11: imap.listen must not have tls:// where TLS is off: got "tls://127.0.0.1:143"',
  ],
  [
    "passwords nowhere allowed",
    `${GOOD}tls = "off"\ninsecure_auth = false\n`,
    "8:17: imap.insecure_auth must be true or left out where TLS is off: got false",
  ],
  [
    "no word about TLS",
    GOOD.replace(TLS, ""),
    '1:3: imap.tls is missing: add a [tls] table with a loader, or tls = "off"',
  ],
  [
    "TLS by a word",
    GOOD.replace(TLS, 'tls = "on"\n\n'),
    `1:7: tls must be ${TLS_FORMS}: got "on"`,
  ],
  [
    "TLS without a loader",
    GOOD.replace('loader = "self_signed"', ""),
    `1:2: tls.loader is missing: it must be ${LOADER}`,
  ],
  [
    "a misspelt loader",
    GOOD.replace("self_signed", "self_singed"),
    `2:10: tls.loader must be ${LOADER}: got "self_singed", did you mean self_signed?`,
  ],
  [
    "more certificates than keys",
    GOOD.replace("self_signed", "file").replace("\n[[", '\ncerts = ["a", "b"]\nkeys = ["a"]\n[['),
    "4:8: tls.keys must have as many paths as tls.certs (2): got 1",
  ],
  [
    "certificates without keys",
    GOOD.replace("self_signed", "file").replace("\n[[", '\ncerts = ["a"]\n[['),
    "1:2: tls.keys is missing: it must be a list of at least 1, each a path",
  ],
  [
    "certificates for self_signed",
    GOOD.replace("\n[[", '\ncerts = ["a"]\n[['),
    "3:1: unknown key certs",
  ],
  [
    "protocols upside down",
    GOOD.replace("\n[[", '\nprotocols = ["tls1.3", "tls1.2"]\n[['),
    `3:13: tls.protocols must be ${RANGE}: got ["tls1.3", "tls1.2"]`,
  ],
  [
    "a protocol that is too old",
    GOOD.replace("\n[[", '\nprotocols = ["tls1.1"]\n[['),
    '3:14: tls.protocols[0] must be "tls1.2" or "tls1.3": got "tls1.1", did you mean tls1.2?',
  ],
  [
    "a reference to nothing",
    GOOD.replace(STORAGE, 'storage = "&mail"\n'),
    "6:11: imap.storage refers to [storage.mail], which does not exist",
  ],
  [
    "a misspelt reference, so that the block is not used",
    `${GOOD.replace(STORAGE, 'storage = "&mial"\n')}[storage.mail]\nmodule = "maildir"\n`,
    "6:11: imap.storage refers to [storage.mial], which does not exist, did you mean mail?",
    '7:10: [storage.mail] is not used: refer to it by "&mail", or remove it',
  ],
  [
    "two storages of one path with different settings",
    `${GOOD}[[imap]]\n${LISTEN.replace("143", "144")}${AUTH}` +
    `storage = { module = "maildir", memory_budget = "1 MiB" }\n`,
    "10:11: imap.storage must have the same settings as the other storage of its path: got others " +
    "for /var/lib/imapd/mail/{account}",
  ],
  [
    "a name without &",
    GOOD.replace(STORAGE, 'storage = "mail"\n'),
    '6:11: imap.storage must be "&NAME" of a [storage.NAME] block, "MODULE", ["MODULE", "ARGUMENT", …] or a table with a module: got "mail"',
  ],
  [
    "an unknown module by its name",
    GOOD.replace(STORAGE, 'storage = "mailder"\n'),
    '6:11: imap.storage must be "&NAME" of a [storage.NAME] block, "MODULE", ["MODULE", ' +
    '"ARGUMENT", …] or a table with a module: got "mailder", did you mean maildir?',
  ],
  [
    "an unknown module with arguments",
    GOOD.replace(AUTH, 'auth = ["pass_tabel", "users"]\n'),
    '5:9: imap.auth must be "&NAME" of a [auth.NAME] block, "MODULE", ["MODULE", "ARGUMENT", …] ' +
    'or a table with a module: got "pass_tabel", did you mean pass_table?',
  ],
  [
    "too many arguments",
    GOOD.replace(AUTH, 'auth = ["pass_table", ["file", "users", "more"]]\n'),
    "5:41: imap.auth.table must have at most 1 argument: got 2",
  ],
  [
    "an argument for a module without any",
    GOOD.replace(STORAGE, 'storage = ["maildir", "mail"]\n'),
    "6:23: imap.storage must have no arguments: got 1",
  ],
  [
    "a missing argument",
    GOOD.replace(AUTH, 'auth = ["pass_table", "file"]\n'),
    "5:23: imap.auth.table.path is missing: it must be a path",
  ],
  [
    "a wrong argument",
    GOOD.replace(AUTH, 'auth = ["pass_table", ["file", 5]]\n'),
    "5:32: imap.auth.table.path must be a path: got 5",
  ],
  [
    "a block of another kind",
    `${GOOD.replace(AUTH, 'auth = "&mail"\n').replace(STORAGE, 'storage = "&mail"\n')}` +
    `[storage.mail]\nmodule = "maildir"\n`,
    "5:8: imap.auth refers to [auth.mail], which does not exist: [storage.mail] cannot stand here",
  ],
  [
    "wrong settings of pass_table",
    GOOD.replace(" } }\n", ' }, allow_plain = "no", scram = ["SHA-512"] }\n'),
    '5:92: imap.auth.allow_plain must be true or false: got "no"',
    '5:107: imap.auth.scram[0] must be "SHA-1" or "SHA-256": got "SHA-512", did you mean SHA-1?',
  ],
  [
    "SCRAM by a word that is none",
    GOOD.replace(" } }\n", ' }, scram = "aut" }\n'),
    '5:86: imap.auth.scram must be "auto" or a list, each "SHA-1" or "SHA-256": got "aut", did ' +
    "you mean auto?",
  ],
  [
    "an empty list of modules",
    GOOD.replace(AUTH, "auth = []\n"),
    '5:8: imap.auth must be "&NAME" of a [auth.NAME] block, "MODULE", ["MODULE", "ARGUMENT", …] ' +
    "or a table with a module, or a list of such: got []",
  ],
  [
    "a list of modules with faults",
    GOOD.replace(AUTH, 'auth = ["&a", 5, ["pass_tabel"], { module = "plain_separate" }]\n'),
    "5:9: imap.auth[0] refers to [auth.a], which does not exist",
    '5:15: imap.auth[1] must be "&NAME" of a [auth.NAME] block, "MODULE", ["MODULE", "ARGUMENT", ' +
    "…] or a table with a module: got 5",
    '5:19: imap.auth[2] must be "&NAME" of a [auth.NAME] block, "MODULE", ["MODULE", "ARGUMENT", ' +
    '…] or a table with a module: got "pass_tabel", did you mean pass_table?',
    '5:34: imap.auth[3].pass is missing: it must be "&NAME" of a [auth.NAME] block, "MODULE", ' +
    '["MODULE", "ARGUMENT", …] or a table with a module, or a list of such',
  ],
  [
    "a module that checks passwords by itself",
    `${GOOD.replace(AUTH, 'auth = "&a"\n')}[auth.a]\nmodule = "plain_separate"\npass = ["&a"]\n`,
    '9:9: auth.a.pass[0] refers to itself by "&a"',
  ],
  [
    "wrong settings of SASL",
    `${GOOD}sasl_login = 1\nchannel_binding = "no"\ncertificate_name = "mail"\n`,
    "7:14: imap.sasl_login must be true or false: got 1",
    '8:19: imap.channel_binding must be true or false: got "no"',
    '9:20: imap.certificate_name must be "email", "dns" or "cn": got "mail", did you mean email?',
  ],
  [
    "an unknown module",
    GOOD.replace('"maildir"', '"mailder"'),
    '6:22: imap.storage.module must be "maildir": got "mailder", did you mean maildir?',
  ],
  [
    "no module",
    GOOD.replace('module = "maildir"', ""),
    '6:11: imap.storage.module is missing: it must be "maildir"',
  ],
  [
    "faults in a block that is not used",
    `${GOOD}[auth.other]\nmodule = "pass_table"\nhash = "bcrypt"\n`,
    '7:7: auth.other.table is missing: it must be "&NAME" of a [table.NAME] block, "MODULE", ["MODULE", "ARGUMENT", …] or a table with a module',
    '7:7: [auth.other] is not used: refer to it by "&other", or remove it',
    "9:1: unknown key hash",
  ],
  [
    "a value where blocks stand",
    `auth = 5\n${GOOD}`,
    "1:1: auth must be blocks such as [auth.NAME]",
  ],
  [
    "a value in place of a block",
    `${GOOD}[auth]\nlocal = 5\n`,
    "8:1: auth.local must be a block such as [auth.NAME]",
  ],
  [
    "a path that all accounts share",
    GOOD.replace('"maildir"', '"maildir", path = "/mail"'),
    `6:40: imap.storage.path must be ${TEMPLATE}: got "/mail"`,
  ],
  [
    "an unknown name in braces",
    GOOD.replace('"maildir"', '"maildir", path = "/mail/{acount}"'),
    `6:40: imap.storage.path must be ${TEMPLATE}: got "/mail/{acount}"`,
  ],
  [
    "an open brace",
    GOOD.replace('"maildir"', '"maildir", path = "/mail/{account}{"'),
    `6:40: imap.storage.path must be ${TEMPLATE}: got "/mail/{account}{"`,
  ],
  [
    "an unknown special use",
    GOOD.replace('"maildir"', '"maildir", special_folders = { Spam = "spam" }'),
    `6:60: imap.storage.special_folders.Spam must be ${USES}: got "spam"`,
  ],
  [
    "INBOX as a special folder",
    GOOD.replace('"maildir"', '"maildir", special_folders = { Inbox = "all" }'),
    `6:53: imap.storage.special_folders must be a table from names of mailboxes other than INBOX to ${USES}: got the name "Inbox"`,
  ],
  [
    "a size without a unit",
    `${GOOD}limits.line = 65536\n`,
    '7:15: imap.limits.line must be a size from "1 KiB" to "16 MiB": got 65536',
  ],
  [
    "a size of an unknown unit",
    `${GOOD}limits.line = "64 megs"\n`,
    '7:15: imap.limits.line must be a size from "1 KiB" to "16 MiB": got "64 megs"',
  ],
  [
    "a size that is too large",
    `${GOOD}limits.append = "5 GiB"\n`,
    '7:17: imap.limits.append must be a size from "1 KiB" to "4095 MiB": got "5 GiB"',
  ],
  [
    "a duration without a unit",
    `${GOOD}limits.idle = 30\n`,
    '7:15: imap.limits.idle must be a duration from "1s" to "7d": got 30',
  ],
  [
    "a duration that is too short",
    `${GOOD}limits.login = "0s"\n`,
    '7:16: imap.limits.login must be a duration from "1s" to "1d": got "0s"',
  ],
  [
    "a fraction for a number",
    `${GOOD}limits.connections = 1.5\n`,
    "7:22: imap.limits.connections must be a whole number from 1 to 1000000: got 1.5",
  ],
  [
    "a number below its bound",
    `${GOOD}limits.bad_before_login = 0\n`,
    "7:27: imap.limits.bad_before_login must be a whole number from 1 to 1000000: got 0",
  ],
  [
    "a value for a table",
    `${GOOD}limits = 5\n`,
    "7:10: imap.limits must be a table: got 5",
  ],
  [
    "a long value, which is cut short",
    `log = ["${"x".repeat(80)}"]\n${GOOD}`,
    `1:8: log must be ${LOG}: got "${"x".repeat(56)}...`,
  ],
  [
    "many faults, all told in the order of the file",
    `debug = 1\nhostnam = "a"\n${GOOD}insecure_auth = "no"\nlimits.line = "1"\n`,
    "1:9: debug must be true or false: got 1",
    "2:1: unknown key hostnam, did you mean hostname?",
    '9:17: imap.insecure_auth must be true or false: got "no"',
    '10:15: imap.limits.line must be a size from "1 KiB" to "16 MiB": got "1"',
  ],
];

for (const [what, text, ...faults] of FAULTY) {
  Deno.test(`parseConfig() locates ${what}`, () => deepStrictEqual(faultsOf(text), faults));
}

Deno.test("loadConfig() says why a file cannot be read", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const faultsAt = async (path: string): Promise<string> => {
      try {
        await loadConfig(path);
      } catch (error) {
        if (error instanceof ConfigError) return error.message;
      }
      return "no fault";
    };
    strictEqual(await faultsAt(`${dir}/none`), `${dir}/none: there is no such file`);
    await Deno.writeFile(`${dir}/latin1`, Uint8Array.of(0x23, 0xe4, 0x0a));
    strictEqual(await faultsAt(`${dir}/latin1`), `${dir}/latin1: the file is not UTF-8 text`);
    await rejects(loadConfig(dir), ConfigError);
    ok((await faultsAt(dir)).startsWith(`${dir}: the file cannot be read: `));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
