// CVE-2026-24031 and CVE-2026-27860: user names that were syntax to SQL and LDAP. The third place
// where a name becomes something else is the path of an account.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { missingForSlapd, PEOPLE, startSlapd } from "../auth/slapd.ts";
import { startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const SQL = [
  "' OR '1'='1",
  "' OR 1=1 --",
  "ann' --",
  "ann'; DROP TABLE users; --",
  "' UNION SELECT '{PLAIN}x' --",
  "\\' OR 1=1 --",
  "ann\0",
  "%",
  "_nn",
  ":key",
  "$1",
  "ann' AND (SELECT hex(randomblob(900000000)))='",
];

const LDAP = [
  "*",
  "ann)(uid=*",
  "*)(objectClass=*",
  "ann)(|(uid=*",
  "ann,ou=people",
  "ann,dc=x",
  "ann\\2a",
  "\\61nn*",
  "ann\0",
  "#616e6e",
  "ann+cn=Ann",
  "(&",
];

const literal = (text: string) => `{${new TextEncoder().encode(text).length}+}\r\n${text}`;

async function assertRefused(server: TestServer, names: readonly string[]): Promise<void> {
  const logins = [...names.map((name) => [name, "x"]), ["ann", "' OR '1'='1"], ["ann", "*"]];
  for (const [name, password] of logins) {
    await using client = await RawConnection.plain(server.port);
    await client.line();
    const reply = (await client.command(`LOGIN ${literal(name)} ${literal(password)}`)).pop();
    assert.match(reply ?? "", /^t1 (NO \[AUTHENTICATIONFAILED\]|BAD) /, `${name} ${password}`);
  }
}

Deno.test("user name: is never a part of SQL (CVE-2026-24031)", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/users.sqlite`;
  const database = new DatabaseSync(path);
  database.exec(
    "CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT);" +
      "INSERT INTO users VALUES ('ann', '{PLAIN}hers'), ('''or''1''=''1', '{PLAIN}odd')",
  );
  try {
    for (
      const statement of [
        { named_args: true, lookup: "SELECT password FROM users WHERE name = :key" },
        { named_args: false, lookup: "SELECT password FROM users WHERE name = $1" },
      ]
    ) {
      await using server = await startServer({
        authReference: `{ module = "pass_table", allow_plain = true, table = { ` +
          `module = "sql_query", driver = "sqlite3", dsn = "${path}", ` +
          `named_args = ${statement.named_args}, lookup = "${statement.lookup}" } }`,
      });
      await assertRefused(server, SQL);
      await using ann = await RawConnection.login(server.tlsPort, "ann", "hers");
      await ann.ok("NOOP");
      // What looks like SQL may also be somebody's name.
      await using odd = await RawConnection.tls(server.tlsPort);
      await odd.line();
      await odd.ok(`LOGIN "'or'1'='1" odd`);
    }
    assert.equal(database.prepare("SELECT count(*) AS n FROM users").get()?.n, 2);
  } finally {
    database.close();
    await Deno.remove(dir, { recursive: true });
  }
});

const missing = missingForSlapd();
const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";

Deno.test({
  name: `user name: is never a part of a DN or a filter (CVE-2026-27860)${reason}`,
  ignore: missing.length > 0,
  async fn() {
    await using slapd = await startSlapd();
    for (
      const users of [
        `dn_template = "uid={username},${PEOPLE}"`,
        `base_dn = "${PEOPLE}"\nfilter = "(&(objectClass=inetOrgPerson)(uid={username}))"`,
      ]
    ) {
      await using server = await startServer({
        authReference: '"&directory"',
        top: `[auth.directory]\nmodule = "ldap"\nurls = ["${slapd.ldap}"]\n${users}\n`,
      });
      await assertRefused(server, LDAP);
      await using ann = await RawConnection.tls(server.tlsPort);
      await ann.line();
      await ann.ok(`LOGIN ann "Ann's own"`);
    }
  },
});

Deno.test("user name: leads to no account but its own, and out of none", async () => {
  const names = [
    "..",
    ".",
    "../u1",
    "u1/..",
    "u1/cur",
    "/etc",
    "u1\u0000",
    "u1/../u2",
    "~root",
    "a//b",
  ];
  await using server = await startServer({
    auth: "allow_plain = true",
    users: names.map((name) => `${name}: {PLAIN}secret\n`).join(""),
  });
  const user = server.freshUser();
  await using owner = await RawConnection.login(server.tlsPort, user, "secret");
  await owner.append("INBOX", "Subject: private\r\n\r\nprivate\r\n");
  const before = await contents(server);
  for (const name of names) {
    await using client = await RawConnection.tls(server.tlsPort);
    await client.line();
    const reply = (await client.command(`LOGIN ${literal(name)} secret`)).pop() ?? "";
    if (!reply.startsWith("t1 OK")) continue;
    await client.ok("SELECT INBOX");
    assert.deepEqual(await client.ok("SEARCH SUBJECT private"), ["* SEARCH"], name);
  }
  const added = (await contents(server)).filter((path) => !before.includes(path));
  assert.deepEqual(added.filter((path) => path !== "mail/~root"), []);
});

async function contents(server: TestServer): Promise<string[]> {
  const paths: string[] = [];
  for (const place of ["", "/mail", "/.."]) {
    for await (const { name } of Deno.readDir(server.dir + place)) {
      if (place !== "/.." || !/^imapd-|^deno|^\w{8,}$|bash_jobs/.test(name)) {
        paths.push(`${place.slice(1)}/${name}`.replace(/^\//, ""));
      }
    }
  }
  return paths;
}
