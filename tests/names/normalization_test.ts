import { strictEqual } from "node:assert/strict";
import { NORMALIZATIONS } from "../../src/names/normalization.ts";

type Name = keyof typeof NORMALIZATIONS;

const CASES: readonly (readonly [Name, string, string?])[] = [
  ["auto", "Ann", "ann"],
  ["auto", "Ann@Example.ORG", "ann@example.org"],
  ["auto", "Ann@B\u00dcCHER.example", "ann@b\u00fccher.example"],
  ["auto", "ann@xn--bcher-kva.example", "ann@b\u00fccher.example"],
  ["auto", "ann@example.org.", "ann@example.org"],
  ["auto", "ann@\u4f8b\uff0eJP", "ann@\u4f8b.jp"],
  ["auto", "a@b@Example.org", "a@b@example.org"],
  ["auto", "postmaster", "postmaster"],
  ["auto", "Stra\u00dfe@stra\u00dfe.de", "stra\u00dfe@stra\u00dfe.de"],
  ["auto", ""],
  ["auto", "a b"],
  ["auto", "@"],
  ["auto", "ann@"],
  ["auto", "@example.org"],
  ["auto", "ann@example..org"],
  ["auto", "ann@-example.org"],
  ["auto", "ann@xn--a"],
  ["auto", "ann@exa mple.org"],
  ["auto", `ann@${"x".repeat(64)}.org`],
  ["auto", "a nn@example.org"],
  ["auto", "\u05d0a@example.org"],
  ["precis_casefold_email", "Ann@Example.org", "ann@example.org"],
  ["precis_casefold_email", "ann"],
  ["precis_casefold", "Ann@Example.org", "ann@example.org"],
  ["precis_email", "Ann@Example.ORG", "Ann@example.org"],
  ["precis_email", "Ann"],
  ["precis", "\uff21nn", "Ann"],
  ["precis", "a b"],
  ["casefold", "A B\u0301 \u2163", "a b\u0301 \u2173"],
  ["noop", "A B", "A B"],
];

for (const [name, from, to] of CASES) {
  const title = to === undefined ? "refuses" : "takes";
  Deno.test(`${name}: ${title} ${JSON.stringify(from)}`, () =>
    strictEqual(NORMALIZATIONS[name](from), to));
}
