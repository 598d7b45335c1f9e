import { deepEqual, equal, ok } from "node:assert/strict";
import {
  orderedSubject,
  references,
  refs,
  type ThreadedMessages,
  type Threading,
  type ThreadNode,
} from "../../src/message/threading.ts";

interface Sample {
  readonly id?: string;
  readonly refs?: string;
  readonly subject?: string;
  readonly reply?: boolean;
  readonly sent?: number;
  readonly arrived?: number;
}

function messagesOf(samples: readonly Sample[]): ThreadedMessages {
  const ids = new Map<string, number>();
  const subjects = new Map([["", 0]]);
  const numberIn = (known: Map<string, number>, text: string, first: number) => {
    const number = known.get(text) ?? known.size + first;
    known.set(text, number);
    return number;
  };
  const idOf = (text: string) => numberIn(ids, text, 1);
  const sent = samples.map((sample, at) => sample.sent ?? at);
  const bySent = samples.map((_, at) => at).sort((a, b) => sent[a] - sent[b] || a - b);
  const sentRank = new Array<number>(samples.length);
  bySent.forEach((message, place) => sentRank[message] = place);
  return {
    count: samples.length,
    bySent,
    sentRank,
    arrived: samples.map((sample, at) => sample.arrived ?? at),
    subject: samples.map(({ subject = "" }) => numberIn(subjects, subject, 0)),
    reply: samples.map(({ reply }) => reply ? 1 : 0),
    id: samples.map(({ id }) => id === undefined ? 0 : idOf(id)),
    references: samples.map(({ refs = "" }) => refs.split(" ").filter((id) => id).map(idOf)),
    lastId: ids.size,
  };
}

/** Spelled as in THREAD, messages from 1; only for shallow ones. */
function text(node: ThreadNode): string {
  const own = node.message < 0 ? "" : `${node.message + 1}`;
  if (node.children.length === 1) return `${own} ${text(node.children[0])}`;
  const below = node.children.map((child) => `(${text(child)})`).join("");
  return own && below ? `${own} ${below}` : own + below;
}

function threads(
  algorithm: (messages: ThreadedMessages) => Threading,
  samples: readonly Sample[],
): string {
  return run(algorithm(messagesOf(samples))).map((root) => `(${text(root)})`).join("");
}

function run(threading: Threading): readonly ThreadNode[] {
  for (;;) {
    const step = threading.next();
    if (step.done) return step.value;
  }
}

Deno.test("orderedSubject has threads of two levels, by their first messages", () => {
  const samples = [
    { subject: "b", sent: 5 },
    { subject: "a", sent: 9 },
    { subject: "b", sent: 1 },
    { subject: "a", sent: 2 },
    { subject: "b", sent: 7 },
    { subject: "c", sent: 3 },
  ];
  equal(threads(orderedSubject, samples), "(3 (1)(5))(4 2)(6)");
});

