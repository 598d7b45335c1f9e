import { equal, ok } from "node:assert/strict";
import {
  FuzzyMatch,
  FuzzyNeedle,
  fuzzyScore,
  FuzzyTextSearch,
} from "../../src/message/fuzzy_text.ts";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";
import { offsets } from "./parse.ts";

function score(needle: string, ...texts: readonly string[]): number {
  const match = new FuzzyMatch(new FuzzyNeedle(needle));
  for (const text of texts) match.look(text);
  return match.score;
}

Deno.test("FuzzyMatch.score: all words in any order, each as it fits", () => {
  for (
    const [needle, text, expected] of [
      ["hello", "Hello, world", 100],
      ["world hello", "hello world", 100],
      ["hello world", "hello", 0],
      ["cafe", "Un CAFÉ noir", 100],
      ["café", "cafe", 100],
      ["strasse", "Straße 5", 100],
      ["invo", "the invoice", 87],
      ["invoice", "invo", 0],
      ["recieve", "receive", 65],
      ["helo", "hello", 0],
      ["meting", "meeting", 65],
      ["meetings", "meeting", 65],
      ["muster", "master", 65],
      ["muster", "monster", 0],
      ["port", "a transport", 50],
      ["or", "word", 0],
      ["a", "apple", 0],
      ["会议", "明天的会议室", 50],
      ["...", "anything", 100],
      ["", "", 100],
      ["hello wrold", "say hello to the world", 83],
      ["2026", "in 2026", 100],
    ] as const
  ) equal(score(needle, text), expected, `${needle} in ${text}`);
});

Deno.test("FuzzyMatch.score: words may be in several texts", () => {
  equal(score("one two", "one", "two"), 100);
});

Deno.test("fuzzyScore looks into decoded text, and finds words over pieces", () => {
  const wire = "Subject: Besprechung\r\nContent-Type: text/plain; charset=utf-8\r\n" +
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nDie R=C3=A4u=\r\nme sind voll\r\n";
  const find = (needle: string, headers: boolean) =>
    fuzzyScore(bytesFromLatin1(wire), offsets(wire), new FuzzyNeedle(needle), headers);
  equal(find("raume voll", false), 100);
  equal(find("besprechung", false), 0);
  equal(find("besprechung raume", true), 100);
});

Deno.test("FuzzyTextSearch: words of any length are the same in pieces of any size", () => {
  const long = "\u4f1a".repeat(3000);
  const texts = [
    `a.b${"x".repeat(5000)}needle c`,
    `${"1.".repeat(500)}needles`,
    `${"ab".repeat(3000)}\u{1f600}needle`,
    `${long}\u3002needle${long}\u2121x`,
    `${long}\u2121needle`,
  ];
  for (const text of texts) {
    const wire = `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}`;
    const bytes = new TextEncoder().encode(wire);
    const needle = new FuzzyNeedle("needle");
    const parts = offsets(latin1FromBytes(bytes));
    const whole = fuzzyScore(bytes, parts, needle, false);
    for (const size of [7, 63, 1000, 4097]) {
      const search = new FuzzyTextSearch(needle, { headers: false }, parts);
      for (let at = 0; at < bytes.length; at += size) search.push(bytes.slice(at, at + size));
      equal(search.end(), whole, `${text.slice(0, 10)} in pieces of ${size}`);
    }
  }
});

Deno.test("FuzzyMatch.look takes linear time", () => {
  const start = performance.now();
  score("x".repeat(1_000_000), "x".repeat(1_000_000));
  score("alpha beta gamma delta", "alpho ".repeat(200_000));
  score("a ".repeat(100_000), "b ".repeat(100_000));
  ok(performance.now() - start < 5000);
});
