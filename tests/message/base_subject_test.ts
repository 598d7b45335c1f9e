import { deepEqual, equal } from "node:assert/strict";
import { baseSubject } from "../../src/message/base_subject.ts";

Deno.test("baseSubject removes what RFC 5256 §2.1 removes, and nothing else", () => {
  for (
    const [raw, text, reply] of [
      ["hello", "hello", false],
      ["  hello \t world ", "hello world", false],
      ["Re: hello", "hello", true],
      ["RE:re: FW: fwd:  hello", "hello", true],
      ["Re [2]: hello", "hello", true],
      ["Re: [list] hello", "hello", true],
      ["[list] Re: [other] hello", "hello", true],
      ["[list] hello", "hello", false],
      ["[list][other] hello", "hello", false],
      ["[list]", "[list]", false],
      ["[one] [two]", "[two]", false],
      ["Re: [one] [two] ", "[two]", true],
      ["hello (fwd)", "hello", true],
      ["hello (fwd) (FWD) ", "hello", true],
      ["[fwd: hello]", "hello", true],
      ["[Fwd: Re: [list] hello (fwd)]", "hello", true],
      ["[fwd: [fwd: hello]]", "hello", true],
      ["[fwd: hello] world", "world", false],
      ["re", "re", false],
      ["request: hello", "request: hello", false],
      ["Re : hello", "hello", true],
      ["Aw: hello", "Aw: hello", false],
      ["Re:", "", true],
      ["(fwd)", "", true],
      ["[fwd:]", "", true],
      ["", "", false],
      ["=?utf-8?q?Re=3A_?= =?utf-8?q?caf=C3=A9?=", "café", true],
      ["Re: hello\r\n\tworld", "hello world", true],
      ["[unclosed Re: hello", "[unclosed Re: hello", false],
    ] as const
  ) deepEqual(baseSubject(raw), { text, reply }, raw);
});

Deno.test("baseSubject looks at the first 16 KiB of a subject", () => {
  equal(baseSubject("[fwd:".repeat(1000) + "x" + "]".repeat(1000)).text, "x");
  equal(baseSubject("x".repeat(20_000)).text.length, 16 * 1024);
});
