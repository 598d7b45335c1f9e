// Each form that a name can be given, before the map to passwords and before that to accounts.

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { startServer } from "../harness.ts";
import { accounts, FAILED, login } from "./logins.ts";

/** A form, and what it makes of names; undefined where nobody has such a name. */
type Row = readonly [string, Readonly<Record<string, string | undefined>>];

const IDN = "Ann@xn--BCHER-kva.example";

const ROWS: readonly Row[] = [
  ["auto", { Ann: "ann", [IDN]: "ann@bücher.example", "A B": undefined }],
  ["precis_casefold_email", { Ann: undefined, [IDN]: "ann@bücher.example" }],
  ["precis_casefold", { "\uff21nn": "ann", [IDN]: IDN.toLowerCase(), "A B": undefined }],
  ["precis_email", { Ann: undefined, [IDN]: "Ann@bücher.example" }],
  ["precis", { "\uff21nn": "Ann", [IDN]: IDN, "A B": undefined }],
  ["casefold", { "\uff21nn": "\uff41nn", [IDN]: IDN.toLowerCase(), "A B": "a b" }],
  ["noop", { "\uff21nn": "\uff21nn", [IDN]: IDN, "A B": "A B" }],
];

const EVERY = [
  ...new Set(ROWS.flatMap(([, forms]) => Object.entries(forms).flat())),
].filter((name) => name !== undefined);

/** Each name has a password of its own, which tells by what name it was looked up. */
const passwordOf = (name = "") => `secret-${EVERY.indexOf(name)}`;

const entries = (valueOf: (name: string) => string) =>
  `{ ${EVERY.map((name) => `${JSON.stringify(name)} = "${valueOf(name)}"`).join(", ")} }`;

for (const [form, forms] of ROWS) {
  Deno.test(`auth_map_normalize = "${form}": the password is that of the name's form`, async () => {
    const table = `{ module = "static", entries = ${entries((n) => `{PLAIN}${passwordOf(n)}`)} }`;
    await using server = await startServer({
      authReference: `{ module = "pass_table", allow_plain = true, table = ${table} }`,
      imap: `auth_map_normalize = "${form}"\nstorage_map_normalize = "noop"\n`,
    });
    for (const [name, to] of Object.entries(forms)) {
      const ends = await Promise.all(
        EVERY.map(async (each) => [each, await login(server, name, passwordOf(each))]),
      );
      deepStrictEqual(ends, EVERY.map((each) => [each, each === to ? "OK" : FAILED]), name);
    }
  });

  Deno.test(`storage_map_normalize = "${form}": the account is that of the name's form`, async () => {
    await using server = await startServer({
      imap: `auth_map = ["regexp", ".*", "u1"]\nauth_map_normalize = "noop"\n` +
        `storage_map_normalize = "${form}"\n`,
    });
    for (const [name, to] of Object.entries(forms)) {
      strictEqual(await login(server, name), to === undefined ? FAILED : "OK", name);
    }
    const made = Object.values(forms).filter((name) => name !== undefined);
    deepStrictEqual(await accounts(server), made.sort());
  });
}
