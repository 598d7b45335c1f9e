/** That the soak finds what is wrong, in accounts that are made up. */

import assert from "node:assert/strict";
import { FAULT_KINDS, Faults } from "./faults.ts";
import { type Change, Journal, type MailboxRecord, type MessageRecord } from "./journal.ts";
import { reckon } from "./reckoning.ts";
import { isIntact, messageText, tokenOf } from "./soak_message.ts";
import type { TrueMailbox, TrueMessage } from "./true_account.ts";

/** A mailbox with messages, by UID: which it is, and its flags. */
function mailbox(
  name: string,
  uidValidity: number,
  messages: readonly (readonly [uid: number, token: number, flags?: string])[],
  more: Partial<TrueMailbox> = {},
): TrueMailbox {
  const entries = messages.map((
    [uid, token, flags = ""],
  ): [number, TrueMessage] => [uid, { token, flags, modseq: 1, intact: true }]);
  return {
    name,
    uidValidity,
    uidNext: 10,
    highestModseq: 5,
    messages: new Map(entries),
    ...more,
  };
}

const BEFORE = [
  mailbox("INBOX", 1, [[1, 101], [2, 102, "\\Seen"], [3, 103]]),
  mailbox("Box", 2, [[1, 104]]),
  mailbox("f1", 3, []),
];

class Case {
  readonly journal = new Journal("u1", new Faults());

  constructor() {
    this.journal.wanderers.add(103);
    for (const { name, uidValidity, messages } of BEFORE) {
      const box = this.journal.box(uidValidity, name);
      for (const [uid, { token = 0, flags }] of messages) {
        if (token !== 103) box?.messages.set(uid, { uid, token, flags, claimed: false });
      }
    }
    reckon(this.journal, BEFORE);
  }

  box(uidValidity: number): MailboxRecord {
    const box = this.journal.boxes.get(uidValidity);
    assert.ok(box);
    return box;
  }

  message(uidValidity: number, uid: number): { box: MailboxRecord; record: MessageRecord } {
    const box = this.box(uidValidity);
    const record = box.messages.get(uid);
    assert.ok(record);
    return { box, record };
  }

  move(): Change {
    const comes = [{ box: this.box(2), token: 101, flags: "" }];
    return this.journal.begin({ what: "MOVE", leaves: [this.message(1, 1)], comes });
  }
}

const INBOX = BEFORE[0];
const MOVED = mailbox("INBOX", 1, [[2, 102, "\\Seen"], [3, 103]]);
const MOVED_TO = mailbox("Box", 2, [[1, 104], [10, 101]], { uidNext: 11 });

