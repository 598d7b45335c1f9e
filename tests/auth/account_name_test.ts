import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { resolve } from "node:path";
import fc from "fast-check";
import { accountNameFault, accountPath } from "../../src/auth/account_name.ts";

for (const name of ["ann", "ann@example.org", "a.b+c@d", "Jörg", "a@b@c", "-", "~root", "a b"]) {
  Deno.test(`accountNameFault() takes ${name}`, () =>
    strictEqual(accountNameFault(name), undefined));
}

for (
  const name of [
    "",
    ".",
    "..",
    ".ann",
    "a/b",
    "../x",
    "/etc",
    "a\0b",
    "a\nb",
    "@",
    "ann@",
    "@example.org",
    "ann@..",
    "ann@.",
    "ann@.example.org",
    "..@example.org",
    "x".repeat(256),
    "é".repeat(128),
  ]
) {
  Deno.test(`accountNameFault() refuses ${JSON.stringify(name)}`, () => ok(accountNameFault(name)));
}

Deno.test("accountPath() fills in the name and its parts", () => {
  strictEqual(accountPath("/m/{account}", "ann@d.org"), "/m/ann@d.org");
  strictEqual(accountPath("/m/{domain}/{local}", "a@b@d.org"), "/m/d.org/a@b");
  strictEqual(accountPath("/m/{local}/Maildir", "ann"), "/m/ann/Maildir");
  strictEqual(accountPath("/m/{account}", "{local}"), "/m/{local}");
  strictEqual(accountPath("/m/{account}", "$&"), "/m/$&");
});

Deno.test("accountPath() refuses a name without the domain that it needs", () => {
  throws(() => accountPath("/m/{domain}/{local}", "ann"), RangeError);
});

Deno.test("accountPath() never leads out of its place", () => {
  const piece = fc.constantFrom("a", ".", "..", "/", "@", "\0", "\\", "~", "%2f", "é", "{local}");
  const name = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  const template = fc.constantFrom("/m/{account}", "/m/{local}", "/m/{domain}/{local}");
  fc.assert(
    fc.property(template, name, (template, name) => {
      let path: string;
      try {
        path = accountPath(template, name);
      } catch (error) {
        return ok(error instanceof RangeError);
      }
      const levels = template.split("/").length;
      deepStrictEqual(resolve(path), path);
      strictEqual(path.split("/").length, levels);
      ok(path.startsWith("/m/"));
    }),
    { numRuns: 3000 },
  );
});
