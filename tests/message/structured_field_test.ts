import { deepEqual, equal, ok } from "node:assert/strict";
import { parseContent, PLAIN_TEXT } from "../../src/message/content.ts";
import {
  parseParameterized,
  parseWordList,
  withoutComments,
} from "../../src/message/structured_field.ts";

const CASES: Readonly<Record<string, readonly [value: string, ...parameters: string[]]>> = {
  " text/plain": ["text/plain"],
  "text/plain; charset=utf-8": ["text/plain", "charset=utf-8"],
  'a/b;x="q;\\"\\\\";y=z': ["a/b", 'x=q;"\\', "y=z"],
  "a/b (c) ; (d) x (e) = (f) y (g)": ["a/b", "x=y"],
  "a/b;\r\n\tx=y;\r\n z=w": ["a/b", "x=y", "z=w"],
  'a/b; x="folded\r\n value"': ["a/b", "x=folded value"],
  "a/b; name=my file (1).txt; x=y": ["a/b", "name=my file (1).txt", "x=y"],
  "a/b; name=report(1).txt (comment)": ["a/b", "name=report(1).txt"],
  "a/b; name=report(1)": ["a/b", "name=report(1)"],
  "a/b;; ; novalue; =x; y=": ["a/b", "y="],
  'a/b; x="open': ["a/b", "x=open"],
  'a/b; x="v" junk; y=z': ["a/b", "x=v", "y=z"],
  "a/b; x*0*=utf-8''%41; x*1=b": ["a/b", "x*0*=utf-8''%41", "x*1=b"],
  "; x=y": ["", "x=y"],
  "": [""],
};

for (const [raw, [value, ...parameters]] of Object.entries(CASES)) {
  Deno.test(`parseParameterized: ${JSON.stringify(raw)}`, () => {
    const parsed = parseParameterized(raw);
    equal(parsed.value, value);
    deepEqual(parsed.parameters.map((pair) => pair.join("=")), parameters);
  });
}

Deno.test("parseParameterized reads hostile text in linear time", () => {
  for (const piece of ["(", " (", " (x) ", "a=(", ";", ';x="', ";x=y", "\\", '"', " ( )y"]) {
    ok(parseParameterized(`a/b; x=${piece.repeat(300_000)}`).value === "a/b");
  }
});

Deno.test("withoutComments removes nested comments and outer blanks", () => {
  equal(withoutComments(" a (b (c) \\) d) e "), "a  e");
  equal(withoutComments("a (open"), "a");
});

Deno.test("parseWordList splits at commas and leaves comments out", () => {
  deepEqual(parseWordList(" en (English),\r\n de ,,"), ["en", "de"]);
});

Deno.test("parseContent takes the first of two fields and a default for none", () => {
  const header = "Content-Type: text/html\r\nContent-Type: image/png\r\n\r\n";
  equal(parseContent(header, PLAIN_TEXT).contentType.subtype, "html");
  equal(parseContent("\r\n", PLAIN_TEXT).contentType, PLAIN_TEXT);
});

Deno.test("parseContent takes a type that cannot be read for plain text", () => {
  for (const type of ["", ";;", "garbage", "a/b/c", "/plain", "text/", "\xe9/x"]) {
    equal(parseContent(`Content-Type: ${type}\r\n\r\n`, PLAIN_TEXT).contentType, PLAIN_TEXT, type);
  }
});

Deno.test("parseContent understands common mistakes", () => {
  const type = (value: string) => {
    const { contentType } = parseContent(`Content-Type: ${value}\r\n\r\n`, PLAIN_TEXT);
    return `${contentType.type}/${contentType.subtype}`;
  };
  equal(type("text"), "text/plain");
  equal(type(" text / html ; x=y"), "text/html");
  equal(type("text/html charset=utf-8"), "text/html");
  equal(type('"text/html"'), "text/html");
});

Deno.test("parseContent gives 7bit for an encoding that is missing or empty", () => {
  equal(parseContent("\r\n", PLAIN_TEXT).encoding, "7bit");
  equal(parseContent("Content-Transfer-Encoding: (x)\r\n", PLAIN_TEXT).encoding, "7bit");
  equal(parseContent("Content-Transfer-Encoding: 8BIT (x)\r\n", PLAIN_TEXT).encoding, "8BIT");
});
