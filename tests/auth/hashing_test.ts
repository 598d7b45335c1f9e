import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { hashPassword, UnfitPassword, verifyPassword } from "../../src/auth/hashing.ts";
import { formatPasswordHash, type HashAlgorithm } from "../../src/auth/password_hash.ts";

function argon2(time: number, memory: number, threads: number, salt: string, hex: string): string {
  const hash = String.fromCharCode(...hex.match(/../g)?.map((octet) => parseInt(octet, 16)) ?? []);
  return `argon2:${time}:${memory}:${threads}:${btoa(salt)}:${btoa(hash)}`;
}

/** From the test vectors of the reference implementations. */
const KNOWN: readonly [string, string][] = [
  [
    "password",
    argon2(
      2,
      256,
      1,
      "somesalt",
      "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
    ),
  ],
  [
    "password",
    argon2(
      2,
      256,
      2,
      "somesalt",
      "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
    ),
  ],
  ["U*U", "bcrypt:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U*U*U", "bcrypt:$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"],
];

for (const [password, value] of KNOWN) {
  Deno.test(`verifyPassword() knows ${value.slice(0, 30)}`, async () => {
    strictEqual(await verifyPassword(value, password), true);
    strictEqual(await verifyPassword(value, `${password} `), false);
    strictEqual(await verifyPassword(value, ""), false);
    strictEqual(await verifyPassword(value, "x".repeat(100)), false);
  });
}

Deno.test("verifyPassword() says no to what is no hash", async () => {
  strictEqual(await verifyPassword("secret", "secret"), false);
});

for (const algorithm of ["argon2", "bcrypt"] satisfies HashAlgorithm[]) {
  Deno.test(`hashPassword() makes ${algorithm} hashes that verify, each with its own salt`, async () => {
    const first = formatPasswordHash(await hashPassword(algorithm, "pässwörd 🔑"));
    const second = formatPasswordHash(await hashPassword(algorithm, "pässwörd 🔑"));
    match(first, algorithm === "argon2" ? /^argon2:2:19456:1:/ : /^bcrypt:\$2b\$12\$/);
    ok(first !== second);
    strictEqual(await verifyPassword(first, "pässwörd 🔑"), true);
    strictEqual(await verifyPassword(first, "passwörd 🔑"), false);
  });

  Deno.test(`hashPassword() refuses an empty password for ${algorithm}`, () =>
    rejects(hashPassword(algorithm, ""), UnfitPassword));
}

Deno.test("hashPassword() refuses what bcrypt would cut short", async () => {
  await rejects(
    hashPassword("bcrypt", "é".repeat(37)),
    new UnfitPassword("Expected at most 72 octets for bcrypt, got 74"),
  );
  const long = "é".repeat(36);
  const value = formatPasswordHash(await hashPassword("bcrypt", long));
  strictEqual(await verifyPassword(value, long), true);
  strictEqual(await verifyPassword(value, `${long}!`), false);
});
