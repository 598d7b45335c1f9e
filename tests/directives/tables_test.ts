// Settings of tables, as who may log in and whose account it is.

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { startServer } from "../harness.ts";
import { accounts, FAILED, login } from "./logins.ts";

/** A table as `storage_map`, and the account of each name; undefined for who has none. */
type Row = readonly [string, Readonly<Record<string, string | undefined>>];

const regexp = (settings: string) => `{ module = "regexp", ${settings} }`;
const DOMAIN = `pattern = "(?P<who>ann)@x", replacement = "$1-\${who}-$$"`;
const chain = (steps: string) => `{ module = "chain", steps = [${steps}] }`;
const BOX = 'step = ["regexp", "[a-z]+", "box-$0"]';

const ROWS: readonly Row[] = [
  ['"email_localpart_optional"', { "ann@x": "ann", bob: "bob" }],
  [regexp('pattern = "ann"'), { ann: "ann", ANN: "ANN", joann: undefined }],
  [regexp('pattern = "ann", full_match = false'), { joann: "joann", bob: undefined }],
  [
    regexp('pattern = "n", full_match = false, replacement = "box"'),
    { joann: "box", bob: undefined },
  ],
  [regexp('pattern = "ann", case_insensitive = false'), { ann: "ann", ANN: undefined }],
  [regexp(DOMAIN), { "ann@x": "ann-ann-$" }],
  [regexp(`${DOMAIN}, expand_placeholders = false`), { "ann@x": "$1-${who}-$$" }],
  [
    chain(`{ step = "email_localpart" }, { ${BOX} }`),
    { "ann@x": "box-ann", bob: undefined, "carl1@x": undefined },
  ],
  [
    chain(`{ optional_step = "email_localpart" }, { ${BOX} }`),
    { "ann@x": "box-ann", bob: "box-bob", "carl1@x": undefined },
  ],
  [
    chain(`{ step = "email_localpart" }, { optional_${BOX} }`),
    { "ann@x": "box-ann", bob: undefined, "carl1@x": "carl1" },
  ],
];

for (const [table, of] of ROWS) {
  Deno.test(`storage_map = ${table}: gives names these accounts`, async () => {
    await using server = await startServer({
      imap: `auth_map = ["regexp", ".*", "u1"]\nauth_map_normalize = "noop"\n` +
        `storage_map_normalize = "noop"\nstorage_map = ${table}\n`,
    });
    const made = new Set<string>();
    for (const [name, account] of Object.entries(of)) {
      strictEqual(await login(server, name), account === undefined ? FAILED : "OK", name);
      if (account !== undefined) made.add(account);
      deepStrictEqual(await accounts(server), [...made].sort(), name);
    }
  });
}

Deno.test("sql_table: key_column and value_column are those of the table that it makes", async () => {
  await using server = await startServer({
    imap: 'storage_map = "&boxes"\n',
    storage: `[table.boxes]\nmodule = "sql_table"\ndriver = "sqlite"\ndsn = "boxes.sqlite"\n` +
      `table_name = "boxes"\nkey_column = "who am"\nvalue_column = "box"`,
  });
  using database = new DatabaseSync(`${server.dir}/boxes.sqlite`);
  database.exec(`INSERT INTO boxes ("box", "who am") VALUES ('attic', 'u1')`);
  strictEqual(await login(server, "u1"), "OK");
  strictEqual(await login(server, "attic"), FAILED);
  deepStrictEqual(await accounts(server), ["attic"]);
});

/** What `imapd user` prints. */
async function user(dir: string, args: readonly string[], password = ""): Promise<string> {
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const config = ["--config", `${dir}/config.toml`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "user", ...args, ...config],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A command that asks for no password may have ended before it is written.
  await writer.write(new TextEncoder().encode(password)).catch(() => {});
  await writer.close().catch(() => {});
  const { stdout, stderr } = await child.output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

for (const named of [true, false]) {
  const [key, value] = named ? [":key", ":value"] : ["$1", "$2"];
  Deno.test(`sql_query: users kept by add, list, set and del, given ${key} and ${value}`, async () => {
    await using server = await startServer({
      authReference: '["pass_table", "&users"]',
      storage: `[table.users]
module = "sql_query"
driver = "sqlite"
dsn = "users.sqlite"
named_args = ${named}
init = ["CREATE TABLE IF NOT EXISTS people (name TEXT PRIMARY KEY, hash TEXT, changes INTEGER)"]
lookup = "SELECT hash FROM people WHERE name = ${key}"
add = "INSERT INTO people VALUES (${key}, ${value}, 0)"
list = "SELECT name FROM people"
set = "UPDATE people SET hash = ${value}, changes = changes + 1 WHERE name = ${key}"
del = "DELETE FROM people WHERE name = ${key}"
`,
    });
    using database = new DatabaseSync(`${server.dir}/users.sqlite`);
    const rows = () =>
      database.prepare("SELECT name, changes FROM people ORDER BY name").all()
        .map(({ name, changes }) => `${name} ${changes}`);
    const ends = async (...passwords: string[]) => {
      const found: string[] = [];
      for (const password of passwords) found.push(await login(server, "ann", password));
      return found;
    };
    deepStrictEqual(await ends("one"), [FAILED]);
    const bcrypt = ["--hash", "bcrypt"];
    strictEqual(
      await user(server.dir, ["add", ...bcrypt, "bob"], "two"),
      "Added user bob\nMade account bob\n",
    );
    strictEqual(
      await user(server.dir, ["add", ...bcrypt, "ann"], "one"),
      "Added user ann\nMade account ann\n",
    );
    deepStrictEqual(await ends("one", "two"), ["OK", FAILED]);
    deepStrictEqual(rows(), ["ann 0", "bob 0"]);
    match(await user(server.dir, ["list"]), /^USER .*\nann  +bcrypt .*\nbob  +bcrypt .*\n$/);
    strictEqual(
      await user(server.dir, ["passwd", ...bcrypt, "ann"], "three"),
      "Changed the password of user ann\n",
    );
    deepStrictEqual(await ends("one", "three"), [FAILED, "OK"]);
    deepStrictEqual(rows(), ["ann 1", "bob 0"]);
    await user(server.dir, ["remove", "ann", "-y"]);
    deepStrictEqual(await ends("three"), [FAILED]);
    deepStrictEqual(rows(), ["bob 0"]);
  });
}