/** What is there after what the clients did, and the kind of fault that it is. */
const CASES: readonly (readonly [
  name: string,
  act: (of: Case) => void,
  after: readonly TrueMailbox[],
  fault: typeof FAULT_KINDS[number] | undefined,
])[] = [
  ["nothing happened", () => {}, BEFORE, undefined],
  ["a message is gone", () => {}, [mailbox("INBOX", 1, [[2, 102, "\\Seen"], [3, 103]])], "lost"],
  ["a message is there again", () => {}, [
    mailbox("INBOX", 1, [[1, 101], [2, 102, "\\Seen"], [3, 103], [10, 102]]),
  ], "doubled"],
  ["a wandering message is gone", () => {}, [
    mailbox("INBOX", 1, [[1, 101], [2, 102, "\\Seen"]]),
  ], "lost"],
  ["a wandering message is there twice", () => {}, [
    mailbox("INBOX", 1, [[1, 101], [2, 102, "\\Seen"], [3, 103], [10, 103]]),
  ], "doubled"],
  ["an old UID has a message again", () => {}, [
    mailbox("INBOX", 1, [[1, 101], [2, 102, "\\Seen"], [3, 103], [7, 102]]),
  ], "came back"],
  ["a UID names another message", () => {}, [
    mailbox("INBOX", 1, [[1, 105], [2, 102, "\\Seen"], [3, 103]]),
  ], "UID reuse"],
  ["octets changed", () => {}, [
    {
      ...INBOX,
      messages: new Map([...INBOX.messages].map(([u, m]) => [u, { ...m, intact: u > 1 }])),
    },
  ], "damaged"],
  ["a flag is gone", () => {}, [mailbox("INBOX", 1, [[1, 101], [2, 102], [3, 103]])], "flags lost"],
  ["UIDNEXT is lower", () => {}, [{ ...INBOX, uidNext: 9 }], "numbers back"],
  ["HIGHESTMODSEQ is lower", () => {}, [{ ...INBOX, highestModseq: 4 }], "numbers back"],
  [
    "HIGHESTMODSEQ is lower than what a client saw",
    ({ journal }) => {
      for (const box of journal.boxes.values()) if (box.name === "INBOX") box.highestModseq = 6;
    },
    BEFORE,
    "numbers back",
  ],
  ["a mailbox has another UIDVALIDITY", () => {}, [
    { ...INBOX, uidValidity: 9 },
  ], "mailboxes wrong"],
  ["a move was cut off before it was done", (of) => of.move(), BEFORE, undefined],
  ["a move was cut off after it was done", (of) => of.move(), [MOVED, MOVED_TO], undefined],
  ["a move was cut off between", (of) => of.move(), [INBOX, MOVED_TO], "doubled"],
  ["a move was cut off between, the other way", (of) => of.move(), [MOVED], "lost"],
  [
    "a move was done",
    (of) => {
      of.journal.done(of.move(), [{ uidValidity: 2, uid: 10 }]);
    },
    [MOVED, MOVED_TO],
    undefined,
  ],
  [
    "a move was done and comes undone",
    (of) => {
      of.journal.done(of.move(), [{ uidValidity: 2, uid: 10 }]);
    },
    [INBOX, mailbox("Box", 2, [[1, 104]], { uidNext: 11 })],
    "lost",
  ],
  [
    "an expunged message is there",
    (of) => {
      const change = of.journal.begin({ what: "EXPUNGE", leaves: [of.message(1, 1)] });
      of.journal.done(change);
    },
    BEFORE,
    "doubled",
  ],
  [
    "a flag was set and is not",
    (of) => {
      const flags = [{ place: of.message(1, 1), after: "\\Flagged" }];
      of.journal.done(of.journal.begin({ what: "STORE", flags }));
    },
    BEFORE,
    "flags lost",
  ],
  [
    "setting a flag was cut off",
    (of) => {
      const flags = [{ place: of.message(1, 1), after: "\\Flagged" }];
      of.journal.begin({ what: "STORE", flags });
    },
    BEFORE,
    undefined,
  ],
  [
    "one of two messages was appended",
    (of) => {
      const comes = [101, 106].map((token) => ({ box: of.box(2), token, flags: "" }));
      of.journal.begin({ what: "APPEND", comes });
    },
    [MOVED_TO],
    "doubled",
  ],
  ["a delivery is not there", ({ journal }) => journal.owed.add(107), BEFORE, "lost"],
  ["a delivery is there", ({ journal }) => journal.owed.add(107), [
    mailbox("INBOX", 1, [[1, 101], [2, 102, "\\Seen"], [3, 103], [10, 107]], { uidNext: 11 }),
  ], undefined],
  [
    "a deleted mailbox is there",
    (of) => {
      const mailbox = { kind: "delete", box: of.box(3) } as const;
      of.journal.done(of.journal.begin({ what: "DELETE", mailbox }));
    },
    BEFORE,
    "came back",
  ],
  [
    "a renamed mailbox has its old name",
    (of) => {
      const mailbox = { kind: "rename", moves: [{ box: of.box(3), to: "f2" }] } as const;
      of.journal.done(of.journal.begin({ what: "RENAME", mailbox }));
    },
    BEFORE,
    "mailboxes wrong",
  ],
];

for (const [name, act, after, fault] of CASES) {
  Deno.test(`reckon: ${fault ?? "no fault"}: ${name}`, () => {
    const of = new Case();
    assert.equal(of.journal.faults.total, 0, of.journal.faults.lines.join("\n"));
    act(of);
    const changed = new Set(after.map((box) => box.name));
    reckon(of.journal, [...after, ...BEFORE.filter((box) => !changed.has(box.name))]);
    const found = FAULT_KINDS.filter((kind) => of.journal.faults.count(kind) > 0);
    if (fault === undefined) assert.deepEqual(of.journal.faults.lines, []);
    else assert.ok(found.includes(fault), `${found}`);
  });
}

Deno.test("isIntact: sees one octet that is another, one too many and one too few", () => {
  for (let token = 1; token < 200; token++) {
    const text = messageText(token);
    assert.equal(tokenOf(text), token);
    assert.equal(isIntact(text, token), true);
    assert.equal(isIntact(`Return-Path: <a@b>\r\nReceived: by x\r\n${text}`, token), true);
    assert.equal(isIntact(`${text}x`, token), false);
    assert.equal(isIntact(text.slice(0, -1), token), false);
    assert.equal(isIntact(text.slice(1), token), false);
    assert.equal(isIntact(`x${text.slice(1)}`, token), false);
    assert.equal(isIntact(text, token + 1), false);
  }
});
