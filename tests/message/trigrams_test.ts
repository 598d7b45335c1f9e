import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { FuzzyNeedle, fuzzyScore } from "../../src/message/fuzzy_text.ts";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";
import { foldCase, messageContains } from "../../src/message/search_text.ts";
import {
  fuzzyQuery,
  substringQuery,
  type TokenQuery,
  trigramDecoding,
  Trigrams,
} from "../../src/message/trigrams.ts";
import { chunked, garbageMail } from "./mail_arbitrary.ts";
import { offsets } from "./parse.ts";

/** As the search file answers it. */
function holds(tokens: readonly string[], query: TokenQuery | undefined): boolean {
  return query?.every((alternatives) =>
    alternatives.some((wanted) =>
      wanted.every((token) => tokens.some((each) => each.startsWith(token)))
    )
  ) ?? true;
}

const trigrams = new Trigrams();

function tokensOf(text: string): string[] {
  trigrams.add(foldCase(text), true);
  return trigrams.take().trimEnd().split(" ");
}

function tokensOfMail(wire: string, cuts: readonly number[] = []): string[] {
  const decoding = trigramDecoding(offsets(wire), trigrams);
  for (const chunk of chunked(wire, cuts)) decoding.push(chunk);
  decoding.end();
  return trigrams.take().trimEnd().split(" ");
}

function mayHold(text: string, needle: string): boolean {
  return holds(tokensOf(text), substringQuery(foldCase(needle)));
}

Deno.test("Trigrams have each three chars once, and the end of each text", () => {
  equal(tokensOf("abcabc").length, 4);
  deepEqualTokens("ab", 1);
  deepEqualTokens("a", 0);
  deepEqualTokens("", 0);
  trigrams.add("ab", true);
  trigrams.add("cd", true);
  equal(trigrams.take().trimEnd().split(" ").length, 2);
  trigrams.add("ab", false);
  trigrams.add("cd", true);
  equal(trigrams.take().trimEnd().split(" ").length, 3);
});

function deepEqualTokens(text: string, count: number): void {
  trigrams.add(text, true);
  equal(trigrams.take().split(" ").length - 1, count);
}

Deno.test("substringQuery leaves out texts that lack something of the needle", () => {
  ok(mayHold("Hello world", "LO WO"));
  ok(!mayHold("Hello world", "low"));
  ok(mayHold("viele Grüße", "grüsse".replace("ss", "ß")));
  ok(!mayHold("viele Grüße", "grüne"));
  ok(mayHold("これは日本語", "日本"));
  ok(!mayHold("これは日本語", "英語"));
  ok(mayHold("the end", "nd"));
  ok(!mayHold("the end", "ed"));
  equal(substringQuery("x"), undefined);
  equal(substringQuery(""), undefined);
  equal(substringQuery("\u0301\u0301\u0301"), undefined);
});

Deno.test("fuzzyQuery leaves out texts that lack a word, with a letter wrong or not", () => {
  const may = (text: string, needle: string) =>
    holds(tokensOf(text), fuzzyQuery(new FuzzyNeedle(needle)));
  ok(may("the quarterly report", "qaurterly reprot"));
  ok(!may("the quarterly report", "yearly balance"));
  ok(may("un café", "cafe"));
  equal(fuzzyQuery(new FuzzyNeedle("a b c")), undefined);
});

const WORDS = "aAbßéÉΣσς日本 😀ı\u0301\u0323ŁæﬁK-.";
const text = fc.string({ unit: fc.constantFrom(...WORDS), minLength: 1, maxLength: 60 });

Deno.test("substringQuery leaves out no text that holds the needle, however it is encoded", () => {
  const octets = (of: string) => latin1FromBytes(new TextEncoder().encode(of));
  fc.assert(
    fc.property(
      text,
      fc.boolean(),
      fc.nat(),
      fc.nat(),
      fc.array(fc.nat()),
      (body, base64, from, length, cuts) => {
        const folded = foldCase(body);
        const start = from % folded.length;
        const needle = folded.slice(start, start + 1 + length % 10);
        const wire = "Content-Type: text/plain; charset=utf-8\r\n" +
          (base64
            ? `Content-Transfer-Encoding: base64\r\n\r\n${btoa(octets(body))}`
            : `\r\n${octets(body)}`);
        ok(holds(tokensOfMail(wire, cuts), substringQuery(needle)));
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("substringQuery and fuzzyQuery leave out no mail that is found", () => {
  const needle = fc.oneof(
    fc.constantFrom(
      "needle",
      "hello world",
      "éé",
      "nee",
      "a@b",
      "日",
      "é€ÿ",
      "n\r\n",
      "jöö",
      "--b",
    ),
    text,
  );
  fc.assert(
    fc.property(garbageMail, needle, fc.array(fc.nat()), (garbage, word, cuts) => {
      const wire = garbage.replace(/(?<!\r)\n/g, "\r\n");
      const tokens = tokensOfMail(wire, cuts);
      const [message, parts] = [bytesFromLatin1(wire), offsets(wire)];
      if (messageContains(message, parts, foldCase(word), true)) {
        ok(holds(tokens, substringQuery(foldCase(word))));
      }
      const fuzzy = new FuzzyNeedle(word);
      if (fuzzyScore(message, parts, fuzzy, true) > 0) ok(holds(tokens, fuzzyQuery(fuzzy)));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("fuzzyQuery leaves out no word with one letter wrong", () => {
  const word = fc.string({ unit: fc.constantFrom(..."abcd"), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      word,
      fc.nat(),
      fc.constantFrom(..."abc"),
      fc.nat(3),
      (wanted, place, letter, how) => {
        const at = place % wanted.length;
        const [before, after] = [wanted.slice(0, at), wanted.slice(at)];
        const written = [
          before + letter + after,
          before + letter + after.slice(1),
          before + after.slice(1),
          before + after.slice(1, 2) + after.slice(0, 1) + after.slice(2),
        ][how];
        const needle = new FuzzyNeedle(wanted);
        const wire = `\r\n${written}`;
        if (fuzzyScore(bytesFromLatin1(wire), offsets(wire), needle, false) === 0) return;
        ok(holds(tokensOf(written), fuzzyQuery(needle)), `${wanted} in ${written}`);
      },
    ),
    { numRuns: 2000 },
  );
});
