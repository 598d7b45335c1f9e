import assert from "node:assert/strict";
import fc from "fast-check";
import type { Output } from "../../src/imap/command.ts";
import { FollowedResults, horizon } from "../../src/imap/followed_results.ts";
import type { SearchScope, Seqs } from "../../src/imap/search_columns.ts";
import { evaluate } from "../../src/imap/search_keys.ts";
import { Session } from "../../src/imap/session.ts";
import type { SearchKey } from "../../src/wire/search_grammar.ts";
import { Columns, open, scopeOf } from "./columns.ts";

const SESSION = new Session("1", "127.0.0.1", true);
const UNSEEN: SearchKey = { name: "FLAG", flag: "seen", set: false };
const LAST: SearchKey = { name: "UID", set: { ranges: [[Infinity, Infinity]] } };
const PROGRAM: SearchKey = { name: "OR", left: UNSEEN, right: LAST };

/** Some order that is not that of the mailbox. */
const rank = (uid: number) => (uid * 7919) % 101;

function shuffled(found: Seqs, { view }: SearchScope): Promise<Seqs> {
  const by = (a: number, b: number) =>
    rank(view.uidOf(a)) - rank(view.uidOf(b)) || view.uidOf(a) - view.uidOf(b);
  return Promise.resolve([...found].sort(by));
}

/** A client that believes what it is told. */
class Client {
  list: number[];

  constructor(readonly byUid: boolean, readonly ordered: boolean, list: readonly number[]) {
    this.list = [...list];
  }

  hear(text: string): void {
    for (const line of text.split("\r\n")) {
      const expunged = line.match(/^\* (\d+) EXPUNGE$/);
      if (expunged && !this.byUid) this.#expunge(Number(expunged[1]));
      for (const [, item, pairs] of line.matchAll(/(ADDTO|REMOVEFROM) \(([^)]*)\)/g)) {
        const words = pairs.split(" ");
        for (let i = 0; i < words.length; i += 2) {
          const numbers = expand(words[i + 1]);
          if (item === "ADDTO") this.#add(Number(words[i]), numbers);
          else this.#remove(Number(words[i]), numbers);
        }
      }
    }
  }

  #expunge(seq: number): void {
    assert.ok(!this.list.includes(seq), `${seq} was expunged before it left the results`);
    this.list = this.list.map((each) => each > seq ? each - 1 : each);
  }

  #add(position: number, numbers: readonly number[]): void {
    assert.equal(position === 0, !this.ordered);
    for (const number of numbers) assert.ok(!this.list.includes(number), `${number} came twice`);
    if (this.ordered) this.list.splice(position - 1, 0, ...numbers);
    else this.list = [...this.list, ...numbers].sort((a, b) => a - b);
  }

  #remove(position: number, numbers: readonly number[]): void {
    assert.equal(position === 0, !this.ordered);
    for (const number of numbers) assert.ok(this.list.includes(number), `${number} was not there`);
    if (this.ordered) {
      assert.deepEqual(this.list.splice(position - 1, numbers.length), numbers);
    } else this.list = this.list.filter((number) => !numbers.includes(number));
  }
}

function expand(set: string): number[] {
  return set.split(",").flatMap((range) => {
    const [first, last = first] = range.split(":").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

type Step =
  | { readonly kind: "arrive"; readonly seen: boolean }
  | { readonly kind: "flag"; readonly at: number }
  | { readonly kind: "expunge"; readonly at: number }
  | { readonly kind: "tell"; readonly expunges: boolean };

const AT = fc.nat(1000);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("arrive" as const), seen: fc.boolean() }),
  fc.record({ kind: fc.constant("flag" as const), at: AT }),
  fc.record({ kind: fc.constant("expunge" as const), at: AT }),
  fc.record({ kind: fc.constant("tell" as const), expunges: fc.boolean() }),
);

async function follow(steps: readonly Step[], byUid: boolean, ordered: boolean): Promise<void> {
  const columns = new Columns([2, 3, 5, 8, 13]);
  const view = open(columns, SESSION);
  const order = ordered ? shuffled : undefined;
  const find = async () => {
    const found = await evaluate(PROGRAM, scopeOf(view));
    return order === undefined ? found : await order(found, scopeOf(view));
  };
  const spell = (seqs: Seqs) => byUid ? seqs.map((seq) => view.uidOf(seq)) : [...seqs];
  const found = await find();
  const results = new FollowedResults(
    { key: PROGRAM, order, byUid },
    view,
    found,
    horizon(scopeOf(view)),
  );
  const client = new Client(byUid, ordered, spell(found));
  let text = "";
  const out: Output = {
    text: (more) => text += more,
    bytes: () => {},
    full: false,
    flush: () => Promise.resolve(),
  };
  view.followers = {
    has: () => false,
    add: () => false,
    cancel: () => false,
    tellGone: (out) => {
      const gone = view.uidsGone();
      out.text(`${results.remove((uid) => gone.includes(uid), view)}\r\n`);
    },
    tellRest: async (out) => out.text(`${await results.update(scopeOf(view))}\r\n`),
  };
  let uid = 20;
  for (const step of [...steps, { kind: "tell", expunges: true } as const]) {
    const { uids, count } = columns.messages;
    if (step.kind === "arrive") {
      columns.arrive(++uid);
      if (step.seen) columns.flag(uid, 1);
    } else if (step.kind === "tell") {
      text = "";
      await view.tell(out, { session: SESSION, expunges: step.expunges, withUid: false });
      client.hear(text);
      assert.deepEqual(client.list, spell(await find()), text);
    } else if (count > 0) {
      const chosen = uids[step.at % count];
      if (step.kind === "expunge") columns.expunge(chosen);
      else columns.flag(chosen, columns.messages.flags[step.at % count] ^ 1);
    }
  }
}

for (const byUid of [false, true]) {
  for (const ordered of [false, true]) {
    const name = `${ordered ? "sorted" : "found"} ${byUid ? "UIDs" : "numbers"}`;
    Deno.test(`FollowedResults: a client that believes it has the ${name} that there are`, async () => {
      const property = fc.asyncProperty(
        fc.array(STEP, { maxLength: 40 }),
        (steps) => follow(steps, byUid, ordered),
      );
      await fc.assert(property, { numRuns: 300 });
    });
  }
}

Deno.test("FollowedResults.update: messages grow old without any change of the mailbox", async () => {
  const columns = new Columns([1, 2]);
  const dates = Float64Array.of(100, 160);
  const messages = new Columns([1, 2]).messages;
  Object.defineProperty(columns, "messages", { get: () => ({ ...messages, dates }) });
  const view = open(columns, SESSION);
  const at = (now: number) => ({ ...scopeOf(view), now });
  const key: SearchKey = { name: "YOUNGER", seconds: 60 };
  const found = await evaluate(key, at(150));
  const results = new FollowedResults({ key, byUid: true }, view, found, horizon(at(150)));
  assert.deepEqual(found, [1, 2]);
  assert.equal(await results.update(at(160)), "");
  assert.equal(await results.update(at(161)), " REMOVEFROM (0 1)");
  assert.equal(await results.update(at(500)), " REMOVEFROM (0 2)");
  assert.equal(await results.update(at(501)), "");
});
