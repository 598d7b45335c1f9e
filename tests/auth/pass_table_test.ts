import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { HashingUnavailable, HashPool } from "../../src/auth/hash_pool.ts";
import { PassTable } from "../../src/auth/pass_table.ts";
import { memoryLog } from "../../src/log.ts";
import { FileTable } from "../../src/tables/file_table.ts";
import type { Table } from "../../src/tables/table.ts";

/** bcrypt of "U*U" and, in Argon2id, of "password". */
const BCRYPT = "bcrypt:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const ARGON2 = "argon2:2:256:1:c29tZXNhbHQ=:nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4=";

interface Opened extends AsyncDisposable {
  readonly auth: PassTable;
  readonly lines: string[];
}

async function open(users: string): Promise<Opened> {
  const lines: string[] = [];
  const log = memoryLog(lines);
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/users`, users);
  const table = await FileTable.open({ path: `${dir}/users`, log });
  const auth = new PassTable({ table, log });
  return {
    auth,
    lines,
    async [Symbol.asyncDispose]() {
      await auth.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

Deno.test("PassTable.checkPassword() lets in who knows the password", async () => {
  await using opened = await open(`ann: ${BCRYPT}\nbob@example.org: ${ARGON2}\n`);
  deepStrictEqual(await opened.auth.checkPassword("ann", "U*U"), { ok: true, username: "ann" });
  deepStrictEqual(await opened.auth.checkPassword("bob@example.org", "password"), {
    ok: true,
    username: "bob@example.org",
  });
});

Deno.test("PassTable.checkPassword() learns what a check costs of a table that tells no values", async () => {
  const asked: string[] = [];
  const pool = new HashPool();
  const verify = pool.verify.bind(pool);
  pool.verify = (value, password) => {
    asked.push(value.slice(0, 7));
    return verify(value, password);
  };
  const table: Table = { lookup: (key) => Promise.resolve(key === "ann" ? BCRYPT : undefined) };
  const auth = new PassTable({ table, log: memoryLog([]), pool });
  for (const name of ["nobody", "ann", "nobody"]) await auth.checkPassword(name, "x");
  deepStrictEqual(asked, ["argon2:", "bcrypt:", "bcrypt:"]);
  await auth.close();
});

Deno.test("PassTable.checkPassword() refuses everybody else, and the log tells why", async () => {
  await using opened = await open(`ann: ${BCRYPT}\nbob: ${ARGON2}\n`);
  const detail = async (username: string, password: string) => {
    const result = await opened.auth.checkPassword(username, password);
    ok(!result.ok);
    strictEqual(result.reason, "bad-credentials");
    return result.detail;
  };
  strictEqual(await detail("ann", "u*u"), "wrong password");
  strictEqual(await detail("ann", ""), "wrong password");
  strictEqual(await detail("ANN", "U*U"), "unknown user");
  strictEqual(await detail(" ann", "U*U"), "unknown user");
  strictEqual(await detail("", "U*U"), "unknown user");
  strictEqual(await detail("ann\0", "U*U"), "control characters in the user name");
  strictEqual(await detail("ann\nbob", "U*U"), "control characters in the user name");
  strictEqual(await detail("ann", "U".repeat(5000)), "the password is too long");
  deepStrictEqual(opened.lines, []);
});

Deno.test("PassTable.checkPassword() logs a malformed hash, without the hash", async () => {
  await using opened = await open("ann: plain:secret\n");
  const result = await opened.auth.checkPassword("ann", "secret");
  ok(!result.ok);
  strictEqual(result.detail, "the stored hash is malformed");
  strictEqual(opened.lines.length, 1);
  match(opened.lines[0], /^error: password hash is malformed, .* username=ann /);
  ok(!opened.lines[0].includes("secret"));
});

/** Keeps what was asked, and checks nothing. */
class AskedPool extends HashPool {
  readonly asked: string[] = [];
  override verify(value: string): Promise<boolean> {
    this.asked.push(value);
    return Promise.resolve(false);
  }
}

async function askedFor(username: string, values: readonly string[] | undefined) {
  const pool = new AskedPool();
  const table: Table = {
    lookup: (key) => Promise.resolve(key === "broken" ? "nonsense" : undefined),
    values: values && (() => Promise.resolve(values)),
  };
  const auth = new PassTable({ table, log: memoryLog([]), pool });
  await auth.checkPassword(username, "secret");
  await auth.close();
  return pool.asked;
}

Deno.test("PassTable.checkPassword() works as hard for an unknown name as for most users", async () => {
  const [cheap] = await askedFor("nobody", [ARGON2, BCRYPT, BCRYPT, "nonsense"]);
  match(cheap, /^bcrypt:\$2b\$05\$/);
  ok(!cheap.includes("E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), "the hash of a user must not be used");
  match((await askedFor("nobody", [ARGON2, ARGON2, BCRYPT]))[0], /^argon2:2:256:1:/);
  match((await askedFor("broken", [BCRYPT]))[0], /^bcrypt:\$2b\$05\$/);
  match((await askedFor("nobody", []))[0], /^argon2:2:19456:1:/);
  match((await askedFor("nobody", undefined))[0], /^argon2:2:19456:1:/);
});

Deno.test("PassTable.checkPassword() is unavailable when the table or the workers are", async () => {
  const lines: string[] = [];
  const broken: Table = { lookup: () => Promise.reject(new Error("disk on fire")) };
  const auth = new PassTable({ table: broken, log: memoryLog(lines) });
  deepStrictEqual(await auth.checkPassword("ann", "x"), {
    ok: false,
    reason: "unavailable",
    detail: "disk on fire",
  });
  deepStrictEqual(lines, ['error: password table cannot be read error="disk on fire"']);
  await auth.close();

  const full = new HashPool({ queue: 0 });
  const table: Table = { lookup: () => Promise.resolve(BCRYPT) };
  const busy = new PassTable({ table, log: memoryLog([]), pool: full });
  const result = await busy.checkPassword("ann", "U*U");
  ok(!result.ok && result.reason === "unavailable");
  strictEqual(result.detail, new HashingUnavailable("0 logins are waiting already").message);
  await busy.close();
});
