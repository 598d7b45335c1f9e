import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { type Address, MAX_ADDRESSES, parseAddressList } from "../../src/message/address.ts";
import { garbageMail } from "./mail_arbitrary.ts";

/** `name|route|mailbox|host`, with "-" for what is absent. */
function shown(raw: string): string[] {
  return parseAddressList(raw).map((address: Address) =>
    [address.name, address.route, address.mailbox, address.host].map((part) => part ?? "-")
      .join("|")
  );
}

const CASES: Readonly<Record<string, readonly [raw: string, ...shown: string[]]>> = {
  "a bare address": ["a@b.org", "-|-|a|b.org"],
  "a name": ["Ada Lovelace <a@b>", "Ada Lovelace|-|a|b"],
  "a quoted name": ['"Lovelace, \\"Ada\\"" <a@b>', 'Lovelace, "Ada"|-|a|b'],
  "dots in a name": ["J. R. Smith <j@b>", "J. R. Smith|-|j|b"],
  "an encoded name": ["=?utf-8?q?=C3=A9?= <a@b>", "=?utf-8?q?=C3=A9?=|-|a|b"],
  "8-bit in a name": ["J\xf6rg <a@b>", "J\xf6rg|-|a|b"],
  "an address as the name": ["a@b <c@d>", "a@b|-|c|d"],
  "a name without brackets": ["Ada a@b", "Ada|-|a|b"],
  "a comment as name": ["a@b (Ada (nested) \\) L)", "Ada (nested) ) L|-|a|b"],
  "a comment beside a name": ["Ada <a@b> (x)", "Ada|-|a|b"],
  "comments inside an address": ["a (x) @ (y) b . c", "y|-|a|b.c"],
  "a quoted local part": ['"a b"@c, "x@y"@z, a."b".c@d', "-|-|a b|c", "-|-|x@y|z", "-|-|a.b.c|d"],
  "a domain literal": ["a@[IPv6:::1]", "-|-|a|[IPv6:::1]"],
  "a route": ["<@r, @s:a@b>", "-|@r,@s|a|b"],
  "blanks around dots": ["a . b @ c . d", "-|-|a.b|c.d"],
  "folded": ["Ada\r\n <a@b>,\r\n\tc@d", "Ada|-|a|b", "-|-|c|d"],
  "a group": ["g: a@b, C <c@d>; e@f", "-|-|g|-", "-|-|a|b", "C|-|c|d", "-|-|-|-", "-|-|e|f"],
  "an empty group": ["undisclosed-recipients:;", "-|-|undisclosed-recipients|-", "-|-|-|-"],
  "a quoted group name": ['"My: group": a@b;', "-|-|My: group|-", "-|-|a|b", "-|-|-|-"],
  "an open group": ["g: a@b", "-|-|g|-", "-|-|a|b", "-|-|-|-"],
  "a group in a group": [
    "g: a@b, h: c@d;",
    "-|-|g|-",
    "-|-|a|b",
    "-|-|-|-",
    "-|-|h|-",
    "-|-|c|d",
    "-|-|-|-",
  ],
  "no host": ["root, <joe>", "-|-|root|", "-|-|joe|"],
  "only a name": ["John Doe", "John Doe|-||"],
  "only a host": ["@b", "-|-||b"],
  "empty elements": [",, a@b , ,", "-|-|a|b"],
  "nothing": [""],
  "an open quote": ['"Ada <a@b>, c@d', "Ada|-|a|b", "-|-|c|d"],
  "an open bracket": ["<a@b, c@d", "-|-|a|b", "-|-|c|d"],
  "an open comment": ["a@b (c, d@e", "c, d@e|-|a|b"],
  "junk behind an address": ["<a@b> junk: x, c@d", "-|-|a|b", "-|-|c|d"],
};

for (const [name, [raw, ...expected]] of Object.entries(CASES)) {
  Deno.test(`parseAddressList: ${name}`, () => deepEqual(shown(raw), expected));
}

Deno.test("parseAddressList gives any text as well-formed mailboxes and groups", () => {
  fc.assert(fc.property(garbageMail, (raw) => {
    let inGroup = false;
    for (const { mailbox, host } of parseAddressList(raw)) {
      if (host !== undefined) ok(mailbox !== undefined);
      else {
        equal(mailbox !== undefined, !inGroup);
        inGroup = !inGroup;
      }
    }
    equal(inGroup, false);
  }));
});

Deno.test("parseAddressList reads hostile text in linear time and bounded space", () => {
  for (
    const piece of ['"', "(", '"(', "<", "<@", "a:", "a,", "@", "\\", '"a" ', "(a) ", "[", "a "]
  ) {
    ok(parseAddressList(piece.repeat(300_000)).length <= MAX_ADDRESSES + 2);
  }
  // Minutes, if all of the domain were looked at for each of its atoms.
  const [{ host }] = parseAddressList(`a@b${" .cd".repeat(300_000)}`);
  ok(host === `b${".cd".repeat(300_000)}`);
});
