import assert from "node:assert/strict";
import { parseImapUrl } from "../../src/wire/imap_url.ts";

Deno.test("parseImapUrl: reads absolute paths", () => {
  assert.deepEqual(parseImapUrl("/INBOX/;UID=20"), { mailbox: "INBOX", uid: 20 });
  assert.deepEqual(parseImapUrl("/inbox/;uid=20"), { mailbox: "INBOX", uid: 20 });
  assert.deepEqual(parseImapUrl("/Drafts;UIDVALIDITY=385759045/;UID=20/;SECTION=HEADER"), {
    mailbox: "Drafts",
    uidValidity: 385759045,
    uid: 20,
    section: { part: [], text: "HEADER", fields: [] },
  });
  assert.deepEqual(parseImapUrl("/a/b%20c/%C3%A4/;UID=1/;section=1.2.MIME/;PARTIAL=5.10"), {
    mailbox: "a/b c/ä",
    uid: 1,
    section: { part: [1, 2], text: "MIME", fields: [] },
    partial: { offset: 5, count: 10 },
  });
  assert.deepEqual(parseImapUrl("/a/;UID=1/;PARTIAL=5")?.partial, { offset: 5, count: Infinity });
  assert.deepEqual(
    parseImapUrl("/a/;UID=1/;SECTION=HEADER.FIELDS%20(From%20To)")?.section?.fields,
    ["From", "To"],
  );
});

Deno.test("parseImapUrl: reads what is relative to the selected mailbox", () => {
  assert.deepEqual(parseImapUrl(";UID=3"), { uid: 3 });
  assert.deepEqual(parseImapUrl("/;UID=3/;SECTION=2"), undefined);
});

Deno.test("parseImapUrl: reads whose server it is", () => {
  assert.deepEqual(parseImapUrl("imap://me%40a;AUTH=*@Mail.Example.org:143/INBOX/;UID=2"), {
    server: { host: "mail.example.org", port: 143, user: "me@a" },
    mailbox: "INBOX",
    uid: 2,
  });
  assert.deepEqual(parseImapUrl("IMAP://host/INBOX;UIDVALIDITY=1/;UID=2")?.server, {
    host: "host",
  });
});

Deno.test("parseImapUrl: refuses all else", () => {
  const wrong = [
    "",
    "/",
    "/INBOX",
    "/INBOX/",
    "/INBOX;UID=1",
    "INBOX/;UID=1",
    "/INBOX/;UID=0",
    "/INBOX/;UID=4294967296",
    "/INBOX/;UID=1/",
    "/INBOX/;UID=1/;SECTION=",
    "/INBOX/;UID=1/;SECTION=FOO",
    "/INBOX/;UID=1/;SECTION=1/;PARTIAL=1.0",
    "/INBOX/;UID=1;URLAUTH=anonymous",
    "/INBOX?SUBJECT",
    "/%ff/;UID=1",
    "/a b/;UID=1",
    "http://host/INBOX/;UID=1",
    "imap://host/;UID=1",
    "imap:///INBOX/;UID=1",
    ";UIDVALIDITY=1/;UID=1",
  ];
  for (const url of wrong) assert.equal(parseImapUrl(url), undefined, url);
});
