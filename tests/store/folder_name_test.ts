import assert from "node:assert/strict";
import fc from "fast-check";
import { folderOf, nameFolders, nameOf } from "../../src/store/maildir/folder_name.ts";
import { StoreError } from "../../src/store/store.ts";

const level = fc.string({
  unit: fc.oneof(fc.constantFrom(..."&-,.~%*Az09 \\"), fc.string({ unit: "grapheme", size: "=" })),
  minLength: 1,
  maxLength: 12,
});
const anyName = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));

function isBadName(error: unknown): boolean {
  return error instanceof StoreError && error.code === "bad-name";
}

Deno.test("folderOf spells mailboxes as Maildir++ folders", () => {
  const folders = {
    "INBOX": "",
    "Sent": ".Sent",
    "Archive/2026": ".Archive.2026",
    "INBOX/Sub": ".INBOX.Sub",
    "Entwürfe": ".Entw&APw-rfe",
    "v1.2": ".v1&AC4-2",
    "ü.x": ".&APwALg-x",
    "A&B/C": ".A&-B.C",
    "...": ".&AC4ALgAu-",
    "a\\b": ".a\\b",
  };
  for (const [name, folder] of Object.entries(folders)) {
    assert.equal(folderOf(name), folder);
    assert.equal(nameOf(folder), name);
  }
});

Deno.test("folderOf is undone by nameOf", () => {
  fc.assert(
    fc.property(anyName, (name) => {
      let folder: string;
      try {
        folder = folderOf(name);
      } catch (error) {
        assert.ok(isBadName(error), String(error));
        return;
      }
      assert.equal(nameOf(folder), name.normalize("NFC"));
      assert.match(folder, /^\.[\x20-\x7e]+$/);
      assert.ok(folder.length <= 255 && !folder.includes("/"));
      assert.deepEqual(nameFolders([folder]), new Map([[folder, name.normalize("NFC")]]));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("folderOf refuses what no mailbox can be called", () => {
  const names = [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "a\0b",
    "a\nb",
    "a\x7f",
    "a\u0085",
    "a\u2028",
    "a\ud800",
    "inbox",
    "Inbox/a",
    "INBOX/INBOX",
    "INBOX/inbox",
    "x".repeat(255),
    "ü".repeat(100),
    Array(101).fill("a").join("/"),
  ];
  for (const name of names) assert.throws(() => folderOf(name), isBadName, JSON.stringify(name));
  assert.equal(folderOf("x".repeat(254)).length, 255);
  assert.equal(folderOf("inboxes"), ".inboxes");
  assert.equal(folderOf("a/INBOX"), ".a.INBOX");
  assert.equal(folderOf(Array(100).fill("a").join("/")).length, 200);
});

Deno.test("nameOf shows the folders of other programs as they are meant", () => {
  assert.equal(nameOf(".Entwürfe"), "Entwürfe");
  assert.equal(nameOf(".Entwu\u0308rfe"), "Entwürfe");
  assert.equal(nameOf(".AT&T"), "AT&T");
  assert.equal(nameOf(".a&AC8-b"), "a&AC8-b");
  assert.equal(nameOf(".inbox.Sub"), "INBOX/Sub");
  assert.equal(nameOf(".a\r\nb\x7f\u2028"), "a\ufffd\ufffdb\ufffd\ufffd");
  assert.equal(nameOf(".&AA0ACg-"), "\ufffd\ufffd");
});

Deno.test("nameOf leaves out what is no mailbox", () => {
  for (const folder of ["cur", ".", "..", ".a..b", ".a.", ".\ufffd", "a.b", ".a/b"]) {
    assert.equal(nameOf(folder), undefined, folder);
  }
});

Deno.test("nameFolders gives each folder a name of its own", () => {
  const folders = [
    "",
    ".INBOX",
    ".Entwürfe",
    ".Entw&APw-rfe",
    ".Entwu\u0308rfe",
    ".AT&T",
    ".AT&-T",
    "cur",
    ".Plain.Sub",
  ];
  const expected = new Map([
    ["", "INBOX"],
    [".INBOX", "INBOX (2)"],
    [".Entw&APw-rfe", "Entwürfe"],
    [".Entwu\u0308rfe", "Entwürfe (2)"],
    [".Entwürfe", "Entwürfe (3)"],
    [".AT&-T", "AT&T"],
    [".AT&T", "AT&T (2)"],
    [".Plain.Sub", "Plain/Sub"],
  ]);
  for (const order of [folders, folders.toReversed(), [...folders, ...folders]]) {
    const named = nameFolders(order);
    assert.deepEqual(new Map([...named].sort()), new Map([...expected].sort()));
  }
});

Deno.test("nameFolders is total and injective, and folderOf finds the regular ones", () => {
  const folder = fc.string({ unit: fc.constantFrom(..."&-AC4.üx"), maxLength: 8 })
    .map((text) => "." + text);
  fc.assert(
    fc.property(fc.array(folder), (folders) => {
      const named = nameFolders(folders);
      assert.equal(new Set(named.values()).size, named.size);
      for (const folder of folders) assert.equal(named.has(folder), nameOf(folder) !== undefined);
      for (const [folder, name] of named) {
        let found: string;
        try {
          found = folderOf(name);
        } catch (error) {
          assert.ok(isBadName(error));
          continue;
        }
        // A new mailbox of that name would be another folder, but never another's.
        if (found !== folder) assert.ok(!named.has(found) || named.get(found) !== name);
      }
    }),
    { numRuns: 1000 },
  );
});