Deno.test("references: table of RFC 5256 §3", () => {
  const table: readonly (readonly [string, readonly Sample[], string])[] = [
    ["nothing", [], ""],
    ["no ids", [{}, {}], "(1)(2)"],
    ["a chain", [{ id: "a" }, { id: "b", refs: "a" }, { id: "c", refs: "a b" }], "(1 2 3)"],
    ["a fork", [{ id: "a" }, { id: "b", refs: "a" }, { id: "c", refs: "a" }], "(1 (2)(3))"],
    ["an answer that came first", [{ id: "b", refs: "a" }, { id: "a" }], "(2 1)"],
    ["a parent that is not there", [{ id: "b", refs: "x" }], "(1)"],
    [
      "two answers to what is not there",
      [{ id: "a", refs: "x" }, { id: "b", refs: "x" }],
      "((1)(2))",
    ],
    [
      "what is not there in the middle",
      [{ id: "a" }, { id: "c", refs: "a x" }, { id: "d", refs: "a x" }],
      "(1 (2)(3))",
    ],
    [
      "dummies above dummies",
      [{ id: "a", refs: "x y" }, { id: "b", refs: "x z" }],
      "((1)(2))",
    ],
    ["a second message with the same id", [{ id: "a" }, { id: "a" }, { refs: "a" }], "(1 3)(2)"],
    ["a loop", [{ id: "a", refs: "b" }, { id: "b", refs: "a" }], "(2 1)"],
    ["itself", [{ id: "a", refs: "a" }], "(1)"],
    [
      "own references overrule those of others",
      [{ id: "c", refs: "a b" }, { id: "a" }, { id: "b" }],
      "(2)(3 1)",
    ],
    [
      "siblings by date",
      [{ id: "a" }, { id: "b", refs: "a", sent: 9 }, { id: "c", refs: "a", sent: 3 }],
      "(1 (3)(2))",
    ],
    ["roots by date", [{ sent: 3 }, { sent: 1 }, { sent: 3 }], "(2)(1)(3)"],
    ["the same subject", [{ subject: "s" }, { subject: "s" }], "((1)(2))"],
    ["empty subjects", [{ subject: "" }, { subject: "" }], "(1)(2)"],
    ["a reply by subject", [{ subject: "s" }, { subject: "s", reply: true }], "(1 2)"],
    [
      "a reply that is older",
      [{ subject: "s", reply: true }, { subject: "s" }],
      "(2 1)",
    ],
    [
      "two replies",
      [{ subject: "s", reply: true }, { subject: "s", reply: true }],
      "((1)(2))",
    ],
    [
      "three of the same subject",
      [{ subject: "s" }, { subject: "s" }, { subject: "s" }],
      "((1)(2)(3))",
    ],
    [
      "a dummy takes in what has its subject",
      [
        { subject: "s" },
        { id: "a", refs: "x", subject: "s" },
        { id: "b", refs: "x", subject: "s" },
      ],
      "((1)(2)(3))",
    ],
    [
      "two dummies",
      [
        { id: "a", refs: "x", subject: "s" },
        { id: "b", refs: "x", subject: "s" },
        { id: "c", refs: "y", subject: "s" },
        { id: "d", refs: "y", subject: "s" },
      ],
      "((1)(2)(3)(4))",
    ],
  ];
  for (const [name, samples, expected] of table) {
    equal(threads(references, samples), expected, name);
  }
});

Deno.test("refs joins no subjects, and the thread with the latest arrival is last", () => {
  const samples = [
    { id: "a", subject: "s" },
    { id: "b", subject: "s" },
    { id: "c", refs: "a", subject: "s" },
  ];
  equal(threads(refs, samples), "(2)(1 3)");
});

Deno.test("references takes any depth, in either order", () => {
  const count = 100_000;
  const chain = (reverse: boolean): Sample[] =>
    Array.from({ length: count }, (_, n) => {
      const own = reverse ? count - n : n;
      return { id: `${own}`, refs: own === 0 ? "" : `${own - 1}`, subject: "s" };
    });
  for (const reverse of [false, true]) {
    for (const algorithm of [references, refs]) {
      const roots = run(algorithm(messagesOf(chain(reverse))));
      equal(roots.length, 1);
      let depth = 0;
      for (let node: ThreadNode | undefined = roots[0]; node; node = node.children[0]) depth++;
      equal(depth, count);
    }
  }
});

Deno.test("refs gives others their turn while it links what one message refers to", () => {
  const chain = Array.from({ length: 100_000 }, (_, at) => `c${at}`);
  const roots = Array.from({ length: 100 }, (_, at) => `r${at}`);
  // All roots come below the end of the chain, each after a walk to its top.
  const threading = refs(messagesOf([
    { refs: chain.join(" ") },
    ...roots.map((root) => ({ refs: `${root} below-${root}` })),
    { refs: `${chain.at(-1)} ${roots.join(" ")}` },
  ]));
  let turns = 0;
  while (!threading.next().done) turns++;
  ok(turns >= roots.length, `${turns} turns`);
});

Deno.test("references has every message once, whatever refers to what", () => {
  let seed = 1;
  const random = (below: number) => (seed = seed * 48_271 % 2_147_483_647) % below;
  for (let round = 0; round < 300; round++) {
    const samples = Array.from({ length: 1 + random(12) }, () => ({
      id: random(4) === 0 ? undefined : `${random(10)}`,
      refs: Array.from({ length: random(4) }, () => `${random(14)}`).join(" "),
      subject: ["", "s", "t"][random(3)],
      reply: random(2) === 0,
      sent: random(5),
    }));
    for (const algorithm of [orderedSubject, references, refs]) {
      const seen: number[] = [];
      const waiting = [...run(algorithm(messagesOf(samples)))];
      for (let node = waiting.pop(); node; node = waiting.pop()) {
        if (node.message >= 0) seen.push(node.message);
        else ok(node.children.length > 1);
        for (const child of node.children) ok(child.message >= 0);
        waiting.push(...node.children);
      }
      deepEqual(seen.sort((a, b) => a - b), samples.map((_, at) => at));
    }
  }
});
