/** That the soak finds what is wrong with what a client is told by itself. */

import { deepEqual, equal, match } from "node:assert/strict";
import { Faults } from "./faults.ts";
import { Journal, type MailboxRecord } from "./journal.ts";
import { ToldStatuses } from "./told_statuses.ts";

/** What the journal has of INBOX, whose UIDVALIDITY is 7, and the faults, after these responses. */
function heard(...responses: readonly string[]): { box: MailboxRecord; faults: readonly string[] } {
  const faults = new Faults();
  const journal = new Journal("u1", faults);
  const box = journal.box(7, "INBOX");
  if (box === undefined) throw new Error("Expected a mailbox: got none");
  box.verifiedNext = 3;
  const told = new ToldStatuses("u1.notified", journal);
  for (const response of responses) told.hear(`* STATUS ${response}`);
  return { box, faults: faults.lines };
}

Deno.test("ToldStatuses.hear: notes what must be there from then on", () => {
  const { box, faults } = heard(
    "INBOX (MESSAGES 2 UIDNEXT 4 UIDVALIDITY 7 UNSEEN 1 HIGHESTMODSEQ 9)",
    "INBOX (UIDVALIDITY 7 UNSEEN 0 HIGHESTMODSEQ 10)",
    "INBOX (MESSAGES 1 UIDNEXT 5 UIDVALIDITY 7 UNSEEN 1 HIGHESTMODSEQ 10)",
    '"f1/x" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 8 HIGHESTMODSEQ 1)',
  );
  deepEqual([box.uidNext, box.highestModseq, faults], [5, 10, []]);
});

for (
  const [what, ...responses] of [
    ["UIDNEXT back", "INBOX (UIDNEXT 5 UIDVALIDITY 7)", "INBOX (UIDNEXT 4 UIDVALIDITY 7)"],
    [
      "HIGHESTMODSEQ back",
      "INBOX (UIDVALIDITY 7 HIGHESTMODSEQ 5)",
      "INBOX (UIDVALIDITY 7 HIGHESTMODSEQ 4)",
    ],
    ["UIDNEXT below that of the last look", "INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)"],
    ["more messages than UIDs", "INBOX (MESSAGES 5 UIDNEXT 5 UIDVALIDITY 7)"],
    ["more unseen than messages", "INBOX (MESSAGES 1 UIDNEXT 5 UIDVALIDITY 7 UNSEEN 2)"],
    ["no UIDVALIDITY", "INBOX (MESSAGES 1 UIDNEXT 5)"],
  ] as const
) {
  Deno.test(`ToldStatuses.hear: counts ${what}`, () => {
    const { faults } = heard(...responses);
    equal(faults.length, 1);
    match(faults[0], /^(numbers back|bugs): u1\.notified: /);
  });
}
