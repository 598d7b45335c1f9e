import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { HashPool } from "../../src/auth/hash_pool.ts";
import { PassTable, type PassTableOptions } from "../../src/auth/pass_table.ts";
import { costOf, type PasswordHash } from "../../src/auth/password_hash.ts";
import { memoryLog } from "../../src/log.ts";
import { FileTable } from "../../src/tables/file_table.ts";
import type { Table } from "../../src/tables/table.ts";

/** bcrypt of "U*U" and, in Argon2id, of "password". */
const BCRYPT = "bcrypt:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const ARGON2 = "argon2:2:256:1:c29tZXNhbHQ=:nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4=";
/** Of "pencil"; the keys of RFC 7677 §3. */
const SCRAM = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==," +
  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

interface Opened extends AsyncDisposable {
  readonly auth: PassTable;
  readonly lines: string[];
}

async function open(
  users: string,
  options: Partial<PassTableOptions> = {},
): Promise<Opened> {
  const lines: string[] = [];
  const log = memoryLog(lines);
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/users`, users);
  const table = await FileTable.open({ path: `${dir}/users`, log });
  const auth = await PassTable.open({ table, log, ...options });
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
  readonly asked: PasswordHash[] = [];
  override verify(hash: PasswordHash): Promise<boolean> {
    this.asked.push(hash);
    return Promise.resolve(false);
  }
}

Deno.test("PassTable.checkPassword() learns what a check costs of a table that tells no values", async () => {
  const pool = new AskedPool();
  const table: Table = { lookup: (key) => Promise.resolve(key === "ann" ? BCRYPT : undefined) };
  const auth = await PassTable.open({ table, log: memoryLog([]), pool });
  for (const name of ["nobody", "ann", "nobody"]) await auth.checkPassword(name, "x");
  deepStrictEqual(pool.asked.map(({ algorithm }) => algorithm), ["argon2", "bcrypt", "bcrypt"]);
  await auth.close();
});

/** Counts what is hashed. */
class CountingPool extends HashPool {
  count = 0;
  override verify(hash: PasswordHash, password: string): Promise<boolean> {
    this.count++;
    return super.verify(hash, password);
  }
}

Deno.test("PassTable.checkPassword() hashes a right password once, as long as the table has the same", async () => {
  const pool = new CountingPool();
  const users = new Map([["ann", BCRYPT], ["bob", BCRYPT]]);
  const table: Table = { lookup: (key) => Promise.resolve(users.get(key)) };
  const auth = await PassTable.open({ table, log: memoryLog([]), pool, cache: 60_000 });
  const counted = async (username: string, password: string) => {
    const before = pool.count;
    const { ok } = await auth.checkPassword(username, password);
    return [ok, pool.count - before];
  };
  deepStrictEqual(await counted("ann", "U*U"), [true, 1]);
  deepStrictEqual(await counted("ann", "U*U"), [true, 0]);
  // The same hash is another user's, too.
  deepStrictEqual(await counted("bob", "U*U"), [true, 1]);
  for (const name of ["ann", "nobody"]) {
    deepStrictEqual(await counted(name, "wrong"), [false, 1]);
    deepStrictEqual(await counted(name, "wrong"), [false, 1]);
  }
  users.set("ann", `!${BCRYPT}`);
  deepStrictEqual(await counted("ann", "U*U"), [false, 1]);
  users.set("ann", ARGON2);
  deepStrictEqual(await counted("ann", "U*U"), [false, 2], "of either cost that it has seen");
  deepStrictEqual(await counted("ann", "password"), [true, 1]);
  users.delete("ann");
  deepStrictEqual(await counted("ann", "password"), [false, 2]);
  await auth.close();
});

Deno.test("PassTable.checkPassword() has those share a hashing who wait for the same, but no two names", async () => {
  const pool = new CountingPool();
  await using opened = await open(`ann: ${BCRYPT}\n`, { pool });
  const all = async (names: readonly string[], password: string) => {
    const before = pool.count;
    await Promise.all(names.map((name) => opened.auth.checkPassword(name, password)));
    return pool.count - before;
  };
  strictEqual(await all(["ann", "ann", "ann"], "U*U"), 1);
  strictEqual(await all(["ann", "ann"], "U*U"), 1);
  strictEqual(await all(["ann", "nobody", "none", "none"], "wrong"), 3);
});

async function askedFor(username: string, values: readonly string[] | undefined) {
  const pool = new AskedPool();
  const table: Table = {
    lookup: (key) => Promise.resolve(key === "broken" ? "nonsense" : undefined),
    values: values && (() => Promise.resolve(values)),
  };
  const auth = await PassTable.open({ table, log: memoryLog([]), pool });
  await auth.checkPassword(username, "secret");
  await auth.close();
  return pool.asked;
}

Deno.test("PassTable.checkPassword() works as hard for an unknown name as for a user", async () => {
  const [cheap] = await askedFor("nobody", [ARGON2, BCRYPT, BCRYPT, "nonsense"]);
  strictEqual(costOf(cheap), "bcrypt:5");
  ok("hash" in cheap);
  deepStrictEqual(cheap.hash, new Uint8Array(23), "the hash of a user must not be used");
  const costs = async (username: string, values: readonly string[] | undefined) =>
    (await askedFor(username, values)).map(costOf);
  const [argon2, bcrypt] = ["argon2:2:256:1:32", "bcrypt:5"];
  deepStrictEqual(await costs("nobody", [ARGON2, ARGON2, BCRYPT]), [argon2, bcrypt]);
  deepStrictEqual(await costs("nobody", [SCRAM, SCRAM, BCRYPT]), ["scram:SHA-256:4096", bcrypt]);
  deepStrictEqual(await costs("broken", [BCRYPT]), [bcrypt]);
  deepStrictEqual(await costs("nobody", []), ["argon2:2:19456:1:32"]);
  deepStrictEqual(await costs("nobody", undefined), ["argon2:2:19456:1:32"]);
});

Deno.test("PassTable.checkPassword() hashes the same for all who are refused, where kinds are mixed", async () => {
  const users = new Map([
    ["ann", BCRYPT],
    ["bob", ARGON2],
    ["eve", "{PLAIN}secret"],
    ["locked", `!${BCRYPT}`],
    ["joe", SCRAM],
  ]);
  const all = [...users.values()];
  for (const values of [() => Promise.resolve(all), undefined]) {
    const pool = new AskedPool();
    const table: Table = { lookup: (key) => Promise.resolve(users.get(key)), values };
    const auth = await PassTable.open({ table, log: memoryLog([]), pool, allowPlain: true });
    // A table without values tells them only by and by.
    for (const name of users.keys()) await auth.checkPassword(name, "wrong");
    for (const name of [...users.keys(), "nobody"]) {
      pool.asked.splice(0);
      await auth.checkPassword(name, "wrong");
      deepStrictEqual(
        pool.asked.map(costOf).sort(),
        ["argon2:2:256:1:32", "bcrypt:5", "little", "scram:SHA-256:4096"],
        name,
      );
    }
    await auth.close();
  }
});

Deno.test("PassTable.checkPassword() is unavailable when the table or the workers are", async () => {
  const lines: string[] = [];
  const broken: Table = { lookup: () => Promise.reject(new Error("disk on fire")) };
  const auth = await PassTable.open({ table: broken, log: memoryLog(lines) });
  deepStrictEqual(await auth.checkPassword("ann", "x"), {
    ok: false,
    reason: "unavailable",
    detail: "disk on fire",
  });
  deepStrictEqual(lines, ['error: password table cannot be read error="disk on fire"']);
  await auth.close();

  const full = new HashPool({ queue: 0 });
  const table: Table = { lookup: () => Promise.resolve(BCRYPT) };
  const busy = await PassTable.open({ table, log: memoryLog([]), pool: full });
  const result = await busy.checkPassword("ann", "U*U");
  ok(!result.ok && result.reason === "unavailable");
  strictEqual(result.detail, "too many logins wait for their turn");
  await busy.close();
});

Deno.test("PassTable.checkPassword() takes a plain password only where that is allowed", async () => {
  const users = "ann: {PLAIN}secret\n";
  await using closed = await open(users);
  const refused = await closed.auth.checkPassword("ann", "secret");
  ok(!refused.ok && refused.reason === "bad-credentials");
  strictEqual(refused.detail, "the password is stored in the clear");
  deepStrictEqual(closed.lines, [
    'error: password is stored in the clear, nobody can log in with it username=ann expected="a ' +
    'hash as imapd hash prints it, or allow_plain = true"',
  ]);
  await using opened = await open(users, { allowPlain: true });
  deepStrictEqual(await opened.auth.checkPassword("ann", "secret"), { ok: true, username: "ann" });
  strictEqual((await opened.auth.checkPassword("ann", "Secret")).ok, false);
  strictEqual((await opened.auth.checkPassword("ann", "")).ok, false);
});

Deno.test("PassTable.scramKeys() has the keys of users who have some", async () => {
  await using opened = await open(`ann: ${SCRAM}\nbob: ${BCRYPT}\n`);
  const keys = await opened.auth.scramKeys("ann", "SHA-256");
  strictEqual(keys?.iterations, 4096);
  strictEqual(keys.salt.length, 16);
  for (const [user, hash] of [["ann", "SHA-1"], ["bob", "SHA-256"], ["eve", "SHA-256"]] as const) {
    strictEqual(await opened.auth.scramKeys(user, hash), undefined);
  }
  deepStrictEqual(await opened.auth.checkPassword("ann", "pencil"), { ok: true, username: "ann" });
  strictEqual((await opened.auth.checkPassword("ann", "Pencil")).ok, false);
});

Deno.test("PassTable.can offers SCRAM once all users have keys, or where it is told to", async () => {
  await using all = await open(`ann: ${SCRAM}\nbob: ${SCRAM}\n`);
  deepStrictEqual(all.auth.can, { password: true, scram: ["SHA-256"], token: false });
  await using some = await open(`ann: ${SCRAM}\nbob: ${BCRYPT}\n`);
  deepStrictEqual(some.auth.can.scram, []);
  await using none = await open("");
  deepStrictEqual(none.auth.can.scram, []);
  await using told = await open(`bob: ${BCRYPT}\n`, { scram: ["SHA-1"] });
  deepStrictEqual(told.auth.can.scram, ["SHA-1"]);
});

const DEAR_SCRAM = SCRAM.replace("4096,W22ZaJ0SNY7soEsUEjb6gQ==", "100000,W22ZaJ0SNY7soEsU");
const settings = { hash: "SHA-256", iterations: 4096, saltOctets: 16 };

Deno.test("PassTable.scramSettings counts what the keys of users were made with", async () => {
  await using opened = await open(
    `ann: ${SCRAM}\nbob: ${SCRAM}\ncarl: !${DEAR_SCRAM}\neve: ${BCRYPT}\n`,
  );
  deepStrictEqual(opened.auth.scramSettings, [
    { ...settings, users: 2 },
    { ...settings, iterations: 100_000, saltOctets: 12, users: 1 },
  ]);
});

Deno.test("PassTable.scramSettings are those first met where a table does not tell its values", async () => {
  const users = new Map([["bob", BCRYPT], ["ann", SCRAM], ["carl", DEAR_SCRAM]]);
  const table: Table = { lookup: (key) => Promise.resolve(users.get(key)) };
  const auth = await PassTable.open({ table, log: memoryLog([]), scram: ["SHA-256"] });
  deepStrictEqual(auth.scramSettings, []);
  for (const name of ["eve", "bob"]) await auth.scramKeys(name, "SHA-256");
  deepStrictEqual(auth.scramSettings, []);
  for (const name of ["ann", "carl"]) {
    await auth.scramKeys(name, "SHA-256");
    deepStrictEqual(auth.scramSettings, [{ ...settings, users: 1 }]);
  }
  await auth.close();
});

Deno.test("PassTable.scramKeys() fails, and the log tells why, when the table cannot be read", async () => {
  const lines: string[] = [];
  const table: Table = { lookup: () => Promise.reject(new Error("disk on fire")) };
  const auth = await PassTable.open({ table, log: memoryLog(lines) });
  await rejects(auth.scramKeys("ann", "SHA-256"), /disk on fire/);
  deepStrictEqual(lines, ['error: password table cannot be read error="disk on fire"']);
  await auth.close();
});

Deno.test("PassTable: a disabled user is as one with a wrong password, and the log tells why", async () => {
  const verified: string[] = [];
  const pool = new HashPool();
  const verify = pool.verify.bind(pool);
  pool.verify = (hash, password) => {
    verified.push(costOf(hash));
    return verify(hash, password);
  };
  await using opened = await open(`ann: !${BCRYPT}\nbob: ${ARGON2}\n`, { pool });
  deepStrictEqual(await opened.auth.checkPassword("ann", "U*U"), {
    ok: false,
    reason: "bad-credentials",
    detail: "the user is disabled",
  });
  deepStrictEqual(verified, ["bcrypt:5", "argon2:2:256:1:32"]);

  await using scram = await open(`ann: !${SCRAM}\nbob: ${SCRAM}\n`);
  deepStrictEqual(scram.auth.can.scram, ["SHA-256"]);
  const keys = await scram.auth.scramKeys("ann", "SHA-256");
  const others = await scram.auth.scramKeys("bob", "SHA-256");
  deepStrictEqual([keys?.salt, keys?.iterations], [others?.salt, others?.iterations]);
  deepStrictEqual(keys?.storedKey, new Uint8Array(32));
  ok(scram.lines.some((line) => line.includes("the user is disabled")), scram.lines.join());
});
