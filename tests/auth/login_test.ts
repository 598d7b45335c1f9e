import { deepStrictEqual, match, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { accountNameFault } from "../../src/auth/account_name.ts";
import { type ClientInfo, FREE_GUESS, type ScramKeys } from "../../src/auth/auth.ts";
import { type LoginNames, mappedNames, type NameMap } from "../../src/auth/login_names.ts";
import { EndpointLogin } from "../../src/auth/login.ts";
import { memoryLog } from "../../src/log.ts";
import { NORMALIZATIONS } from "../../src/names/normalization.ts";
import { chainTable } from "../../src/tables/chain_table.ts";
import { optionalEmailLocalpartTable } from "../../src/tables/email_tables.ts";
import { identityTable, staticTable } from "../../src/tables/fixed_tables.ts";
import { regexpTable } from "../../src/tables/regexp_table.ts";
import { DOWN, fakeAuthenticator, type Known, refusal, SAME_NAMES } from "./authenticators.ts";

const CLIENT: ClientInfo = { remote: "192.0.2.1", secure: true, id: "1" };
const KEYS: ScramKeys = {
  ...{ hash: "SHA-256", salt: new Uint8Array(16), iterations: 4096 },
  ...{ storedKey: new Uint8Array(32), serverKey: new Uint8Array(32) },
};

function endpoint(known: Known, names: LoginNames = SAME_NAMES) {
  const lines: string[] = [];
  const auth = fakeAuthenticator(known);
  const secret = new Uint8Array(32);
  const log = memoryLog(lines);
  const login = new EndpointLogin({ auth, names, accountFault: accountNameFault, secret, log });
  return { login, auth, lines };
}

const PASSWORDS = { ann: "right", "../ann": "right", admin: "right" };

Deno.test("EndpointLogin.password() checks the password first, then the name", async () => {
  const { login, lines } = endpoint({ passwords: PASSWORDS });
  deepStrictEqual(await login.password("ann", "right", CLIENT), { ok: true, username: "ann" });
  deepStrictEqual(await login.password("..", "wrong", CLIENT), refusal("wrong password"));
  deepStrictEqual(lines, []);
  deepStrictEqual(
    await login.password("../ann", "right", CLIENT),
    refusal("the name has a slash or control characters"),
  );
  deepStrictEqual(lines, [
    "warning: login refused: no account can have this name username=../ann " +
    'fault="has a slash or control characters"',
  ]);
});

/** "mail-X" is the user X and the account x@example.org. */
const MAPPED: LoginNames = {
  forAuth: (name) => Promise.resolve(name.match(/^mail-(.*)/)?.[1]),
  normalForAuth: (name) => name,
  ruledForAuth: (name) => name,
  forStorage: (name) =>
    Promise.resolve(
      name === "mail-admin" ? undefined : name.replace(/^mail-(.*)/, "$1@example.org"),
    ),
};

Deno.test("EndpointLogin maps a name for the authenticator and, apart from that, for the account", async () => {
  const keys = { ann: KEYS };
  const known = { passwords: PASSWORDS, tokens: { t: "ann", m: "mail-ann" }, keys };
  const { login, auth } = endpoint(known, MAPPED);
  const account = { ok: true, username: "ann@example.org" } as const;
  deepStrictEqual(await login.password("mail-ann", "right", CLIENT), account);
  deepStrictEqual(await login.token("t", "mail-ann", CLIENT), account);
  deepStrictEqual(await login.token("m", "", CLIENT), account);
  deepStrictEqual(await login.proven("mail-ann"), account);
  deepStrictEqual(await login.scramKeys("mail-ann", "SHA-256"), {
    ok: true,
    keys: KEYS,
    known: true,
  });
  deepStrictEqual(auth.asked, ["password of ann", "token of ann", "token of ", "keys of ann"]);
});

Deno.test("EndpointLogin refuses names that map to nobody, and works as hard for them", async () => {
  const known = { passwords: PASSWORDS, tokens: { t: "ann" }, keys: { ann: KEYS } };
  const { login, auth } = endpoint(known, MAPPED);
  deepStrictEqual(await login.password("ann", "right", CLIENT), refusal("no user for this name"));
  deepStrictEqual(await login.token("t", "ann", CLIENT), refusal("no user for this name"));
  const offer = await login.scramKeys("ann", "SHA-256");
  ok(offer.ok && !offer.known);
  const [first, ...others] = auth.asked;
  // How long an answer takes must not tell ann's password.
  match(first, /^password of nobody-[-\da-f]{36}$/);
  deepStrictEqual(others, ["keys of ann"]);
  const none = refusal("no account for this name");
  deepStrictEqual(await login.password("mail-admin", "right", CLIENT), none);
  deepStrictEqual(await login.proven("mail-admin"), none);
});

Deno.test("EndpointLogin is unavailable when a name or keys cannot be looked up", async () => {
  const broken = () => Promise.reject(new Error("disk on fire"));
  const failure = { ok: false, reason: "unavailable", detail: "disk on fire" } as const;
  for (
    const names of [{ ...SAME_NAMES, forAuth: broken }, { ...SAME_NAMES, forStorage: broken }]
  ) {
    const { login, lines } = endpoint({ passwords: PASSWORDS, tokens: { t: "ann" } }, names);
    deepStrictEqual(await login.password("ann", "right", CLIENT), failure);
    deepStrictEqual(await login.token("t", "ann", CLIENT), failure);
    strictEqual(lines[0], 'error: login cannot be checked now conn=1 error="disk on fire"');
  }
  const { login } = endpoint({ keys: {}, down: true });
  deepStrictEqual(await login.scramKeys("ann", "SHA-256"), DOWN);
});

Deno.test("EndpointLogin.scramKeys() tells of unknown users the same at each attempt", async () => {
  const { login } = endpoint({ keys: {} });
  const saltOf = async (name: string, hash: "SHA-1" | "SHA-256") => {
    const offer = await login.scramKeys(name, hash);
    ok(offer.ok && !offer.known);
    strictEqual(offer.keys.salt.length, 16);
    strictEqual(offer.keys.iterations, 15_000);
    return offer.keys.salt;
  };
  deepStrictEqual(await saltOf("eve", "SHA-256"), await saltOf("eve", "SHA-256"));
  notDeepStrictEqual(await saltOf("eve", "SHA-256"), await saltOf("bob", "SHA-256"));
  notDeepStrictEqual(await saltOf("eve", "SHA-256"), await saltOf("eve", "SHA-1"));
});

Deno.test("EndpointLogin.scramKeys() tells of unknown users the same for each spelling", async () => {
  const ruledForAuth = (name: string) => name.toLowerCase();
  const unknown: LoginNames[] = [
    { ...SAME_NAMES, ruledForAuth, forAuth: (name) => Promise.resolve(ruledForAuth(name)) },
    { ...SAME_NAMES, ruledForAuth, forAuth: () => Promise.resolve(undefined) },
  ];
  for (const names of unknown) {
    const { login } = endpoint({ keys: {} }, names);
    const eve = await login.scramKeys("eve", "SHA-256");
    deepStrictEqual(await login.scramKeys("EVE", "SHA-256"), eve);
  }
  const { login } = endpoint({ keys: {} });
  const [eve, other] = await Promise.all(
    ["eve", "EVE"].map((name) => login.scramKeys(name, "SHA-256")),
  );
  notDeepStrictEqual(other, eve);
});

/** Whom penalties take guesses at `typed` for. */
function guessedAt(auth: NameMap, typed: readonly string[]): string[] {
  const guessed: string[] = [];
  const login = new EndpointLogin({
    auth: fakeAuthenticator({}),
    names: mappedNames(auth, { normalize: NORMALIZATIONS.noop, table: identityTable() }),
    accountFault: accountNameFault,
    secret: new Uint8Array(32),
    log: memoryLog([]),
    penalties: {
      guess(name) {
        guessed.push(name);
        return FREE_GUESS;
      },
    },
  });
  for (const name of typed) login.penalties.guess(name, "192.0.2.1");
  return guessed;
}

Deno.test("EndpointLogin.penalties: a name has the same in all spellings", () => {
  const normalize = (name: string) => name.trim().toLowerCase() || undefined;
  const auth = { normalize, table: identityTable() };
  deepStrictEqual(guessedAt(auth, ["ann", "ANN", " Ann", " ", ""]), ["ann", "ann", "ann", " ", ""]);
});

Deno.test("EndpointLogin.penalties: a user has the same by all names that a rule makes hers", () => {
  const normalize = NORMALIZATIONS.auto;
  const local = optionalEmailLocalpartTable();
  const settings = { fullMatch: true, caseInsensitive: false, expandPlaceholders: true };
  const regexp = regexpTable({ ...settings, pattern: "(.*)@.*", replacements: ["$1"] });
  const names = ["ann", "Ann@x1.org", "ann@x2.org", ""];
  deepStrictEqual(guessedAt({ normalize, table: local }, names), ["ann", "ann", "ann", ""]);
  deepStrictEqual(guessedAt({ normalize, table: regexp }, names), ["ann", "ann", "ann", ""]);
  const anything = regexpTable({ ...settings, pattern: "(.*)", replacements: ["$1@x.org"] });
  deepStrictEqual(guessedAt({ normalize, table: anything }, ["ann", ""]), ["ann@x.org", ""]);
});

Deno.test("EndpointLogin.penalties: names do not tell by them that they are in a list", () => {
  const normalize = NORMALIZATIONS.auto;
  const list = staticTable(new Map([["ann", ["u1"]], ["anna", ["u1"]]]));
  const table = chainTable([
    { table: optionalEmailLocalpartTable(), optional: false },
    { table: list, optional: true },
    { table: optionalEmailLocalpartTable(), optional: false },
  ]);
  deepStrictEqual(guessedAt({ normalize, table: list }, ["ann", "anna"]), ["ann", "anna"]);
  const names = ["ann@x1.org", "ann@x2.org", "anna@x2.org", "eve@x2.org"];
  deepStrictEqual(guessedAt({ normalize, table }, names), ["ann", "ann", "anna", "eve"]);
});

Deno.test("EndpointLogin refuses a name of more than 1024 characters without asking anybody", async () => {
  const longest = "a".repeat(1024);
  const known = { passwords: { [longest]: "right" }, tokens: { t: longest } };
  const { login, auth } = endpoint(known);
  const tooLong = refusal("the name is too long");
  deepStrictEqual(await login.password(`${longest}a`, "right", CLIENT), tooLong);
  deepStrictEqual(await login.token("t", `${longest}a`, CLIENT), tooLong);
  deepStrictEqual(await login.scramKeys(`${longest}a`, "SHA-256"), tooLong);
  deepStrictEqual(auth.asked, []);
  // Known, but no account can have it.
  deepStrictEqual(
    await login.password(longest, "right", CLIENT),
    refusal("the name is longer than 255 octets"),
  );
});
