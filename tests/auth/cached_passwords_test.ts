import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ClientInfo } from "../../src/auth/auth.ts";
import { CachedPasswords } from "../../src/auth/cached_passwords.ts";
import { fakeAuthenticator } from "./authenticators.ts";

const CLIENT: ClientInfo = { remote: "192.0.2.1", secure: true, id: "1" };

Deno.test("CachedPasswords asks once about who was let in, and each time about who was not", async () => {
  const inner = fakeAuthenticator({ passwords: { ann: "secret" } });
  const auth = new CachedPasswords(inner, 60_000);
  for (const password of ["wrong", "secret", "secret", "wrong"]) {
    const result = await auth.checkPassword("ann", password, CLIENT);
    strictEqual(result.ok, password === "secret");
  }
  strictEqual(inner.asked.length, 3);
  strictEqual((await auth.checkPassword("bob", "secret", CLIENT)).ok, false);
  await auth.close();
});

Deno.test("CachedPasswords asks anew for another address, or without TLS", async () => {
  const inner = fakeAuthenticator({ passwords: { ann: "secret" } });
  const auth = new CachedPasswords(inner, 60_000);
  const clients = [
    CLIENT,
    { ...CLIENT, remote: "192.0.2.2" },
    { ...CLIENT, secure: false },
    { ...CLIENT, id: "2" },
  ];
  const asked: number[] = [];
  for (const client of clients) {
    await auth.checkPassword("ann", "secret", client);
    asked.push(inner.asked.length);
  }
  deepStrictEqual(asked, [1, 2, 3, 3]);
  await auth.close();
});
