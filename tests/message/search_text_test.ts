import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";
import {
  foldCase,
  headerContains,
  messageContains,
  TextSearch,
} from "../../src/message/search_text.ts";
import { chunked, garbageMail } from "./mail_arbitrary.ts";
import { offsets } from "./parse.ts";

const OCTETS = (text: string) => latin1FromBytes(new TextEncoder().encode(text));

function finds(wire: string, needle: string, headers: boolean): boolean {
  return messageContains(bytesFromLatin1(wire), offsets(wire), foldCase(needle), headers);
}

function inBody(needle: string, body: string, ...header: readonly string[]): boolean {
  return finds([...header, "", body].join("\r\n"), needle, false);
}

Deno.test("foldCase knows no case and no compatibility form", () => {
  for (
    const [left, right] of [
      ["HELLO", "hello"],
      ["ÄÖÜ", "a\u0308o\u0308u\u0308"],
      ["ΟΔΟΣ", "οδος"],
      ["ΟΔΟΣ ", "οδοσ "],
      ["İ", "i\u0307"],
      ["ﬁ", "FI"],
      ["Ａ", "a"],
      ["K", "k"],
      ["ДА", "да"],
    ]
  ) equal(foldCase(left), foldCase(right));
});

Deno.test("headerContains looks into every field of that name, unfolded and decoded", () => {
  const header = "To: a@b\r\nX: hello\r\n beautiful\r\n\theader\r\n" +
    "to : =?utf-8?q?J=C3=B6rg?=\r\n =?utf-8?q?_M?= <j@x>\r\n\r\n";
  ok(headerContains(header, "TO", "a@b"));
  ok(headerContains(header, "to", foldCase("JÖRG m <J@")));
  ok(headerContains(header, "x", "hello beautiful header"));
  ok(!headerContains(header, "x", "a@b"));
  ok(headerContains(header, "x", ""));
  ok(!headerContains(header, "subject", ""));
});

Deno.test("messageContains decodes transfer encoding and charset", () => {
  ok(
    inBody(
      "GRÜSSE".replace("SS", "ß"),
      OCTETS("viele Grüße"),
      "Content-Type: text/plain; charset=utf-8",
    ),
  );
  ok(inBody("grüße", "viele Gr\xfc\xdfe"));
  ok(inBody("€", "\xa4", "Content-Type: text/plain; charset=iso-8859-15"));
  ok(
    inBody("日本", "\x1b$B\x46\x7c\x4b\x5c\x1b(B", "Content-Type: text/plain; charset=iso-2022-jp"),
  );
  const quoted = "Content-Transfer-Encoding: quoted-printable";
  ok(inBody("één woord", "=C3=A9=C3=A9n wo=\r\nord", quoted));
  const base64 = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: BASE64"];
  const encoded = btoa(OCTETS("Größe und Länge")).replace(/(.{4})/g, "$1\r\n");
  ok(inBody("größe und länge", encoded, ...base64));
  ok(!inBody(encoded.slice(0, 4), encoded, ...base64));
});

const MESSAGE = [
  "Subject: top =?utf-8?q?=C3=A9t=C3=A9?=",
  "Content-Type: multipart/mixed; boundary=b",
  "",
  "in the preamble",
  "--b",
  "Content-Type: text/html; name=mimename",
  "",
  "<b>bo</b>ld",
  "--b",
  "Content-Type: application/octet-stream",
  "",
  "binary needle",
  "--b",
  "Content-Type: message/rfc822",
  "",
  "Subject: inner",
  "",
  "inner text",
  "--b",
  "Content-Type: message/delivery-status",
  "",
  "Status: 5.1.1",
  "--b--",
  "in the epilogue",
].join("\r\n");

Deno.test("messageContains looks for BODY in the text of parts alone", () => {
  for (const needle of ["<B>bo</b>", "inner text", "status: 5.1.1"]) {
    ok(finds(MESSAGE, needle, false), needle);
  }
  for (
    const needle of ["été", "preamble", "epilogue", "mimename", "binary", "subject: inner", "boldx"]
  ) ok(!finds(MESSAGE, needle, false), needle);
});

