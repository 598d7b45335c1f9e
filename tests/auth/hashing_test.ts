import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { hashPassword, UnfitPassword, verifyPassword } from "../../src/auth/hashing.ts";
import {
  formatPasswordHash,
  HASH_ALGORITHMS,
  type HashAlgorithm,
  parsePasswordHash,
} from "../../src/auth/password_hash.ts";
import { isInstalled, run } from "../clients/programs.ts";

async function verifies(value: string, password: string): Promise<boolean> {
  const hash = parsePasswordHash(value);
  ok(hash, value);
  return await verifyPassword(hash, password);
}

function argon2(time: number, memory: number, threads: number, salt: string, hex: string): string {
  const hash = String.fromCharCode(...hex.match(/../g)?.map((octet) => parseInt(octet, 16)) ?? []);
  return `argon2:${time}:${memory}:${threads}:${btoa(salt)}:${btoa(hash)}`;
}

/** From the test vectors of the reference implementations, and of SHA-crypt's description. */
const KNOWN: readonly [string, string][] = [
  [
    "Hello world!",
    "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
  ],
  [
    "Hello world!",
    "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
  ],
  [
    "This is just a test",
    "$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5",
  ],
  [
    "a very much longer text to encrypt.  This one even stretches over morethan one line.",
    "$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
  ],
  [
    "we have a short salt string but not a short password",
    "$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/",
  ],
  [
    "a short string",
    "$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD",
  ],
  [
    "Hello world!",
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
  ],
  [
    "Hello world!",
    "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
  ],
  [
    "This is just a test",
    "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0",
  ],
  [
    "a very much longer text to encrypt.  This one even stretches over morethan one line.",
    "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
  ],
  [
    "we have a short salt string but not a short password",
    "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
  ],
  [
    "a short string",
    "$6$rounds=123456$asaltof16chars..$BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1",
  ],
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
  ["password", `sha256:${btoa("saltsalt")}:HktwV0uOyWM+9KH8ERP79cBLbsgQeYVUu8a/6Fvqu0w=`],
  ["U*U", "bcrypt:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U*U*U", "bcrypt:$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"],
];

for (const [password, value] of KNOWN) {
  Deno.test(`verifyPassword() knows ${value.slice(0, 30)}`, async () => {
    strictEqual(await verifies(value, password), true);
    strictEqual(await verifies(value, `${password} `), false);
    strictEqual(await verifies(value, ""), false);
    strictEqual(await verifies(value, "x".repeat(4096)), false);
  });
}

const MADE: Readonly<Record<HashAlgorithm, RegExp>> = {
  argon2: /^argon2:2:19456:1:/,
  bcrypt: /^bcrypt:\$2b\$12\$/,
  "scram-sha-256": /^\{SCRAM-SHA-256\}15000,/,
};

for (const algorithm of HASH_ALGORITHMS) {
  Deno.test(`hashPassword() makes ${algorithm} hashes that verify, each with its own salt`, async () => {
    const first = formatPasswordHash(await hashPassword(algorithm, "pässwörd 🔑"));
    const second = formatPasswordHash(await hashPassword(algorithm, "pässwörd 🔑"));
    match(first, MADE[algorithm]);
    ok(first !== second);
    strictEqual(await verifies(first, "pässwörd 🔑"), true);
    strictEqual(await verifies(first, "passwörd 🔑"), false);
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
  strictEqual(await verifies(value, long), true);
  strictEqual(await verifies(value, `${long}!`), false);
});

Deno.test("verifyPassword() compares plain passwords as a whole", async () => {
  strictEqual(await verifies("{PLAIN}pässwörd", "pässwörd"), true);
  strictEqual(await verifies("{PLAIN}pässwörd", "pässwör"), false);
  strictEqual(await verifies("{PLAIN}pässwörd", "pässwörds"), false);
  strictEqual(await verifies("{PLAIN}pässwörd", ""), false);
});

Deno.test("verifyPassword() takes any spelling of a password for SCRAM", async () => {
  const value = formatPasswordHash(await hashPassword("scram-sha-256", "p\u00e4ss w\u00f6rd"));
  strictEqual(await verifies(value, "pa\u0308ss\u00a0wo\u0308rd"), true);
});

const SCHEMES = [
  ...["ARGON2ID", "BLF-CRYPT", "CLEARTEXT", "CRYPT", "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"],
  ...["SHA256-CRYPT", "SHA512-CRYPT"],
];
const doveadm = isInstalled("doveadm");
for (const scheme of SCHEMES) {
  const skipped = doveadm ? "" : " (skipped: no doveadm here)";
  Deno.test({
    name: `verifyPassword() takes what doveadm pw makes for ${scheme}${skipped}`,
    ignore: !doveadm,
    async fn() {
      for (const password of ["secret", "pässwörd, with: more $than {letters}"]) {
        const { code, stdout, stderr } = await run([
          ...["doveadm", "-O", "pw", "-s", scheme, "-p", password],
        ]);
        strictEqual(code, 0, stderr);
        strictEqual(await verifies(stdout.trim(), password), true, stdout);
        strictEqual(await verifies(stdout.trim(), `${password}.`), false, stdout);
      }
    },
  });
}
