import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { htmlText } from "../../src/message/html_text.ts";
import { MessageIndexer } from "../../src/message/indexer.ts";
import { latin1FromBytes } from "../../src/message/latin1.ts";
import { PREVIEW_CHARS } from "../../src/message/preview.ts";
import { chunked, garbageMail } from "./mail_arbitrary.ts";

function previewOf(mail: string, cuts: readonly number[] = []): string {
  const indexer = new MessageIndexer();
  for (const chunk of chunked(mail, cuts)) indexer.push(chunk);
  return indexer.end().preview;
}

const utf8 = (text: string) => latin1FromBytes(new TextEncoder().encode(text));
const plain = (text: string) => `Content-Type: text/plain; charset=utf-8\n\n${utf8(text)}`;
const html = (text: string) => `Content-Type: text/html; charset=utf-8\n\n${utf8(text)}`;

for (
  const [what, mail, preview] of [
    ["nothing of an empty message", "", ""],
    ["nothing of a header alone", "Subject: a\n\n", ""],
    ["text with blanks folded", plain("\n\n a\t b \n\nc\u00a0\u00a0d\n"), "a b c d"],
    ["text without a charset", "\ncaf\xe9\n", "café"],
    ["text in its charset", "Content-Type: text/plain; charset=koi8-r\n\n\xf0\xd2\xc9", "При"],
    [
      "base64",
      "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: BASE64\n\nY2Fmw6k=\n",
      "café",
    ],
    ["no reply's quotation", plain("> a\n> b\n\nNo.\n"), "No."],
    ["no attribution in two lines", plain("On Mon, Ann\n<a@x> wrote:\n\n> a\n\nNo.\n"), "No."],
    ["a line with a colon before a list", plain("We need:\n- milk\n"), "We need: - milk"],
    ["a quotation if there is nothing else", plain("> a\n>> b\n"), "a b"],
    ["no signature", plain("Yes.\n-- \nAnn\n"), "Yes."],
    ["nothing behind an original message", plain("Yes.\n-----Original Message-----\nNo."), "Yes."],
    ["a forwarded message", plain("---------- Forwarded message ----------\nHi"), "Hi"],
    [
      "what is signed",
      plain(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nYes.\n-----BEGIN PGP SIGNATURE-----\nx",
      ),
      "Yes.",
    ],
    ["nothing of what is encrypted", plain("-----BEGIN PGP MESSAGE-----\n\nhQEM\n"), ""],
    ["no rules", plain("=====\nNews\n=====\n"), "News"],
    ["no filling", plain("News\u200c \u200c \u034f \u00ad\u200b\ufeffof\n"), "News of"],
    ["emoji as they are", plain("👩\u200d👧 is here"), "👩\u200d👧 is here"],
    ["no controls", plain("a\x00b\x1bc"), "a b c"],
    ["HTML without tags", html("<p>At <b>no</b>on<br>today</p><p>Ann</p>"), "At noon today Ann"],
    ["no styles and scripts", html("<style>p{}</style><script>a<b</script>Hi"), "Hi"],
    ["no title", html("<html><head><title>T</title></head><body>Hi</body></html>"), "Hi"],
    ["text of a head without end", html("<head><body>Hi</body>"), "Hi"],
    ["no comments", html("a<!-- <b> -->b<!-- c"), "a b"],
    ["character references", html("&lt;&amp;&eacute;&#233;&#x1F600;&nope;&euro;"), "<&éé😀&nope;€"],
    ["a lone less-than", html("1 < 2 <3"), "1 < 2 <3"],
    ["no quoted HTML", html("Yes.<blockquote>No.</blockquote>"), "Yes."],
    [
      "no attribution of a quotation",
      html('Yes.<div class="gmail_attr">On Monday Ann:</div><blockquote>No.</blockquote>'),
      "Yes.",
    ],
    [
      "no attribution with blanks around the sign of its class",
      html(`Yes.<div class = 'a gmail_attr'>No.</div><div class=\n moz-cite-prefix>No.</div>`),
      "Yes.",
    ],
    ["quoted HTML if there is nothing else", html("<blockquote>No.</blockquote>"), "No."],
    ["no attribute's text", html(`<a title="a > b" href='x'>Hi</a>`), "Hi"],
    ["no calendar", "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n", ""],
    ["no image", "Content-Type: image/png\n\nabc\n", ""],
    [
      "a forwarded message that is all there is",
      "Content-Type: message/rfc822\n\nSubject: b\n\nInner\n",
      "Inner",
    ],
  ] as const
) {
  Deno.test(`previewOf shows ${what}`, () => equal(previewOf(mail), preview));
}