Deno.test("messageContains looks for TEXT in all headers too", () => {
  for (const needle of ["TOP ÉTÉ", "mimename", "subject: inner", "inner text", "delivery-status"]) {
    ok(finds(MESSAGE, needle, true), needle);
  }
  for (const needle of ["preamble", "epilogue", "binary"]) {
    ok(!finds(MESSAGE, needle, true), needle);
  }
});

Deno.test("messageContains takes a message as it lies in the file", () => {
  const file = bytesFromLatin1(MESSAGE.replaceAll("\r\n", "\n"));
  ok(messageContains(file, offsets(MESSAGE), "inner text", false));
  ok(!messageContains(file, offsets(MESSAGE), "binary", false));
});

Deno.test("messageContains finds nothing across two parts", () => {
  const wire = [
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "",
    "one",
    "--b",
    "",
    "two",
    "--b--",
  ].join("\r\n");
  ok(!finds(wire, "onetwo", false));
  ok(!finds(wire, "onetwo", true));
});

Deno.test("messageContains finds an empty text in every message", () => {
  ok(finds("", "", false));
  ok(finds(MESSAGE, "", true));
});

Deno.test("TextSearch finds in any chunks what messageContains finds", () => {
  const needle = fc.constantFrom(
    "needle",
    "é",
    "éé",
    "ö ö",
    "hello world",
    "日",
    "a",
    "b\r\n",
    "é€ÿ",
  );
  fc.assert(
    fc.property(
      garbageMail,
      needle,
      fc.boolean(),
      fc.array(fc.nat()),
      (text, word, headers, cuts) => {
        const wire = text.replace(/(?<!\r)\n/g, "\r\n");
        const parts = offsets(wire);
        const search = new TextSearch(foldCase(word), { headers }, parts);
        for (const chunk of chunked(wire, cuts)) search.push(chunk);
        equal(
          search.end(),
          messageContains(bytesFromLatin1(wire), parts, foldCase(word), headers),
        );
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("TextSearch finds every substring of a text, in any encoding and chunks", () => {
  const encodings = {
    "8bit": (octets: string) => octets,
    "base64": (octets: string) => btoa(octets).replace(/(.{12})/g, "$1\r\n"),
    "quoted-printable": (octets: string) =>
      Array.from(octets, (char) => `=${char.charCodeAt(0).toString(16).padStart(2, "0")}`).join(
        "=\r\n",
      ),
  };
  const text = fc.string({ unit: fc.constantFrom(..."aAbßéÉΣσς日 😀\u0301\u0323"), minLength: 1 });
  const encoding = fc.constantFrom("8bit" as const, "base64" as const, "quoted-printable" as const);
  fc.assert(
    fc.property(
      text,
      encoding,
      fc.nat(),
      fc.nat(),
      fc.array(fc.nat()),
      (body, name, from, to, cuts) => {
        const folded = foldCase(body);
        const start = from % folded.length;
        const needle = folded.slice(start, start + 1 + to % 8);
        const wire =
          `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${name}` +
          `\r\n\r\n${encodings[name](OCTETS(body))}`;
        const search = new TextSearch(needle, { headers: false }, offsets(wire));
        for (const chunk of chunked(wire, cuts)) search.push(chunk);
        ok(search.end());
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("TextSearch is done as soon as it knows", () => {
  const bytes = bytesFromLatin1(MESSAGE);
  const search = new TextSearch("bold", { headers: false }, offsets(MESSAGE));
  search.push(bytes.subarray(0, MESSAGE.indexOf("in the epilogue")));
  equal(search.done, true);
  equal(search.found, false);
  const lucky = new TextSearch("<b>", { headers: false }, offsets(MESSAGE));
  lucky.push(bytes.subarray(0, MESSAGE.indexOf("bo</b>")));
  lucky.push(bytes.subarray(MESSAGE.indexOf("bo</b>")));
  equal(lucky.found, true);
});

Deno.test("TextSearch reads a message that is shorter than its parts say", () => {
  const search = new TextSearch("end", { headers: false }, { at: [0, 2, 100], text: "" });
  search.push(bytesFromLatin1("\r\nthe en"));
  search.push(bytesFromLatin1("d"));
  equal(search.end(), true);
});
