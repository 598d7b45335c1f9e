import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  costOf,
  equalBytes,
  formatPasswordHash,
  parsePasswordHash,
} from "../../src/auth/password_hash.ts";

const BCRYPT = "bcrypt:$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

Deno.test("parsePasswordHash() reads argon2", () => {
  const hash = parsePasswordHash(`argon2:2:19456:1:${btoa("saltsalt")}:${btoa("x".repeat(32))}`);
  ok(hash?.algorithm === "argon2");
  deepStrictEqual([hash.time, hash.memory, hash.threads], [2, 19456, 1]);
  strictEqual(new TextDecoder().decode(hash.salt), "saltsalt");
  strictEqual(hash.hash.length, 32);
});

Deno.test("parsePasswordHash() reads bcrypt in all its variants", () => {
  const canonical = parsePasswordHash(BCRYPT);
  ok(canonical?.algorithm === "bcrypt");
  strictEqual(canonical.cost, 5);
  strictEqual(canonical.salt.length, 16);
  for (const variant of ["$2a$", "$2y$"]) {
    deepStrictEqual(parsePasswordHash(BCRYPT.replace("$2b$", variant)), canonical);
  }
});

const SALT = btoa("saltsalt");
const HASH = btoa("x".repeat(32));
for (
  const value of [
    "",
    "secret",
    "md5:abc",
    "argon2:",
    "argon2:2:19456:1",
    `argon2:0:19456:1:${SALT}:${HASH}`,
    `argon2:2:4:1:${SALT}:${HASH}`,
    `argon2:2:9999999:1:${SALT}:${HASH}`,
    `argon2:101:19456:1:${SALT}:${HASH}`,
    `argon2:2:19456:0:${SALT}:${HASH}`,
    `argon2:2:19456:1:${btoa("short")}:${HASH}`,
    `argon2:2:19456:1:${SALT}:${btoa("short")}`,
    `argon2:2:19456:1:=:${HASH}`,
    `argon2:2:19456:1:${SALT}:${HASH}:more`,
    "bcrypt:",
    BCRYPT.slice(0, -1),
    `${BCRYPT}x`,
    BCRYPT.replace("$05$", "$03$"),
    BCRYPT.replace("$05$", "$31$"),
    BCRYPT.replace("bcrypt:", ""),
    BCRYPT.replace("E5Y", "E:Y"),
  ]
) {
  Deno.test(`parsePasswordHash() refuses ${JSON.stringify(value)}`, () =>
    strictEqual(parsePasswordHash(value), undefined));
}

Deno.test("formatPasswordHash() writes what parsePasswordHash() reads", () => {
  const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const argon2 = fc.record({
    algorithm: fc.constant("argon2" as const),
    time: fc.integer({ min: 1, max: 100 }),
    memory: fc.integer({ min: 64, max: 1 << 20 }),
    threads: fc.integer({ min: 1, max: 8 }),
    salt: octets(16),
    hash: octets(32),
  });
  const bcrypt = fc.record({
    algorithm: fc.constant("bcrypt" as const),
    cost: fc.integer({ min: 4, max: 20 }),
    salt: octets(16),
    hash: octets(23),
  });
  fc.assert(fc.property(fc.oneof(argon2, bcrypt), (hash) => {
    const read = parsePasswordHash(formatPasswordHash(hash));
    ok(read);
    deepStrictEqual({ ...read }, { ...hash });
  }));
});

Deno.test("formatPasswordHash() keeps a bcrypt hash that another program wrote", () => {
  const hash = parsePasswordHash(BCRYPT);
  ok(hash);
  strictEqual(formatPasswordHash(hash), BCRYPT);
});

Deno.test("costOf() tells apart what takes different time", () => {
  const cost = (value: string) => {
    const hash = parsePasswordHash(value);
    ok(hash);
    return costOf(hash);
  };
  strictEqual(cost(BCRYPT), cost(BCRYPT.replace("E5Y", "E5Z")));
  ok(cost(BCRYPT) !== cost(BCRYPT.replace("$05$", "$06$")));
  ok(cost(`argon2:2:99:1:${SALT}:${HASH}`) !== cost(`argon2:3:99:1:${SALT}:${HASH}`));
});

Deno.test("equalBytes() compares contents and lengths", () => {
  strictEqual(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
  strictEqual(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false);
  strictEqual(equalBytes(Uint8Array.of(1, 1), Uint8Array.of(1)), false);
  strictEqual(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 1)), false);
  strictEqual(equalBytes(Uint8Array.of(0), Uint8Array.of()), false);
});
