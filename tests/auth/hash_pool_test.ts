import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { HashingUnavailable, HashPool } from "../../src/auth/hash_pool.ts";
import { parsePasswordHash, type PasswordHash } from "../../src/auth/password_hash.ts";

/** bcrypt of "U*U", a few ms. */
const HASH = hashOf("bcrypt:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");

function hashOf(value: string): PasswordHash {
  const hash = parsePasswordHash(value);
  ok(hash);
  return hash;
}

Deno.test("HashPool.verify() answers each caller, however many ask at once", async () => {
  const pool = new HashPool({ workers: 2 });
  try {
    const asked = Array.from({ length: 40 }, (_, i) => pool.verify(HASH, i % 3 ? "no" : "U*U"));
    deepStrictEqual(await Promise.all(asked), asked.map((_, i) => i % 3 === 0));
    strictEqual(pool.size, 2);
  } finally {
    pool.close();
  }
});

Deno.test("HashPool has no worker before the first check, and none when idle", async () => {
  const pool = new HashPool({ workers: 1, idle: 1 });
  try {
    strictEqual(pool.size, 0);
    strictEqual(await pool.verify(HASH, "U*U"), true);
    while (pool.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    strictEqual(await pool.verify(HASH, "U*U"), true);
  } finally {
    pool.close();
  }
});

Deno.test("HashPool.verify() turns callers away when too many wait", async () => {
  const pool = new HashPool({ workers: 1, queue: 2 });
  try {
    const asked = [1, 2, 3].map(() => pool.verify(HASH, "U*U"));
    await rejects(pool.verify(HASH, "U*U"), HashingUnavailable);
    deepStrictEqual(await Promise.all(asked), [true, true, true]);
  } finally {
    pool.close();
  }
});

Deno.test("HashPool.verify() gives each place its turn, however many checks others wait for", async () => {
  const pool = new HashPool({ workers: 1, queue: 30 });
  try {
    const ended: string[] = [];
    const ask = async (place: string, known = false) => {
      const end = await pool.verify(HASH, "no", { place, known }).then(
        () => place,
        () => "refused",
      );
      ended.push(end);
    };
    const flood = Array.from({ length: 40 }, () => ask("flood"));
    await Promise.all([...flood, ask("office"), ask("home", true), ask("home", true)]);
    const checked = ended.filter((each) => each !== "refused");
    strictEqual(ended.length - checked.length, 12);
    ok(checked.indexOf("office") < 5 && checked.lastIndexOf("home") < 5, checked.join());
  } finally {
    pool.close();
  }
});

Deno.test("HashPool.close() fails the checks that have not ended", async () => {
  const pool = new HashPool({ workers: 1 });
  const asked = [1, 2].map(() => pool.verify(HASH, "U*U"));
  const failed = Promise.all(asked.map((each) => rejects(each, HashingUnavailable)));
  pool.close();
  await failed;
  await rejects(pool.verify(HASH, "U*U"), HashingUnavailable);
  strictEqual(pool.size, 0);
});

Deno.test("HashPool.verify() keeps the event loop free", async () => {
  const pool = new HashPool({ workers: 1 });
  try {
    const slow = hashOf("bcrypt:$2a$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await pool.verify(slow, "U*U");
    clearInterval(timer);
    strictEqual(turns > 0, true);
  } finally {
    pool.close();
  }
});

Deno.test("HashPool.verify() asks no worker about what takes no time", async () => {
  const pool = new HashPool({ workers: 1 });
  try {
    const plain = hashOf("{PLAIN}pässwörd");
    deepStrictEqual(
      await Promise.all(["pässwörd", "pässwör", ""].map((p) => pool.verify(plain, p))),
      [
        true,
        false,
        false,
      ],
    );
    strictEqual(pool.size, 0);
  } finally {
    pool.close();
  }
});