function multipart(subtype: string, ...parts: string[]): string {
  const boundary = subtype.slice(0, 3);
  return `Content-Type: multipart/${subtype}; boundary=${boundary}\n\n${
    parts.map((part) => `--${boundary}\n${part}\n`).join("")
  }--${boundary}--\n`;
}

Deno.test("previewOf prefers plain text in an alternative, and takes HTML where that is empty", () => {
  equal(previewOf(multipart("alternative", html("<p>A"), plain("B"))), "B");
  equal(previewOf(multipart("alternative", plain("  "), html("<p>A"))), "A");
});

Deno.test("previewOf takes the first text that is no attachment", () => {
  const attached = `Content-Disposition: attachment\n${plain("A")}`;
  equal(previewOf(multipart("mixed", attached, multipart("related", html("B")), plain("C"))), "B");
  equal(previewOf(multipart("mixed", attached)), "");
});

Deno.test("previewOf shows a message before one that is attached to it", () => {
  const inner = "Content-Type: message/rfc822\n\nSubject: b\n\nInner\n";
  equal(previewOf(multipart("mixed", inner, plain("Outer"))), "Outer");
  equal(previewOf(multipart("mixed", inner)), "Inner");
});

Deno.test("previewOf ends after 200 characters, and between them", () => {
  equal(previewOf(plain("a".repeat(5000))), "a".repeat(PREVIEW_CHARS));
  equal(previewOf(plain("😀".repeat(5000))), "😀".repeat(PREVIEW_CHARS));
  equal(previewOf(plain(`${"a".repeat(199)} b`)), "a".repeat(199));
});

Deno.test("previewOf looks behind long styles", () => {
  equal(previewOf(html(`<style>${"p{}".repeat(9000)}</style><p>Hi</p>`)), "Hi");
});

Deno.test("previewOf says the same of a message in any chunks", () => {
  fc.assert(fc.property(garbageMail, fc.array(fc.nat()), (text, cuts) => {
    const preview = previewOf(text);
    equal(previewOf(text, cuts), preview);
    ok([...preview].length <= PREVIEW_CHARS);
    ok(preview.isWellFormed());
    equal(preview, preview.trim());
  }));
});

for (
  const [what, text] of [
    ["tags", "<a"],
    ["quotation marks", '<a "'],
    ["both quotation marks", `<a "'`],
    ["heads", "<head>"],
    ["attributions", "<div class=gmail_attr>"],
    ["comments", "<!--"],
    ["ampersands", "&#"],
    ["joiners", "\u200d"],
    ["quotations", "<blockquote>"],
    ["dashes", "-"],
    ["lines", "\n"],
    ["marks of quotations", ">"],
    ["lines with a mark", "On a:\n> b\n"],
    ["blanks", " \t"],
    ["lines that begin a forward", "\n\n--abc--\n"],
  ] as const
) {
  Deno.test(`previewOf takes bounded time for hostile ${what}`, () => {
    const many = text.repeat(200_000);
    for (const mail of [plain(`x${many}y`), html(`x${many}y`)]) {
      const started = performance.now();
      previewOf(mail);
      // Quadratic time would be minutes.
      ok(performance.now() - started < 5000);
    }
  });
}

Deno.test("htmlText tells own text from quoted text", () => {
  deepEqual(htmlText("a<blockquote>b<blockquote>c</blockquote>d</blockquote>e"), {
    own: "a e",
    quoted: " b c d",
  });
});
