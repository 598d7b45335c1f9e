import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ScramSettings } from "../../src/auth/auth.ts";
import { keysOfNobody } from "../../src/auth/keys_of_nobody.ts";

const SECRET = new Uint8Array(32);
const COMMON: ScramSettings = { hash: "SHA-256", iterations: 4096, saltOctets: 16, users: 60 };
const DEAR: ScramSettings = { ...COMMON, iterations: 100_000, users: 30 };
const LONG: ScramSettings = { ...COMMON, saltOctets: 80, users: 10 };
const OTHER: ScramSettings = { ...COMMON, hash: "SHA-1", users: 1000, iterations: 1 };

const nobody = (name: string, known: readonly ScramSettings[]) =>
  keysOfNobody(name, "SHA-256", known, SECRET);

Deno.test("keysOfNobody: names have the settings of users as often as users have", async () => {
  const known = [LONG, OTHER, COMMON, DEAR];
  const found = new Map<string, number>();
  for (let i = 0; i < 1000; i++) {
    const { iterations, salt } = await nobody(`nobody${i}`, known);
    const key = `${iterations} ${salt.length}`;
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  strictEqual(found.size, 3);
  for (const { iterations, saltOctets, users } of [COMMON, DEAR, LONG]) {
    const count = found.get(`${iterations} ${saltOctets}`) ?? 0;
    ok(Math.abs(count - users * 10) < 50, `${count} of 1000 in place of ${users} of 100`);
  }
});

Deno.test("keysOfNobody: a name has the same again, in whatever order users are", async () => {
  for (let i = 0; i < 20; i++) {
    const keys = await nobody(`nobody${i}`, [LONG, COMMON, DEAR]);
    deepStrictEqual(await nobody(`nobody${i}`, [DEAR, OTHER, LONG, COMMON]), keys);
  }
});

Deno.test("keysOfNobody: who gets other settings gets another salt, and long ones are no pattern", async () => {
  const { salt } = await nobody("eve", [LONG]);
  notDeepStrictEqual((await nobody("eve", [{ ...LONG, iterations: 1 }])).salt, salt);
  notDeepStrictEqual((await nobody("eve", [COMMON])).salt, salt.slice(0, 16));
  strictEqual(
    new Set(Array.from({ length: 5 }, (_, i) => salt.slice(i * 16, i * 16 + 16).join())).size,
    5,
  );
});
