import assert from "node:assert/strict";
import { type EventGroup, notifyArgs } from "../../src/wire/notify_grammar.ts";
import { faultOf, refuses, scan, table } from "./scan.ts";

function group(
  filter: EventGroup["filter"],
  events: readonly Parameters<EventGroup["events"]["has"]>[0][],
  more: Partial<EventGroup> = {},
): EventGroup {
  return { filter, events: new Set(events), unknown: [], items: [], ...more };
}

const BOTH = ["MessageNew", "MessageExpunge"] as const;

Deno.test("notifyArgs: has groups of events for choices of mailboxes", () => {
  table(notifyArgs, [
    [" NONE", { status: false, groups: [] }],
    [" set (personal none)", { status: false, groups: [group({ kind: "personal" }, [])] }],
    [" SET STATUS (inboxes (messagenew MESSAGEEXPUNGE))", {
      status: true,
      groups: [group({ kind: "inboxes" }, BOTH)],
    }],
    [" SET (subscribed (MailboxName)) (subtree A (SubscriptionChange))", {
      status: false,
      groups: [
        group({ kind: "subscribed" }, ["MailboxName"]),
        group({ kind: "subtree", names: ["A"] }, ["SubscriptionChange"]),
      ],
    }],
    [" SET (Subtree-One (A B) (MailboxName))", {
      status: false,
      groups: [group({ kind: "subtree-one", names: ["A", "B"] }, ["MailboxName"])],
    }],
    [' SET (mailboxes (inbox "b c") (ServerMetadataChange))', {
      status: false,
      groups: [group({ kind: "mailboxes", names: ["INBOX", "b c"] }, ["ServerMetadataChange"])],
    }],
    [" SET (selected-delayed (MessageNew MessageExpunge FlagChange Sneeze))", {
      status: false,
      groups: [
        group({ kind: "selected-delayed" }, [...BOTH, "FlagChange"], {
          unknown: ["SNEEZE"],
        }),
      ],
    }],
  ]);
});

Deno.test("notifyArgs: has FETCH items for new messages, with and without parentheses around events", () => {
  const expected = group({ kind: "selected" }, BOTH, {
    items: [{ name: "UID" }, { name: "FLAGS" }],
  });
  for (const events of ["(%)", "%"]) {
    const text = events.replace("%", "MessageNew (uid flags) MessageExpunge");
    assert.deepEqual(scan(notifyArgs, ` SET (selected ${text})`).groups, [expected]);
  }
});

Deno.test("notifyArgs: refuses what does not go together", () => {
  refuses(notifyArgs, [
    "",
    " ",
    " SET",
    " SET STATUS",
    " NONE x",
    " SET (personal)",
    " SET (personal ())",
    " SET (somewhere (MailboxName))",
    " SET (mailboxes (MailboxName))",
    " SET (personal (MessageNew))",
    " SET (personal (MessageExpunge))",
    " SET (personal (FlagChange))",
    " SET (personal (AnnotationChange MailboxName))",
    " SET (personal (MessageNew (UID) MessageExpunge))",
    " SET (selected (MessageNew MessageExpunge MailboxName))",
    " SET (selected (MessageNew () MessageExpunge))",
    " SET (selected NONE) (selected-delayed NONE)",
    " SET (personal NONE)(inboxes NONE)",
  ]);
  const { message } = faultOf(notifyArgs, " SET (personal (FlagChange))");
  assert.match(message, /MessageNew and MessageExpunge/);
});
