import assert from "node:assert/strict";
import { selectArgs } from "../../src/wire/select_grammar.ts";
import { refuses, scan, table } from "./scan.ts";

Deno.test("selectArgs: knows CONDSTORE", () => {
  table(selectArgs, [
    [" inbox", { mailbox: "INBOX", condstore: false }],
    [' "a b" (condstore)', { mailbox: "a b", condstore: true }],
  ]);
  assert.deepEqual(scan(selectArgs, " {1}\r\n", ["a"]), { mailbox: "a", condstore: false });
  refuses(selectArgs, [
    "",
    " ",
    " a b",
    " a ()",
    " a (FOO)",
    " a CONDSTORE",
    " a (CONDSTORE",
    " a*",
  ]);
});

Deno.test("selectArgs: knows QRESYNC with what a client remembers", () => {
  const head = { mailbox: "a", condstore: false };
  const known = { uidValidity: 42, modseq: 7 };
  const set = (...ranges: [number, number][]) => ({ ranges });
  const uids = set([1, 5], [9, 9]);
  const matches = { seqs: set([1, 2]), uids: set([4, 4], [6, 6]) };
  table(selectArgs, [
    [" a (QRESYNC (42 7))", {
      ...head,
      qresync: { ...known, knownUids: undefined, matches: undefined },
    }],
    [" a (qresync (42 7 1:5,9))", {
      ...head,
      qresync: { ...known, knownUids: uids, matches: undefined },
    }],
    [" a (QRESYNC (42 7 1:5,9 (1:2 4,6)))", {
      ...head,
      qresync: { ...known, knownUids: uids, matches },
    }],
    [" a (QRESYNC (42 7 (1:2 4,6)) CONDSTORE)", {
      ...head,
      condstore: true,
      qresync: { ...known, knownUids: undefined, matches },
    }],
  ]);
  refuses(selectArgs, [
    " a (QRESYNC)",
    " a (QRESYNC 42 7)",
    " a (QRESYNC (42))",
    " a (QRESYNC (0 7))",
    " a (QRESYNC (42 7 ))",
    " a (QRESYNC (42 7 1:*))",
    " a (QRESYNC (42 7 1:5 (1:2)))",
    " a (QRESYNC (42 7 1:5 (1:* 4,6)))",
    " a (QRESYNC (42 7 1:5 (1:2 4,6) x))",
  ]);
});
