import { deepEqual, equal, ok } from "node:assert/strict";
import { casemap, compareCodePoints } from "../../src/message/casemap.ts";
import { foldCase } from "../../src/message/search_text.ts";
import { sortKeysOf } from "../../src/message/sort_keys.ts";

const header = (...lines: readonly string[]) => lines.join("\r\n") + "\r\n";

Deno.test("sortKeysOf reads what SORT and THREAD compare", () => {
  deepEqual(
    sortKeysOf(header(
      "Date: Mon, 7 Feb 1994 21:52:25 -0800",
      "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>, b@example.org",
      "To: Bob@example.org",
      "Cc: list: a@example.org;",
      "Subject: Re: [x] Hello",
      "Message-ID: <1@example.org>",
      'References: <"a"@b> junk <c@',
      " d> <broken>",
    )),
    {
      sent: 760_686_745,
      subject: "HELLO",
      reply: 1,
      from: "JOERG",
      to: "BOB",
      cc: "LIST",
      displayFrom: "JO\u0308RG",
      displayTo: "BOB@EXAMPLE.ORG",
      messageId: "1@example.org",
      references: "a@b c@d",
    },
  );
});

Deno.test("sortKeysOf of an empty header has nothing", () => {
  deepEqual(sortKeysOf(""), {
    sent: null,
    subject: "",
    reply: 0,
    from: "",
    to: "",
    cc: "",
    displayFrom: "",
    displayTo: "",
    messageId: "",
    references: "",
  });
});

Deno.test("sortKeysOf takes a broken zone for UTC and a broken time for midnight", () => {
  equal(sortKeysOf(header("Date: 1 Jan 1970 00:01:00 +9900")).sent, 60);
  equal(sortKeysOf(header("Date: 2 Jan 1970 25:61:00 +0000")).sent, 86_400);
  equal(sortKeysOf(header("Date: 32 Jan 1970 00:01:00 +0000")).sent, null);
});

Deno.test("sortKeysOf takes the first of In-Reply-To where References has no id", () => {
  const keys = sortKeysOf(header("References: none", "In-Reply-To: your mail <a@b> <c@d>"));
  equal(keys.references, "a@b");
});

Deno.test("sortKeysOf clips References", () => {
  const ids = Array.from({ length: 5000 }, (_, n) => `<${n}@x>`);
  const found = sortKeysOf(header(`References: ${ids.join(" ")}`)).references.split(" ");
  equal(found.length, 1000);
  deepEqual([found[0], found[1], found.at(-1)], ["0@x", "4001@x", "4999@x"]);
});

Deno.test("sortKeysOf clips addresses, before they are folded", () => {
  const whole = "\u00e9".repeat(1001);
  const latin1 = Array.from(new TextEncoder().encode(whole), (octet) => String.fromCharCode(octet));
  const keys = sortKeysOf(header(`From: ${latin1.join("")} <a@b>`, `To: ${latin1.join("")}@b`));
  equal(keys.displayFrom, "E\u0301".repeat(1000));
  equal(keys.to, keys.displayFrom);
  equal(keys.displayTo, keys.displayFrom);
});

Deno.test("sortKeysOf takes blanks around the left side of an id for what they are", () => {
  const keys = sortKeysOf(header('Message-ID: < "a b" @c >', "References: < d @e> <\t f\t@ g>"));
  equal(keys.messageId, "ab@c");
  equal(keys.references, "d@e f@g");
});

// Were it more, these would take hours.
Deno.test("sortKeysOf takes linear time for fields full of what begins an id", () => {
  for (const piece of [" ", "< ", '<"', '<" ', '< "\\', "<a ", "<a@", "<a@ ", '<"\\<', "<\t@"]) {
    const value = `<${piece.repeat((1 << 20) / piece.length)}`;
    for (const name of ["Message-ID", "References", "In-Reply-To"]) {
      sortKeysOf(header(`${name}: ${value}`));
    }
  }
});

Deno.test("casemap is the same where foldCase is, and sorts as upper case", () => {
  for (const [a, b] of [["ı", "i"], ["ΟΔΟΣ", "οδος"], ["é", "É"], ["ﬁ", "FI"], ["ა", "Ა"]]) {
    equal(casemap(a), casemap(b));
    equal(foldCase(a), foldCase(b));
  }
  ok(compareCodePoints(casemap("b"), casemap("_a")) < 0);
  ok(compareCodePoints("\uff01", "\u{1f600}") < 0);
  ok(compareCodePoints("\u{1f600}", "\uff01") > 0);
  ok(compareCodePoints("a", "ab") < 0);
  equal(compareCodePoints("a", "a"), 0);
});
