import assert from "node:assert/strict";
import fc from "fast-check";
import { ListPattern } from "../../src/imap/list_pattern.ts";

Deno.test("ListPattern.matches() keeps % within one level", () => {
  const cases: readonly [string, string, boolean][] = [
    ["*", "a/b/c", true],
    ["%", "a", true],
    ["%", "a/b", false],
    ["a/%", "a/b", true],
    ["a/%", "a/b/c", false],
    ["a*", "ab/c", true],
    ["%/b", "a/b", true],
    ["*b*c", "xbyyc", true],
    ["*b*c", "xbyy", false],
    ["a%*%", "a/b/c", true],
    ["INBOX", "INBOX", true],
    ["", "INBOX", false],
    ["a.c", "abc", false],
  ];
  for (const [pattern, name, expected] of cases) {
    assert.equal(new ListPattern(pattern).matches(name), expected, `${pattern} on ${name}`);
  }
});

Deno.test("ListPattern.matches() agrees with a regular expression", () => {
  const text = (chars: string) => fc.string({ unit: fc.constantFrom(...chars), maxLength: 8 });
  fc.assert(fc.property(text("ab/*%"), text("ab/"), (pattern, name) => {
    const source = pattern.replaceAll("*", ".*").replaceAll("%", "[^/]*");
    assert.equal(new ListPattern(pattern).matches(name), new RegExp(`^${source}$`).test(name));
  }));
});

Deno.test("ListPattern.matches() takes pattern × name steps for the worst pattern", () => {
  assert.equal(new ListPattern("*a%".repeat(2000) + "b").matches("a/".repeat(500)), false);
});
