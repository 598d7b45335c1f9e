import * as assert from "node:assert/strict";
import { damageIndex, DoctoredMaildirs, known, texts } from "./doctored_maildir.ts";

const DAMAGES: readonly {
  readonly title: string;
  readonly code: string;
  readonly sql?: string;
  /** What lies in place of the index. */
  readonly instead?: (path: string) => void;
}[] = [
  { title: "says version 0", code: "index-damaged", sql: "PRAGMA user_version = 0" },
  { title: "says an older version", code: "index-damaged", sql: "PRAGMA user_version = 3" },
  { title: "says a version below 0", code: "index-damaged", sql: "PRAGMA user_version = -16" },
  {
    title: "says a version that can't be",
    code: "index-damaged",
    sql: "PRAGMA user_version = 65536",
  },
  {
    title: "has a trigger of somebody else",
    code: "index-damaged",
    sql: `CREATE TRIGGER gone AFTER UPDATE ON files BEGIN DELETE FROM messages; END`,
  },
  {
    title: "lacks a trigger",
    code: "index-damaged",
    sql: "DROP TRIGGER contents_deleted_too",
  },
  {
    title: "is empty",
    code: "index-missing",
    instead: (path) => Deno.writeTextFileSync(path, "", { mode: 0o600 }),
  },
  { title: "is a folder", code: "index-unreadable", instead: (path) => Deno.mkdirSync(path) },
  {
    title: "is a link",
    code: "index-unreadable",
    instead: (path) => Deno.symlinkSync("/etc/hostname", path),
  },
];

const maildirs = new DoctoredMaildirs();
Deno.test.afterAll(() => maildirs.close());

for (const { title, code, sql, instead } of DAMAGES) {
  Deno.test(`MaildirStore.repair(): mends an index that ${title}`, async () => {
    const { fixture: copy, before } = await maildirs.next();
    await using fixture = copy;
    const mail = texts(fixture.root);
    if (sql !== undefined) damageIndex(fixture, sql);
    if (instead !== undefined) {
      Deno.removeSync(`${fixture.root}/imapd.sqlite`);
      instead(`${fixture.root}/imapd.sqlite`);
    }
    const store = await fixture.open();
    assert.ok((await store.examine("ann")).some((found) => found.code === code));
    const repaired = await store.repair("ann");
    assert.ok(
      repaired.some((found) => found.code === code && found.level === "mended"),
      JSON.stringify(repaired),
    );
    // What was put aside may be a link.
    const left = (await store.examine("ann")).filter(({ text }) => !/damaged/.test(text));
    assert.deepEqual(left.filter(({ level }) => level !== "ok"), []);
    await fixture.close();
    assert.deepEqual(texts(fixture.root), mail);
    if (sql !== undefined) assert.deepEqual(await known(fixture), before);
  });
}

Deno.test("MaildirStore.repair(): leaves the index of a newer version alone", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const path = `${fixture.root}/imapd.sqlite`;
  damageIndex(fixture, "PRAGMA user_version = 100; CREATE TABLE later (x)");
  const index = Deno.readFileSync(path);
  const repaired = await (await fixture.open()).repair("ann");
  assert.deepEqual(repaired.map(({ code, level }) => [code, level]), [
    ["index-unreadable", "failed"],
  ]);
  assert.deepEqual(Deno.readFileSync(path), index);
});
