import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { conversationOf } from "../../src/message/conversation.ts";
import { threadKeys, Threads } from "../../src/store/maildir/threads.ts";

function makeThreads(): (header: string, digest?: number) => bigint {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE thread_keys (key INTEGER PRIMARY KEY, thread INTEGER NOT NULL)");
  const threads = new Threads(database);
  return (header, digest = 0) =>
    threads.threadOf(
      threadKeys(
        conversationOf(header.replaceAll("; ", "\r\n") + "\r\n"),
        new Uint8Array([digest]),
      ),
    );
}

const A = "Message-ID: <a@x>; Subject: s";
const B = "Message-ID: <b@x>; In-Reply-To: <a@x>; Subject: Re: s";
const C = "Message-ID: <c@x>; References: <a@x> <b@x>; Subject: Re: s";

Deno.test("Threads.threadOf gives one thread to a conversation, in any order, and always the same", () => {
  const orders = [[A, B, C], [C, B, A], [B, C, A], [C, A, B]];
  const found = orders.map((order) => order.map((header) => makeThreadsOnce(order)(header)));
  assert.equal(new Set(found.flat()).size, 1);
});

/** Gives the whole order to new threads, and then answers for one. */
function makeThreadsOnce(order: readonly string[]): (header: string) => bigint {
  const threadOf = makeThreads();
  const given = new Map(order.map((header) => [header, threadOf(header)]));
  return (header) => given.get(header) ?? -1n;
}

Deno.test("Threads.threadOf keeps two threads apart that a message connects, and changes neither", () => {
  const threadOf = makeThreads();
  const first = threadOf(A);
  const second = threadOf("Message-ID: <z@x>; Subject: s");
  assert.notEqual(first, second);
  const joining = "Message-ID: <j@x>; References: <z@x> <a@x>; Subject: Re: s";
  assert.equal(threadOf(joining), first);
  assert.deepEqual([threadOf(A), threadOf("Message-ID: <z@x>; Subject: s")], [first, second]);
  assert.equal(threadOf("Message-ID: <k@x>; References: <j@x>; Subject: s"), first);
});

Deno.test("Threads.threadOf begins another thread where the subject changes", () => {
  const threadOf = makeThreads();
  assert.notEqual(threadOf(A), threadOf("Message-ID: <d@x>; References: <a@x>; Subject: t"));
});

Deno.test("Threads.threadOf goes by the digest where there is no Message-ID", () => {
  const threadOf = makeThreads();
  assert.equal(threadOf("Subject: s", 1), threadOf("Subject: s", 1));
  assert.notEqual(threadOf("Subject: s", 1), threadOf("Subject: s", 2));
});
