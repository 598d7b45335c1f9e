/** What every authenticator that asks somebody else keeps to, whoever that is. */

import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Authenticator, AuthResult, ClientInfo } from "../../src/auth/auth.ts";

/** A client of the tests. */
export const CLIENT: ClientInfo = { remote: "192.0.2.7", secure: true, id: "t" };

/** An authenticator, and the peer that it asks. */
export interface AuthenticatorFixture extends AsyncDisposable {
  readonly auth: Authenticator;
  /** What the authenticator logged. */
  readonly lines: readonly string[];
  /** A name and a password that are right. */
  readonly username: string;
  readonly password: string;
  /** Lets nobody ask the peer. */
  stopPeer(): Promise<void>;
  /** Lets it be asked again. */
  startPeer(): Promise<void>;
}

/** Registers the tests; they are ignored, by name, where `missing` says what is not there. */
export function authenticatorContract(
  name: string,
  missing: readonly string[],
  open: () => Promise<AuthenticatorFixture>,
): void {
  const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";
  const test = (what: string, body: (fixture: AuthenticatorFixture) => Promise<void>) =>
    Deno.test({
      name: `${name} ${what}${reason}`,
      ignore: missing.length > 0,
      async fn() {
        await using fixture = await open();
        await body(fixture);
      },
    });

  test("lets in who knows the password", async ({ auth, username, password }) => {
    strictEqual(auth.can.password, true);
    deepStrictEqual(await auth.checkPassword(username, password, CLIENT), { ok: true, username });
  });

  test("refuses wrong passwords and unknown names", async ({ auth, username, password, lines }) => {
    for (
      const [name, secret] of [
        [username, `${password}x`],
        [username, password.slice(0, -1)],
        [username, password.toUpperCase()],
        ["nobody-knows-me", password],
        ["*", password],
        [`${username}*`, password],
        [`${username} x`, password],
        ["EXTERNAL", password],
      ]
    ) refusedFor(await auth.checkPassword(name, secret, CLIENT), `${name} ${secret}`);
    ok(!lines.join("\n").includes(password), lines.join("\n"));
  });

  test("refuses what can be no name or password", async ({ auth, username, password, lines }) => {
    const detail = async (name: string, secret: string) =>
      refusedFor(await auth.checkPassword(name, secret, CLIENT), JSON.stringify([name, secret]));
    strictEqual(await detail(username, ""), "an empty password");
    strictEqual(await detail("", password), "an empty user name");
    for (const odd of ["\0", "\n", "\r\n", "\t", "\x7f"]) {
      strictEqual(
        await detail(`${username}${odd}x`, password),
        "control characters in the user name",
      );
    }
    strictEqual(await detail(username, `${password}\0x`), "a NUL in the password");
    strictEqual(await detail(username, `\0`), "a NUL in the password");
    strictEqual(await detail(username, "p".repeat(100_000)), "the password is too long");
    strictEqual(await detail("u".repeat(100_000), password), "the user name is too long");
    deepStrictEqual(lines, []);
  });

  test("refuses long passwords that somebody could have", async ({ auth, username, password }) => {
    for (const length of [511, 512, 513, 1000, 4096]) {
      refusedFor(await auth.checkPassword(username, "p".repeat(length), CLIENT), String(length));
    }
    refusedFor(await auth.checkPassword(username, "ü".repeat(2048), CLIENT), "two octets each");
    strictEqual((await auth.checkPassword(username, password, CLIENT)).ok, true);
  });

  test("checks many at once", async ({ auth, username, password }) => {
    const results = await Promise.all(
      Array.from(
        { length: 24 },
        (_, i) => auth.checkPassword(username, i % 3 === 0 ? "wrong" : password, CLIENT),
      ),
    );
    deepStrictEqual(results.map((result) => result.ok), results.map((_, i) => i % 3 !== 0));
  });

  test("is unavailable without its peer, and recovers", async (fixture) => {
    const { auth, username, password, lines } = fixture;
    strictEqual((await auth.checkPassword(username, password, CLIENT)).ok, true);
    strictEqual(lines.length, 0);
    await fixture.stopPeer();
    const result = await auth.checkPassword(username, password, CLIENT);
    ok(!result.ok);
    strictEqual(result.reason, "unavailable", result.detail);
    notStrictEqual(result.detail, "");
    strictEqual(lines.length, 1, lines.join("\n"));
    ok(lines[0].startsWith("error: "), lines[0]);
    ok(!lines[0].includes(password), lines[0]);
    await fixture.startPeer();
    deepStrictEqual(await auth.checkPassword(username, password, CLIENT), { ok: true, username });
  });

  test("is unavailable after close()", async ({ auth, username, password }) => {
    const under = auth.checkPassword(username, password, CLIENT);
    await auth.close();
    // Either way it has ended.
    await under;
    const result = await auth.checkPassword(username, password, CLIENT);
    strictEqual(!result.ok && result.reason, "unavailable");
  });
}

/** @returns the reason for the log */
function refusedFor(result: AuthResult, what: string): string {
  ok(!result.ok, `Expected a refusal of ${what.slice(0, 80)}`);
  strictEqual(result.reason, "bad-credentials", `${what.slice(0, 80)}: ${result.detail}`);
  return result.detail;
}
