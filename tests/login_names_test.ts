// The names of users on their way to passwords and accounts, through running servers.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { accounts, FAILED, login } from "./directives/logins.ts";
import { startServer, type TestServerOptions } from "./harness.ts";

/** What it is about, the server's settings, logins and how they end, the accounts at the end. */
type Case = readonly [string, TestServerOptions, Readonly<Record<string, string>>, string[]];

const CASES: readonly Case[] = [
  [
    "by default a name has one form, and is the account's",
    {},
    { U1: "OK", "\uff55\uff11": "OK", "u1 ": FAILED, "u1@example.org": FAILED },
    ["u1"],
  ],
  [
    "noop leaves capitals alone",
    { imap: 'auth_map_normalize = "noop"\n' },
    { u1: "OK", U1: FAILED },
    ["u1"],
  ],
  [
    "auth_map by a regexp takes the domain away; the account keeps it",
    { imap: 'auth_map = ["regexp", "(.*)@example.org", "$1"]\n' },
    { "U1@Example.ORG": "OK", "u1@example.net": FAILED, u1: FAILED },
    ["u1@example.org"],
  ],
  [
    "auth_map by a regexp adds a domain",
    {
      authReference: `{ module = "pass_table", table = { module = "chain", steps = [` +
        `{ step = ["regexp", "(.*)@example.org", "$1"] }, { step = "&users" }] } }`,
      imap: 'auth_map = ["regexp", "(.*)", "$1@example.org"]\n',
      storage: `[table.users]\nmodule = "file"\npath = "users"`,
    },
    { u1: "OK", "u1@example.org": FAILED },
    ["u1"],
  ],
  [
    "storage_map by the local part gives two domains one account",
    {
      imap: 'auth_map = "email_localpart"\nstorage_map = "email_localpart"\n',
    },
    { "u1@example.org": "OK", "u1@example.net": "OK", u1: FAILED },
    ["u1"],
  ],
  [
    "storage_map by a named table knows some only",
    {
      imap: 'storage_map = "&boxes"\n',
      storage: `[table.boxes]\nmodule = "static"\nentries = { u1 = "box", u2 = ["box", "x"] }`,
    },
    { u1: "OK", u2: "OK", u3: FAILED },
    ["box"],
  ],
  [
    "the maps of the top level are inherited, and those of an endpoint come before them",
    {
      top: 'auth_map = "email_localpart"\nauth_map_normalize = "casefold"\n',
      imap: 'auth_map_normalize = "noop"\nstorage_map = ["email_with_domain", "example.org"]\n',
    },
    { "u1@x": "OK", "U1@x": FAILED, u2: FAILED },
    ['"u1@x"@example.org'],
  ],
  [
    "what cannot be an account's name is refused",
    { imap: 'storage_map = ["regexp", "(.*)", "../$1"]\n' },
    { u1: FAILED },
    [],
  ],
];

for (const [what, options, logins, made] of CASES) {
  Deno.test(`login names: ${what}`, async () => {
    await using server = await startServer(options);
    for (const [name, end] of Object.entries(logins)) {
      strictEqual(await login(server, name), end, name);
      strictEqual(await login(server, name, "wrong"), FAILED, name);
    }
    deepStrictEqual(await accounts(server), made);
  });
}

Deno.test("login names: the log tells why a name is refused", async () => {
  await using server = await startServer({
    imap: 'auth_map = { module = "static", entries = { u1 = "u1", u2 = "u2" } }\n' +
      'storage_map = { module = "static", entries = { u1 = "u1" } }\n',
  });
  strictEqual(await login(server, "u3"), FAILED);
  strictEqual(await login(server, "u2"), FAILED);
  match(server.log(), /authentication failed\t.*"reason":"no user for this name"/);
  match(server.log(), /authentication failed\t.*"reason":"no account for this name"/);
});

for (const map of ["auth_map", "storage_map"]) {
  Deno.test(`login names: ${map} that cannot be read is no wrong password`, async () => {
    await using server = await startServer({
      imap: `${map} = "&names"\n`,
      storage: `[table.names]\nmodule = "sql_table"\ndriver = "sqlite"\ndsn = "names.sqlite"\n` +
        `table_name = "names"`,
    });
    using database = new DatabaseSync(`${server.dir}/names.sqlite`);
    database.exec("INSERT INTO names VALUES ('u1', 'u2')");
    strictEqual(await login(server, "u1"), "OK");
    database.exec("ALTER TABLE names RENAME TO other");
    strictEqual(await login(server, "u1"), "UNAVAILABLE");
    match(server.log(), /login cannot be checked now conn=\S+ error="no such table: names"/);
    database.exec("ALTER TABLE other RENAME TO names");
    strictEqual(await login(server, "u1"), "OK");
  });
}

Deno.test("sql_query: knows passwords, and changes are in force at once", async () => {
  await using server = await startServer({
    authReference: '["pass_table", "&users"]',
    storage: `[table.users]\nmodule = "sql_query"\ndriver = "sqlite3"\ndsn = ["users", ".db"]\n` +
      `init = ["CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT)"]\n` +
      `lookup = "SELECT hash FROM users WHERE name = $1"\nnamed_args = false`,
  });
  strictEqual(await login(server, "ann"), FAILED);
  const [, hash] = (await Deno.readTextFile(`${server.dir}/users`)).split("\n")[0].split(": ");
  using database = new DatabaseSync(`${server.dir}/users .db`);
  database.prepare("INSERT INTO users VALUES ('ann', ?)").run(hash);
  strictEqual(await login(server, "ANN"), "OK");
  strictEqual(await login(server, "ann", "wrong"), FAILED);
  database.exec("DELETE FROM users");
  strictEqual(await login(server, "ann"), FAILED);
});

Deno.test("file: a changed table of accounts is in force within its second", async () => {
  await using server = await startServer({ imap: 'storage_map = ["file", "boxes"]\n' });
  strictEqual(await login(server, "u1"), FAILED);
  await Deno.writeTextFile(`${server.dir}/boxes`, "u1: box\nu2\n");
  // The file is looked at once a second.
  const end = performance.now() + 10_000;
  while (performance.now() < end && await login(server, "u1") !== "OK");
  strictEqual(await login(server, "u1"), "OK");
  strictEqual(await login(server, "u2"), FAILED);
  deepStrictEqual(await accounts(server), ["box"]);
});

Deno.test("startServer: a table that cannot be opened ends the program with its name", async () => {
  const options = {
    imap: 'storage_map = "&names"\n',
    storage: `[table.names]\nmodule = "sql_query"\ndriver = "sqlite"\ndsn = "none.sqlite"\n` +
      `lookup = "SELECT a FROM b WHERE c = :key"`,
  };
  const failure = await startServer(options).then(() => undefined, (error: Error) => error.message);
  ok(failure);
  match(failure, /\[table\.names\]: The database \S+\/none\.sqlite cannot be opened: No such file/);
});
