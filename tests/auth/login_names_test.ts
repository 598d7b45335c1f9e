import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { accountNameFault } from "../../src/auth/account_name.ts";
import type { Authenticator } from "../../src/auth/auth.ts";
import { EndpointLogin } from "../../src/auth/login.ts";
import { mappedNames, type NameMap } from "../../src/auth/login_names.ts";
import { memoryLog } from "../../src/log.ts";
import { NORMALIZATIONS } from "../../src/names/normalization.ts";
import { identityTable, staticTable } from "../../src/tables/fixed_tables.ts";
import type { Table } from "../../src/tables/table.ts";

const CLIENT = { remote: "192.0.2.1", secure: true, id: "1" };
const IDENTITY: NameMap = { normalize: NORMALIZATIONS.noop, table: identityTable() };
const BROKEN: Table = { lookup: () => Promise.reject(new Error("the disk is gone")) };

function table(entries: Record<string, string>): Table {
  return staticTable(new Map(Object.entries(entries).map(([key, value]) => [key, [value]])));
}

/** A login with the maps; what its authenticator was asked, and what was logged. */
function login(auth: Partial<NameMap>, storage: Partial<NameMap>) {
  const asked: string[] = [];
  const lines: string[] = [];
  const anybody: Authenticator = {
    can: { password: true, scram: [], token: false },
    checkPassword(username, password) {
      asked.push(username);
      return Promise.resolve(
        password === "right"
          ? { ok: true, username }
          : { ok: false, reason: "bad-credentials", detail: "wrong password" },
      );
    },
    close: () => Promise.resolve(),
  };
  const names = mappedNames({ ...IDENTITY, ...auth }, { ...IDENTITY, ...storage });
  const log = memoryLog(lines);
  const secret = new Uint8Array(32);
  const named = new EndpointLogin({
    auth: anybody,
    names,
    accountFault: accountNameFault,
    secret,
    log,
  });
  const check = (name: string, password = "right") => named.password(name, password, CLIENT);
  return { asked, lines, check };
}

Deno.test("mappedNames: brings a name into its form first, then looks it up", async () => {
  const names = mappedNames(
    { normalize: NORMALIZATIONS.auto, table: table({ "ann@example.org": "user", ANN: "never" }) },
    { normalize: NORMALIZATIONS.casefold, table: table({ "ann@example.org": "box" }) },
  );
  strictEqual(await names.forAuth("Ann@EXAMPLE.org"), "user");
  strictEqual(await names.forStorage("Ann@EXAMPLE.org"), "box");
  strictEqual(await names.forAuth("ANN"), undefined);
  strictEqual(await names.forAuth("a b@example.org"), undefined);
});

Deno.test("EndpointLogin maps the typed name for the password and for the account apart", async () => {
  const { asked, check } = login(
    { table: table({ ann: "ann@example.org" }) },
    { table: table({ ann: "box1", "ann@example.org": "never" }) },
  );
  deepStrictEqual(await check("ann"), { ok: true, username: "box1" });
  deepStrictEqual(asked, ["ann@example.org"]);
});

Deno.test("EndpointLogin checks a password also for a name that maps to nobody", async () => {
  const { asked, check } = login({ table: table({}) }, {});
  for (const name of ["ann", "ann@example.org"]) {
    deepStrictEqual(await check(name), {
      ok: false,
      reason: "bad-credentials",
      detail: "no user for this name",
    });
  }
  match(asked.join(), /^nobody-[-\da-f]{36},nobody-[-\da-f]{36}@example\.org$/);
});

Deno.test("EndpointLogin looks for the account only once the password is right", async () => {
  const { check } = login({}, { table: table({}) });
  deepStrictEqual(await check("ann", "wrong"), {
    ok: false,
    reason: "bad-credentials",
    detail: "wrong password",
  });
  deepStrictEqual(await check("ann"), {
    ok: false,
    reason: "bad-credentials",
    detail: "no account for this name",
  });
});

for (const maps of [[{ table: BROKEN }, {}], [{}, { table: BROKEN }]]) {
  const which = maps[0] === undefined || !("table" in maps[0]) ? "storage" : "auth";
  Deno.test(`EndpointLogin is unavailable where the table of ${which} cannot be read`, async () => {
    const { check, lines } = login(maps[0], maps[1]);
    deepStrictEqual(await check("ann"), {
      ok: false,
      reason: "unavailable",
      detail: "the disk is gone",
    });
    deepStrictEqual(lines, ['error: login cannot be checked now conn=1 error="the disk is gone"']);
  });
}

Deno.test("EndpointLogin refuses what can be no account's name, and says so in the log", async () => {
  const { check, lines } = login({}, { table: table({ ann: "../ann" }) });
  deepStrictEqual(await check("ann"), {
    ok: false,
    reason: "bad-credentials",
    detail: "the name has a slash or control characters",
  });
  deepStrictEqual(lines, [
    "warning: login refused: no account can have this name username=../ann " +
    'fault="has a slash or control characters"',
  ]);
});
