import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { ConfigError, parseConfig } from "../../src/config/load.ts";

/** A config whose endpoint has `settings` from line 7 on, followed by `blocks`. */
function configWith(settings: string, blocks = ""): string {
  return `[tls]\nloader = "self_signed"\n[[imap]]\nlisten = ["tcp://127.0.0.1:143"]\n` +
    `auth = ["pass_table", ["file", "users"]]\nstorage = "maildir"\n${settings}\n${blocks}`;
}

/** A config whose `[table.t]` has `settings` from line 10 on. */
function tableWith(module: string, settings: string): string {
  return configWith('auth_map = "&t"', `[table.t]\nmodule = "${module}"\n${settings}\n`);
}

/** The faults of a config, without the file's name. */
function faultsOf(text: string): string[] {
  try {
    parseConfig(text, "/etc/c.toml");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map((fault) => fault.replace(/^\/etc\/c\.toml:/, ""));
  }
}

const REFERENCE = '"&NAME" of a [table.NAME] block, "MODULE", ["MODULE", "ARGUMENT", …] or a ' +
  "table with a module";
const FORMS = '"auto", "precis_casefold_email", "precis_casefold", "precis_email", "precis", ' +
  '"casefold" or "noop"';
const STEP = "{ step = TABLE } or { optional_step = TABLE }";
const RE2 = "a pattern in the syntax of RE2";
const GROUPS = "replacement must have placeholders for groups of the pattern only: got";
const SQL = 'driver = "sqlite"\ndsn = "x"\n';

/** What is wrong, the config, and all its faults. */
const FAULTY: readonly [string, string, ...string[]][] = [
  [
    "a block that is not used, whose own reference counts",
    configWith(
      "",
      '[table.a]\nmodule = "identity"\n[table.b]\nmodule = "chain"\nsteps = [{ step = "&a" }]',
    ),
    '10:8: [table.b] is not used: refer to it by "&b", or remove it',
  ],
  [
    "a number for a table",
    configWith("auth_map = 5"),
    `7:12: imap.auth_map must be ${REFERENCE}: got 5`,
  ],
  [
    "an unknown table module",
    configWith('storage_map = "email_localpat"'),
    `7:15: imap.storage_map must be ${REFERENCE}: got "email_localpat", did you mean ` +
    "email_localpart?",
  ],
  [
    "a table that does not exist",
    configWith('storage_map = "&boxs"\nauth_map = "&boxes"', '[table.boxes]\nmodule = "identity"'),
    "7:15: imap.storage_map refers to [table.boxs], which does not exist, did you mean boxes?",
  ],
  [
    "a block of another kind",
    configWith('auth_map = "&a"', '[auth.a]\nmodule = "pass_table"\ntable = "identity"'),
    "7:12: imap.auth_map refers to [table.a], which does not exist: [auth.a] cannot stand here",
    '8:7: [auth.a] is not used: refer to it by "&a", or remove it',
  ],
  [
    "a table that nothing refers to",
    configWith("", '[table.t]\nmodule = "identity"'),
    '8:8: [table.t] is not used: refer to it by "&t", or remove it',
  ],
  [
    "an argument too many",
    configWith('auth_map = ["email_localpart", "x"]'),
    "7:32: imap.auth_map must have no arguments: got 1",
  ],
  [
    "a setting of another module",
    tableWith("identity", 'path = "x"'),
    "10:1: unknown key path",
  ],
  [
    "an unknown normalisation",
    configWith('auth_map_normalize = "precis_casfold"'),
    `7:22: imap.auth_map_normalize must be ${FORMS}: got "precis_casfold", did you mean ` +
    "precis_casefold?",
  ],
  [
    "an unknown normalisation at the top",
    `auth_map_normalize = true\n${configWith("")}`,
    `1:22: auth_map_normalize must be ${FORMS}: got true`,
  ],
  [
    "a storage_map at the top",
    `storage_map = "identity"\n${configWith("")}`,
    "1:1: unknown key storage_map",
  ],
  [
    "a static table without entries",
    tableWith("static", ""),
    "8:8: table.t.entries is missing: it must be a table from keys to a string, or a list of at " +
    "least 1, each a string",
  ],
  [
    "an entry without a value, and one that is a number",
    tableWith("static", "entries = { a = [], b = 1 }"),
    "10:17: table.t.entries.a must be a list of at least 1, each a string: got []",
    "10:25: table.t.entries.b must be a string: got 1",
  ],
  [
    "a pattern that ends too soon",
    configWith('auth_map = ["regexp", "(.*"]'),
    `7:23: imap.auth_map.pattern must be ${RE2}: got "(.*" (missing closing ): \`(.*\`)`,
  ],
  [
    "a pattern that looks ahead",
    tableWith("regexp", "pattern = '(?=a)b'"),
    `10:11: table.t.pattern must be ${RE2}: got '(?=a)b' (invalid or unsupported Perl syntax: ` +
    "`(?=`)",
  ],
  [
    "a pattern that is a number",
    tableWith("regexp", "pattern = 1"),
    `10:11: table.t.pattern must be ${RE2}: got 1`,
  ],
  [
    "placeholders for groups that are not there",
    configWith('auth_map = ["regexp", "(a)", "$1", "$2", "$1x ${name}"]'),
    `7:36: imap.auth_map.${GROUPS} $2`,
    `7:42: imap.auth_map.${GROUPS} $1x`,
    `7:42: imap.auth_map.${GROUPS} \${name}`,
  ],
  [
    "the name that another program has for expand_placeholders",
    tableWith("regexp", 'pattern = "a"\nexpand_replaceholders = true'),
    "11:1: unknown key expand_replaceholders, did you mean expand_placeholders?",
  ],
  [
    "no domains",
    configWith('storage_map = "email_with_domain"'),
    "7:15: imap.storage_map.domains is missing: it must be a list of at least 1, each a domain " +
    'such as "example.org"',
  ],
  [
    "what is no domain",
    configWith('storage_map = ["email_with_domain", "bücher.de", "a..b", "@x"]'),
    '7:50: imap.storage_map.domains[1] must be a domain such as "example.org": got "a..b"',
    '7:58: imap.storage_map.domains[2] must be a domain such as "example.org": got "@x"',
  ],
  [
    "a chain without steps",
    tableWith("chain", "steps = []"),
    `10:9: table.t.steps must be a list of at least 1, each ${STEP}: got []`,
  ],
  [
    "a step with another name",
    tableWith("chain", 'steps = [{ steps = "identity" }]'),
    `10:12: table.t.steps[0] must be ${STEP}: got the key steps`,
  ],
  [
    "a step that is two",
    tableWith("chain", 'steps = [{ step = "identity", optional_step = "identity" }]'),
    `10:10: table.t.steps[0] must be ${STEP}: got a table`,
  ],
  [
    "a step that is no table",
    tableWith("chain", 'steps = [{ step = "identity" }, { optional_step = ["nope"] }]'),
    `10:52: table.t.steps[1].optional_step must be ${REFERENCE}: got "nope"`,
  ],
  [
    "a chain that goes round",
    configWith(
      'auth_map = "&a"',
      '[table.a]\nmodule = "chain"\nsteps = [{ step = "&b" }]\n' +
        '[table.b]\nmodule = "chain"\nsteps = [{ optional_step = "&a" }]\n',
    ),
    '13:28: table.b.steps[0].optional_step refers to itself by "&a"',
  ],
  [
    "a database without lookup",
    tableWith("sql_query", SQL),
    "8:8: table.t.lookup is missing: it must be an SQL statement",
  ],
  [
    "an unknown driver, and no database",
    tableWith("sql_table", 'driver = "postgres"\ndsn = []\ntable_name = ""'),
    '10:10: table.t.driver must be "sqlite" or "sqlite3": got "postgres"',
    "11:7: table.t.dsn must be the path of a database's file: got []",
    '12:14: table.t.table_name must be a name: got ""',
  ],
  [
    "an init that is no list",
    tableWith("sql_query", `${SQL}lookup = "x"\ninit = "y"`),
    '13:8: table.t.init must be a list, each an SQL statement: got "y"',
  ],
  [
    "an appendlimit without a unit",
    configWith("").replace(
      'storage = "maildir"',
      'storage = { module = "maildir", appendlimit = 1 }',
    ),
    '6:47: imap.storage.appendlimit must be a size from "1 KiB" to "4095 MiB": got 1',
  ],
  [
    "an unknown normalisation of recipients",
    configWith("").replace(
      'storage = "maildir"',
      'storage = { module = "maildir", delivery_normalize = "lower", delivery_map = "x" }',
    ),
    `6:54: imap.storage.delivery_normalize must be ${FORMS}: got "lower"`,
    `6:78: imap.storage.delivery_map must be ${REFERENCE}: got "x"`,
  ],
];

