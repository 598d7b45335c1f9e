import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { formatLine, formatRecord, type LogFields, type LogFormat } from "../../src/log_format.ts";

const FORMATS: readonly LogFormat[] = ["text", "logfmt", "json"];

Deno.test("formatLine() quotes where it must", () => {
  strictEqual(
    formatLine("logged in", { user: "ann", n: 3, tls: true, none: undefined, empty: "" }),
    'logged in user=ann n=3 tls=true empty=""',
  );
  strictEqual(
    formatLine("x", { a: "b c", d: 'e"f', g: "h=i", j: "k\\" }),
    'x a="b c" d="e\\"f" g="h=i" j="k\\\\"',
  );
});

Deno.test("formatLine() lets nothing end the line or play with the terminal", () => {
  strictEqual(
    formatLine("x", { a: "b\r\nevent forged=1", c: "\x1b[31m", d: "\u202eabc", e: "\u2028" }),
    'x a="b\\r\\nevent forged=1" c="\\u{1b}[31m" d="\\u{202e}abc" e="\\u{2028}"',
  );
  strictEqual(formatLine("x", { "a b=1\r\nc": "d" }), "x a_b_1__c=d");
});

/** Reads logfmt as its programs do. */
function readLogfmt(line: string): [string, string][] {
  const pairs = [...line.matchAll(/([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s="\\]*))(?: |$)/gy)];
  strictEqual(pairs.reduce((sum, [whole]) => sum + whole.length, 0), line.length, line);
  return pairs.map(([, key, quoted, plain]) => [key, quoted ?? plain]);
}

Deno.test("formatRecord() makes one line of printable text from anything, without a forged field", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, text, text, (event, key, value, name) => {
      fc.pre(name !== "__proto__" && key !== "__proto__");
      const fields: LogFields = { conn: "7", [`client_${key}`]: value };
      const ending = { reason: event, src_ip: "192.0.2.9:1", username: value };
      for (const format of FORMATS) {
        const record = { event, level: "warning", fields, ending } as const;
        const line = formatRecord(format, record, { level: true, time: new Date(0) });
        ok(!/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(line.replace("\t", "")), line);
        ok(format === "text" || !line.includes("\t"), line);
        const end = { reason: event, src_ip: "192.0.2.9:1", username: value };
        if (format === "text") deepStrictEqual(JSON.parse(line.split("\t").at(-1) ?? ""), end);
        if (format === "json") {
          const read = JSON.parse(line);
          deepStrictEqual(Object.keys(read).slice(-3), Object.keys(end));
          deepStrictEqual([read.msg, read[`client_${key}`], read.username], [event, value, value]);
        }
        if (format === "logfmt") {
          const keys = readLogfmt(line).map(([key]) => key);
          deepStrictEqual(keys.slice(0, 4), ["time", "level", "msg", "conn"]);
          deepStrictEqual(keys.slice(5), Object.keys(end));
        }
      }
    }),
  );
});

Deno.test("formatRecord() keeps fields from taking the place of level and msg", () => {
  const record = { event: "x", level: "info", fields: { msg: "y", level: "z" } } as const;
  strictEqual(
    formatRecord("logfmt", record, { level: false }),
    "level=info msg=x msg_=y level_=z",
  );
});
