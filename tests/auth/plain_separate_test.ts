import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { ClientInfo, ScramKeys } from "../../src/auth/auth.ts";
import { PlainSeparate } from "../../src/auth/plain_separate.ts";
import { memoryLog } from "../../src/log.ts";
import type { Table } from "../../src/tables/table.ts";
import { fakeAuthenticator, type Known, refusal } from "./authenticators.ts";

const CLIENT: ClientInfo = { remote: "192.0.2.1", secure: true, id: "1" };
const BYTES = new Uint8Array(32);
const KEYS: ScramKeys = {
  ...{ hash: "SHA-256", salt: BYTES, iterations: 4096 },
  ...{ storedKey: BYTES, serverKey: BYTES },
};

function table(...users: string[]): Table {
  return { lookup: (key) => Promise.resolve(users.includes(key) ? "" : undefined) };
}
const BROKEN: Table = { lookup: () => Promise.reject(new Error("disk on fire")) };

function separate(users: readonly Table[], known: Known) {
  const lines: string[] = [];
  const passwords = fakeAuthenticator(known);
  const auth = new PlainSeparate({ users, passwords, log: memoryLog(lines) });
  return { auth, passwords, lines };
}

const PASSWORDS = { ann: "one", bob: "two" };

Deno.test("PlainSeparate.checkPassword() lets in whom a table knows and a module lets in", async () => {
  const { auth, passwords } = separate([table("carl"), table("ann")], { passwords: PASSWORDS });
  deepStrictEqual(await auth.checkPassword("ann", "one", CLIENT), { ok: true, username: "ann" });
  deepStrictEqual(await auth.checkPassword("ann", "x", CLIENT), refusal("wrong password"));
  deepStrictEqual(await auth.checkPassword("bob", "two", CLIENT), refusal("unknown user"));
  deepStrictEqual(passwords.asked, ["password of ann", "password of ann", "password of bob"]);
});

Deno.test("PlainSeparate without tables lets in whoever has a password, and nobody else", async () => {
  const { auth } = separate([], { passwords: PASSWORDS });
  deepStrictEqual(await auth.checkPassword("bob", "two", CLIENT), { ok: true, username: "bob" });
  deepStrictEqual(await auth.checkPassword("bob", "x", CLIENT), refusal("wrong password"));
});

Deno.test("PlainSeparate is unavailable when a table cannot be read and no other knows the user", async () => {
  const { auth, lines } = separate([BROKEN, table("ann")], { passwords: PASSWORDS, keys: {} });
  deepStrictEqual(await auth.checkPassword("ann", "one", CLIENT), { ok: true, username: "ann" });
  deepStrictEqual(await auth.checkPassword("bob", "two", CLIENT), {
    ok: false,
    reason: "unavailable",
    detail: "disk on fire",
  });
  await rejects(auth.scramKeys("bob", "SHA-256"), /disk on fire/);
  strictEqual(lines[0], 'error: user table cannot be read error="disk on fire"');
});

Deno.test("PlainSeparate has keys and tokens only of users", async () => {
  const { auth } = separate([table("ann")], {
    keys: { ann: KEYS, bob: KEYS },
    tokens: { a: "ann", b: "bob" },
  });
  strictEqual(await auth.scramKeys("ann", "SHA-256"), KEYS);
  strictEqual(await auth.scramKeys("bob", "SHA-256"), undefined);
  deepStrictEqual(await auth.checkToken("a", "", CLIENT), { ok: true, username: "ann" });
  deepStrictEqual(await auth.checkToken("b", "", CLIENT), refusal("unknown user"));
  deepStrictEqual(auth.can, { password: false, scram: ["SHA-256"], token: true });
});
