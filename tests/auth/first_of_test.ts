import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { ClientInfo, ScramKeys } from "../../src/auth/auth.ts";
import { FirstOf } from "../../src/auth/first_of.ts";
import { fakeAuthenticator, refusal } from "./authenticators.ts";

const CLIENT: ClientInfo = { remote: "192.0.2.1", secure: true, id: "1" };
const BYTES = new Uint8Array(32);
const KEYS: ScramKeys = {
  ...{ hash: "SHA-256", salt: BYTES, iterations: 4096 },
  ...{ storedKey: BYTES, serverKey: BYTES },
};

Deno.test("FirstOf.checkPassword() asks one after the other until one says yes", async () => {
  const first = fakeAuthenticator({ passwords: { ann: "one" } });
  const second = fakeAuthenticator({ passwords: { ann: "two", bob: "three" } });
  const auth = new FirstOf([first, fakeAuthenticator({ tokens: {} }), second]);
  deepStrictEqual(await auth.checkPassword("ann", "one", CLIENT), { ok: true, username: "ann" });
  deepStrictEqual(second.asked, []);
  deepStrictEqual(await auth.checkPassword("ann", "two", CLIENT), { ok: true, username: "ann" });
  deepStrictEqual(await auth.checkPassword("bob", "three", CLIENT), { ok: true, username: "bob" });
  deepStrictEqual(await auth.checkPassword("bob", "x", CLIENT), refusal("wrong password"));
});

Deno.test("FirstOf.checkPassword() is unavailable only if nobody says yes and one could not be asked", async () => {
  const down = fakeAuthenticator({ passwords: {}, down: true });
  const up = fakeAuthenticator({ passwords: { ann: "one" } });
  for (const auth of [new FirstOf([down, up]), new FirstOf([up, down])]) {
    deepStrictEqual(await auth.checkPassword("ann", "one", CLIENT), { ok: true, username: "ann" });
    const refused = await auth.checkPassword("ann", "x", CLIENT);
    strictEqual(!refused.ok && refused.reason, "unavailable");
  }
  const refused = await new FirstOf([up, down]).checkPassword("ann", "x", CLIENT);
  strictEqual(!refused.ok && refused.detail, "wrong password; it is down");
});

Deno.test("FirstOf.scramSettings are those of the members that it asks for keys", () => {
  const settings = { hash: "SHA-256", iterations: 4096, saltOctets: 16, users: 1 } as const;
  const scramSettings = [settings, { ...settings, hash: "SHA-1" } as const];
  const asked = { ...fakeAuthenticator({ keys: {} }), scramSettings };
  const other = { ...fakeAuthenticator({ passwords: {} }), scramSettings };
  deepStrictEqual(new FirstOf([other, asked, asked]).scramSettings, [settings, settings]);
});

Deno.test("FirstOf.scramKeys() has the keys of the first member that has some", async () => {
  const keys = { ann: KEYS };
  const none = fakeAuthenticator({ passwords: { ann: "x" } });
  const down = fakeAuthenticator({ keys, down: true });
  const auth = new FirstOf([none, down, fakeAuthenticator({ keys })]);
  strictEqual(await auth.scramKeys("ann", "SHA-256"), KEYS);
  deepStrictEqual(none.asked, []);
  strictEqual(await new FirstOf([none]).scramKeys("ann", "SHA-256"), undefined);
  strictEqual(
    await new FirstOf([fakeAuthenticator({ keys })]).scramKeys("bob", "SHA-256"),
    undefined,
  );
  await rejects(auth.scramKeys("bob", "SHA-256"), /it is down/);
});

Deno.test("FirstOf.checkToken() asks only those who know tokens", async () => {
  const passwords = fakeAuthenticator({ passwords: {} });
  const auth = new FirstOf([passwords, fakeAuthenticator({ tokens: { t: "ann" } })]);
  deepStrictEqual(await auth.checkToken("t", "", CLIENT), { ok: true, username: "ann" });
  deepStrictEqual(await auth.checkToken("t", "bob", CLIENT), refusal("wrong token"));
  deepStrictEqual(passwords.asked, []);
});

Deno.test("FirstOf.can is what all members can", () => {
  const can = (...members: Parameters<typeof fakeAuthenticator>[0][]) =>
    new FirstOf(members.map(fakeAuthenticator)).can;
  deepStrictEqual(can({ passwords: {} }, { tokens: {} }), {
    password: true,
    scram: [],
    scramAnyway: false,
    token: true,
  });
  deepStrictEqual(can({ keys: {} }, { keys: {} }), {
    password: false,
    scram: ["SHA-256"],
    scramAnyway: false,
    token: false,
  });
  deepStrictEqual(
    can({ keys: {} }, { passwords: {} }).scram,
    [],
    "users of the other have no keys",
  );
});
