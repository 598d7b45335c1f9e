import { equal, ok } from "node:assert/strict";
import { FuzzyMatch, FuzzyNeedle, fuzzyScore } from "../../src/message/fuzzy_text.ts";
import { bytesFromLatin1 } from "../../src/message/latin1.ts";
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

Deno.test("FuzzyMatch.look takes linear time", () => {
  const start = performance.now();
  score("x".repeat(1_000_000), "x".repeat(1_000_000));
  score("alpha beta gamma delta", "alpho ".repeat(200_000));
  score("a ".repeat(100_000), "b ".repeat(100_000));
  ok(performance.now() - start < 5000);
});
