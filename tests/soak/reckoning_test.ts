/** That the soak finds what is wrong, in accounts that are made up. */

import assert from "node:assert/strict";
import { FAULT_KINDS, Faults } from "./faults.ts";
import { type Change, Journal, MailboxRecord, type MessageRecord } from "./journal.ts";
import { reckon } from "./reckoning.ts";
import { isIntact, messageText, tokenOf } from "./soak_message.ts";
import type { TrueAccount, TrueMailbox, TrueMessage } from "./true_account.ts";

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
    comment: "",
    ...more,
  };
}

const BEFORE = [
  mailbox("INBOX", 1, [[1, 101], [2, 102, "\\Seen"], [3, 103]]),
  mailbox("Box", 2, [[1, 104]], { comment: "old" }),
  mailbox("f1", 3, []),
];
const SUBSCRIBED = ["Box"];

function account(mailboxes: readonly TrueMailbox[], subscribed = SUBSCRIBED): TrueAccount {
  return { mailboxes, subscribed: new Set(subscribed) };
}

class Case {
  readonly journal = new Journal("u1", new Faults());

  constructor() {
    this.journal.wanderers.add(103);
    for (const name of SUBSCRIBED) this.journal.subscribed.add(name);
    for (const { name, uidValidity, messages } of BEFORE) {
      const box = this.journal.box(uidValidity, name);
      for (const [uid, { token = 0, flags }] of messages) {
        if (token !== 103) box?.messages.set(uid, { uid, token, flags, claimed: false });
      }
    }
    reckon(this.journal, account(BEFORE));
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

  /** INBOX becomes f2. */
  renameInbox(): Change {
    const leaves = [1, 2].map((uid) => this.message(1, uid));
    const box = new MailboxRecord(0, "f2");
    const comes = leaves.map(({ record: { token, flags } }) => ({ box, token, flags }));
    const mailbox = { kind: "create", name: "f2" } as const;
    return this.journal.begin({ what: "RENAME INBOX", leaves, comes, mailbox });
  }

  subscribe(name: string, on: boolean): Change {
    const setting = { kind: "subscription", name, on } as const;
    return this.journal.begin({ what: "SUBSCRIBE", setting });
  }

  comment(comment: string): Change {
    const setting = { kind: "comment", box: this.box(2), comment } as const;
    return this.journal.begin({ what: "SETMETADATA", setting });
  }
}

const INBOX = BEFORE[0];
const MOVED = mailbox("INBOX", 1, [[2, 102, "\\Seen"], [3, 103]]);
const MOVED_TO = mailbox("Box", 2, [[1, 104], [10, 101]], { uidNext: 11, comment: "old" });
const EMPTIED = mailbox("INBOX", 1, []);
const FILLED = mailbox("f2", 4, [[1, 101], [2, 102, "\\Seen"], [3, 103]]);
const BOX = BEFORE[1];

/** What is there after what the clients did, and the kind of fault that it is. */
const CASES: readonly (readonly [
  name: string,
  act: (of: Case) => void,
  after: readonly TrueMailbox[],
  fault: typeof FAULT_KINDS[number] | undefined,
  subscribed?: string[],
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
  ["renaming INBOX was cut off before it was done", (of) => of.renameInbox(), BEFORE, undefined],
  [
    "renaming INBOX was cut off after it was done",
    (of) => of.renameInbox(),
    [EMPTIED, FILLED],
    undefined,
  ],
  [
    "renaming INBOX was cut off between",
    (of) => of.renameInbox(),
    [EMPTIED, mailbox("f2", 4, [[2, 102, "\\Seen"], [3, 103]])],
    "lost",
  ],
  [
    "renaming INBOX was cut off between, the other way",
    (of) => of.renameInbox(),
    [INBOX, mailbox("f2", 4, [[1, 101]])],
    "doubled",
  ],
  [
    "INBOX was renamed, and a message lost its flag",
    (of) => of.renameInbox(),
    [EMPTIED, mailbox("f2", 4, [[1, 101], [2, 102], [3, 103]])],
    "flags lost",
  ],
  [
    "INBOX was renamed",
    (of) => {
      of.renameInbox().acknowledged = true;
      of.journal.created.add("f2");
    },
    [EMPTIED, FILLED],
    undefined,
  ],
  [
    "INBOX was renamed, and the new mailbox lacks a message",
    (of) => of.journal.done(of.renameInbox(), [{ uidValidity: 4, uid: 1 }]),
    [EMPTIED, FILLED],
    "lost",
  ],
  [
    "INBOX was renamed and has its messages",
    (of) => of.renameInbox().acknowledged = true,
    BEFORE,
    "came back",
  ],
  [
    "INBOX was renamed and the new mailbox is not there",
    (of) => {
      of.renameInbox().acknowledged = true;
      of.journal.created.add("f2");
    },
    [EMPTIED],
    "mailboxes wrong",
  ],
  [
    "a delivery was in INBOX when that was renamed",
    (of) => {
      of.journal.owed.add(107);
      of.renameInbox();
    },
    [EMPTIED, mailbox("f2", 4, [[1, 101], [2, 102, "\\Seen"], [3, 103], [4, 107]])],
    undefined,
  ],
  ["a delivery is where none can be", ({ journal }) => journal.owed.add(107), [
    mailbox("Box", 2, [[1, 104], [10, 107]], { uidNext: 11, comment: "old" }),
  ], "lost"],
  ["a subscription is gone", () => {}, BEFORE, "settings lost", []],
  ["a subscription is there", () => {}, BEFORE, "settings lost", ["Box", "f1"]],
  [
    "a subscription was made and is not there",
    (of) => of.journal.done(of.subscribe("f1", true)),
    BEFORE,
    "settings lost",
  ],
  [
    "a subscription was ended and is there",
    (of) => of.journal.done(of.subscribe("Box", false)),
    BEFORE,
    "settings lost",
  ],
  [
    "a subscription was made and is there",
    (of) => of.journal.done(of.subscribe("f1", true)),
    BEFORE,
    undefined,
    ["Box", "f1"],
  ],
  ["SUBSCRIBE was cut off before", (of) => of.subscribe("f1", true), BEFORE, undefined],
  ["SUBSCRIBE was cut off after", (of) => of.subscribe("f1", true), BEFORE, undefined, [
    "Box",
    "f1",
  ]],
  ["an annotation is gone", () => {}, [{ ...BOX, comment: "" }], "settings lost"],
  [
    "an annotation was changed and is as before",
    (of) => of.journal.done(of.comment("new")),
    BEFORE,
    "settings lost",
  ],
  [
    "an annotation was changed",
    (of) => of.journal.done(of.comment("new")),
    [{ ...BOX, comment: "new" }],
    undefined,
  ],
  ["SETMETADATA was cut off before", (of) => of.comment("new"), BEFORE, undefined],
  ["SETMETADATA was cut off after", (of) => of.comment("new"), [
    { ...BOX, comment: "new" },
  ], undefined],
  ["SETMETADATA was cut off, and another value is there", (of) => of.comment("new"), [
    { ...BOX, comment: "" },
  ], "settings lost"],
];

for (const [name, act, after, fault, subscribed] of CASES) {
  Deno.test(`reckon: ${fault ?? "no fault"}: ${name}`, () => {
    const of = new Case();
    assert.equal(of.journal.faults.total, 0, of.journal.faults.lines.join("\n"));
    act(of);
    const changed = new Set(after.map((box) => box.name));
    const mailboxes = [...after, ...BEFORE.filter((box) => !changed.has(box.name))];
    reckon(of.journal, account(mailboxes, subscribed));
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
