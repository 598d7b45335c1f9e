import { type ListArgs, listArgs, lsubArgs, statusArgs } from "../../src/wire/list_grammar.ts";
import { refuses, scan, table } from "./scan.ts";
import assert from "node:assert/strict";

const PLAIN: ListArgs = {
  selection: new Set(),
  reference: "",
  patterns: ["*"],
  returns: { subscribed: false, children: false, specialUse: false },
  extended: false,
};

Deno.test("listArgs: has the old form", () => {
  table(listArgs, [
    [' "" *', PLAIN],
    [' "" "*"', PLAIN],
    [' "" * ', PLAIN],
    [' "" ""', { ...PLAIN, patterns: [""] }],
    [" a/ %/b%", { ...PLAIN, reference: "a/", patterns: ["%/b%"] }],
    [' "" inbox', { ...PLAIN, patterns: ["inbox"] }],
  ]);
  assert.deepEqual(scan(listArgs, " {0}\r\n {1}\r\n", ["", "*"]), PLAIN);
  refuses(listArgs, ["", ' ""', ' "" ', ' "" * x', " * *", ' "" a\\', ' "" * RETURN']);
});

Deno.test("listArgs: has selection options", () => {
  const selected = (...names: Parameters<typeof PLAIN.selection.has>[0][]): ListArgs => ({
    ...PLAIN,
    selection: new Set(names),
    returns: { ...PLAIN.returns, subscribed: names.includes("SUBSCRIBED") },
    extended: true,
  });
  table(listArgs, [
    [' () "" *', selected()],
    [' (subscribed) "" *', selected("SUBSCRIBED")],
    [' (SUBSCRIBED RECURSIVEMATCH) "" *', selected("SUBSCRIBED", "RECURSIVEMATCH")],
    [' (RECURSIVEMATCH SPECIAL-USE) "" *', selected("RECURSIVEMATCH", "SPECIAL-USE")],
    [' (REMOTE SPECIAL-USE) "" *', selected("REMOTE", "SPECIAL-USE")],
  ]);
  refuses(listArgs, [
    ' (RECURSIVEMATCH) "" *',
    ' (REMOTE RECURSIVEMATCH) "" *',
    ' (FOO) "" *',
    ' (SUBSCRIBED)"" *',
    ' (SUBSCRIBED "" *',
  ]);
});

Deno.test("listArgs: has several patterns", () => {
  table(listArgs, [
    [' "" (INBOX Drafts "Sent/%")', {
      ...PLAIN,
      patterns: ["INBOX", "Drafts", "Sent/%"],
      extended: true,
    }],
    [' "" (*)', { ...PLAIN, extended: true }],
  ]);
  refuses(listArgs, [' "" ()', ' "" (a', ' "" (a)b', ' "" (a) (b)']);
});

Deno.test("listArgs: has return options", () => {
  const returns = (options: Partial<ListArgs["returns"]>): ListArgs => ({
    ...PLAIN,
    returns: { ...PLAIN.returns, ...options },
    extended: true,
  });
  table(listArgs, [
    [' "" * RETURN ()', returns({})],
    [' "" * return (children)', returns({ children: true })],
    [' "" * RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)', {
      ...returns({ subscribed: true, children: true, specialUse: true }),
    }],
    [' "" * RETURN (STATUS (MESSAGES UNSEEN) SPECIAL-USE)', {
      ...returns({ status: ["MESSAGES", "UNSEEN"], specialUse: true }),
    }],
  ]);
  refuses(listArgs, [
    ' "" * RETURN (FOO)',
    ' "" * RETURN CHILDREN',
    ' "" * RETURN (STATUS)',
    ' "" * RETURN (STATUS ())',
    ' "" * RETURN (STATUS MESSAGES)',
    ' "" * RETURN (CHILDREN) x',
    ' "" * RETURNS (CHILDREN)',
  ]);
});

Deno.test("lsubArgs: has no options", () => {
  table(lsubArgs, [[' "" %', { reference: "", patterns: ["%"] }]]);
  refuses(lsubArgs, ["", ' ""', ' "" (a)', ' () "" *', ' "" * RETURN ()']);
});

Deno.test("statusArgs: takes each item once", () => {
  table(statusArgs, [
    [" inbox (messages)", { mailbox: "INBOX", items: ["MESSAGES"] }],
    [" a (UNSEEN SIZE UNSEEN)", { mailbox: "a", items: ["UNSEEN", "SIZE"] }],
    [" a (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ SIZE DELETED APPENDLIMIT)", {
      mailbox: "a",
      items: [
        "MESSAGES",
        "RECENT",
        "UIDNEXT",
        "UIDVALIDITY",
        "UNSEEN",
        "HIGHESTMODSEQ",
        "SIZE",
        "DELETED",
        "APPENDLIMIT",
      ],
    }],
  ]);
  refuses(statusArgs, [
    "",
    " a",
    " a ()",
    " a MESSAGES",
    " a (FOO)",
    " a (MESSAGES) x",
    " (MESSAGES)",
  ]);
});
