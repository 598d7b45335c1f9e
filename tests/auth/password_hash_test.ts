import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  costOf,
  formatPasswordHash,
  parsePasswordHash,
  withoutSecret,
} from "../../src/auth/password_hash.ts";
import { equalBytes } from "../../src/auth/sasl/scram_keys.ts";

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
const SHA256_CRYPT = `$5$saltsalt$${"x".repeat(43)}`;
const SHA512_CRYPT = `$6$saltsalt$${"x".repeat(86)}`;
const ARGON2ID = `$argon2id$v=19$m=65536,t=3,p=1$${SALT.replace("=", "")}$${HASH.replace("=", "")}`;
const SCRAM = `{SCRAM-SHA-256}4096,${SALT},${HASH},${HASH}`;

/** Values of other programs, and what is read. */
const BROUGHT: readonly [string, string][] = [
  [`sha256:${SALT}:${HASH}`, "sha256"],
  [`{BLF-CRYPT}${BCRYPT.replace("bcrypt:", "")}`, "bcrypt"],
  [`{CRYPT}${BCRYPT.replace("bcrypt:", "")}`, "bcrypt"],
  [BCRYPT.replace("bcrypt:", ""), "bcrypt"],
  [`{SHA256-CRYPT}${SHA256_CRYPT}`, "sha-crypt"],
  [`{sha512-crypt}${SHA512_CRYPT}`, "sha-crypt"],
  [`{CRYPT}${SHA512_CRYPT}`, "sha-crypt"],
  [SHA256_CRYPT, "sha-crypt"],
  [SHA512_CRYPT.replace("$6$", "$6$rounds=2000000$"), "sha-crypt"],
  [`{ARGON2ID}${ARGON2ID}`, "argon2"],
  [ARGON2ID, "argon2"],
  [SCRAM, "scram"],
  ["{PLAIN}a:{b} c", "plain"],
  ["{CLEARTEXT}a", "plain"],
];

for (const [value, algorithm] of BROUGHT) {
  Deno.test(`parsePasswordHash() reads ${value.slice(0, 32)} as ${algorithm}`, () =>
    strictEqual(parsePasswordHash(value)?.algorithm, algorithm));

  Deno.test(`withoutSecret() leaves of ${value.slice(0, 32)} only what it costs`, () => {
    const hash = parsePasswordHash(value);
    ok(hash);
    strictEqual(costOf(withoutSecret(hash)), costOf(hash));
    ok(!JSON.stringify(withoutSecret(hash)).includes("120,120,120"));
    strictEqual(JSON.stringify(withoutSecret(hash)).includes("a:{b} c"), false);
  });
}

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
    BCRYPT.replace("bcrypt:", "blowfish:"),
    "sha256:",
    `sha256:${SALT}`,
    `sha256:${SALT}:${btoa("short")}`,
    `sha256:${btoa("short")}:${HASH}`,
    `sha256:${SALT}:${HASH}:more`,
    "{}x",
    "{MD5-CRYPT}$1$salt$hash",
    "{PLAIN}",
    "{constructor}x",
    "constructor:x",
    "{CRYPT}secret",
    "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
    `{SHA512-CRYPT}${SHA256_CRYPT}`,
    `{SHA256-CRYPT}${SHA512_CRYPT}`,
    `{BLF-CRYPT}${SHA512_CRYPT}`,
    SHA512_CRYPT.slice(0, -1),
    `${SHA512_CRYPT}.`,
    SHA512_CRYPT.replace("$6$", "$6$rounds=999$"),
    SHA512_CRYPT.replace("$6$", "$6$rounds=2000001$"),
    SHA512_CRYPT.replace("salt", "seventeen-letters"),
    ARGON2ID.replace("argon2id", "argon2d"),
    ARGON2ID.replace("v=19", "v=16"),
    ARGON2ID.replace("m=65536", "m=9999999"),
    ARGON2ID.replace("t=3", "t=0"),
    SCRAM.replace("4096", "0"),
    SCRAM.replace("4096", "9999999"),
    SCRAM.replace("SHA-256", "SHA-1"),
    SCRAM.replace("SHA-256", "SHA-512"),
    `${SCRAM},${HASH}`,
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
  const scram = fc.record({
    algorithm: fc.constant("scram" as const),
    keys: fc.record({
      hash: fc.constant("SHA-256" as const),
      salt: octets(16),
      iterations: fc.integer({ min: 1, max: 5_000_000 }),
      storedKey: octets(32),
      serverKey: octets(32),
    }, { noNullPrototype: true }),
  });
  fc.assert(fc.property(fc.oneof(argon2, bcrypt, scram), (hash) => {
    const read = parsePasswordHash(formatPasswordHash(hash));
    ok(read);
    deepStrictEqual({ ...read }, { ...hash });
  }));
});

Deno.test("formatPasswordHash() keeps a bcrypt hash that another program wrote", () => {
  const hash = parsePasswordHash(BCRYPT);
  ok(hash?.algorithm === "bcrypt");
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