for (const [what, text, ...faults] of FAULTY) {
  Deno.test(`parseConfig() locates ${what}`, () => deepStrictEqual(faultsOf(text), faults));
}

Deno.test("parseConfig() gives names their maps, from the top level or the defaults", () => {
  const settings = (text: string) => {
    const [imap] = parseConfig(text, "/etc/c.toml").imap;
    const { authMap, authMapNormalize, storageMap, storageMapNormalize } = imap;
    return [authMap, authMapNormalize, storageMap, storageMapNormalize];
  };
  const identity = { module: "identity" };
  deepStrictEqual(settings(configWith("")), [identity, "auto", identity, "auto"]);
  deepStrictEqual(
    settings(
      `auth_map = "email_localpart"\nauth_map_normalize = "noop"\n` +
        configWith('storage_map = { module = "email_with_domain", domains = ["x"] }'),
    ),
    [
      { module: "email_localpart" },
      "noop",
      { module: "email_with_domain", domains: ["x"] },
      "auto",
    ],
  );
  deepStrictEqual(
    settings(`auth_map = "email_localpart"\n${configWith('auth_map = "identity"')}`)[0],
    identity,
  );
});

Deno.test("parseConfig() reads a chain with its steps in their order", () => {
  const steps = '[[table.t.steps]]\noptional_step = "email_localpart"\n' +
    '[[table.t.steps]]\nstep = "&u"\n[table.u]\nmodule = "file"\npath = "u"';
  const [{ authMap }] = parseConfig(tableWith("chain", steps), "/etc/c.toml").imap;
  deepStrictEqual(authMap, {
    module: "chain",
    blockName: "t",
    steps: [
      { table: { module: "email_localpart" }, optional: true },
      { table: { module: "file", blockName: "u", path: "/etc/u" }, optional: false },
    ],
  });
});

Deno.test("parseConfig() takes the smaller of the two bounds of APPEND", () => {
  const append = (limit: string) =>
    parseConfig(
      configWith(`limits.append = "${limit}"`)
        .replace('"maildir"', '{ module = "maildir", appendlimit = "2 KiB" }'),
      "/etc/c.toml",
    ).imap[0].limits.append;
  strictEqual(append("4 KiB"), 2048);
  strictEqual(append("1 KiB"), 1024);
});
