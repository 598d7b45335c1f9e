import * as assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Problem } from "../../src/store/maildir/problem.ts";
import { uidsOf, wholeText } from "../contracts/store_actions.ts";
import { damageIndex, DoctoredMaildirs, everything, known, texts } from "./doctored_maildir.ts";
import type { UidRanges } from "../../src/store/store.ts";
import type { MaildirFixture } from "./maildir_fixture.ts";

/** Something that is broken by hand. */
interface Damage {
  /** Of what must be found, and be the first thing that is mended. */
  readonly code: string;
  readonly title: string;
  readonly sql?: string;
  readonly files?: (fixture: MaildirFixture) => void;
  /** UIDs of INBOX that clients may lose by it. */
  readonly lost?: readonly number[];
  /** Flags of these UIDs may be others afterwards. */
  readonly reflagged?: readonly number[];
  /** UIDs that must be named. */
  readonly uids?: readonly number[];
  readonly level?: Problem["level"];
}

const INBOX = "(SELECT id FROM mailboxes WHERE name = 'INBOX')";
const key = (uid: number) => `(${INBOX} << 32 | ${uid})`;

const nth = (fixture: MaildirFixture, n: number) =>
  `${fixture.root}/cur/${fixture.names("cur")[n]}`;

const DAMAGES: readonly Damage[] = [
  {
    code: "message-without-file-row",
    title: "a message without its file's row",
    sql: `DELETE FROM files WHERE id = ${key(2)}`,
    lost: [2],
    uids: [2],
  },
  {
    code: "file-row-without-message",
    title: "a file's row without its message",
    sql: `DELETE FROM messages WHERE mailbox = ${INBOX} AND uid = 4`,
    lost: [4],
    uids: [4],
  },
  {
    code: "uid-above-uidnext",
    title: "UIDs that are to be given yet",
    sql: "UPDATE mailboxes SET uid_next = 3 WHERE name = 'INBOX'",
    uids: [3, 4, 5, 6],
  },
  {
    code: "uid-impossible",
    title: "a UID of 2 to the 40",
    sql: `UPDATE messages SET uid = 1099511627776 WHERE mailbox = ${INBOX} AND uid = 6`,
    lost: [6],
    uids: [1099511627776],
  },
  {
    code: "uid-impossible",
    title: "UIDs of expunges that can't be",
    sql: `UPDATE expunged SET first_uid = 7 WHERE mailbox = ${INBOX}`,
    lost: [3],
  },
  {
    code: "uid-impossible",
    title: "a UID below 1",
    sql: `UPDATE messages SET uid = -7 WHERE mailbox = ${INBOX} AND uid = 1`,
    lost: [1],
  },
  {
    code: "uid-impossible",
    title: "a UID so high that none would be left",
    sql: `UPDATE messages SET uid = 4294967295 WHERE mailbox = ${INBOX} AND uid = 6;
      UPDATE files SET id = ${INBOX} << 32 | 4294967295 WHERE id = ${key(6)}`,
    lost: [6],
  },
  {
    code: "modseq-above-highest",
    title: "mod-sequences above HIGHESTMODSEQ",
    sql: "UPDATE mailboxes SET highest_modseq = 3 WHERE name = 'INBOX'",
  },
  {
    code: "modseq-impossible",
    title: "a mod-sequence of no value",
    sql: `UPDATE messages SET modseq = 0 WHERE mailbox = ${INBOX} AND uid = 1;
      UPDATE messages SET modseq = 9223372036854775807 WHERE mailbox = ${INBOX} AND uid = 2`,
    uids: [1, 2],
  },
  {
    code: "flags-unknown",
    title: "bits of no flag",
    sql: `UPDATE messages SET flags = flags | 64 WHERE mailbox = ${INBOX} AND uid = 1`,
    uids: [1],
  },
  {
    code: "keywords-unknown",
    title: "a set of keywords that is nowhere",
    sql: `UPDATE messages SET keywords = 77 WHERE mailbox = ${INBOX} AND uid = 1`,
    uids: [1],
    reflagged: [1],
  },
  {
    code: "keyword-set-impossible",
    title: "a keyword without a name",
    sql: "DELETE FROM keywords WHERE word = 'Plan'",
    reflagged: [4, 5],
  },
  {
    code: "keyword-impossible",
    title: "a keyword with a line break",
    sql: "UPDATE keywords SET word = 'x' || char(13, 10) || '* BYE' WHERE word = 'Plan'",
    reflagged: [4, 5],
  },
  {
    code: "keywords-unlisted",
    title: "a mailbox that forgot its keywords",
    sql: "UPDATE mailboxes SET keywords = '' WHERE name = 'INBOX'",
  },
  {
    code: "data-missing",
    title: "a message whose ENVELOPE is gone",
    sql: `DELETE FROM contents WHERE id = ${key(2)}`,
    uids: [2],
  },
  {
    code: "data-unreadable",
    title: "a message of which a bit of where its parts lie turned over",
    sql: `UPDATE contents SET parts = replace(parts, '}', '|') WHERE id = ${key(2)}`,
    uids: [2],
  },
  {
    code: "data-without-message",
    title: "contents of nobody",
    sql: `INSERT INTO contents SELECT id + 1000, 0, envelope, bodystructure, header, parts
      FROM contents WHERE id = ${key(1)};
      INSERT INTO previews VALUES (${key(2000)}, 'x')`,
  },
  {
    code: "data-without-message",
    title: "a message of which only the contents are left",
    sql: `DELETE FROM messages WHERE mailbox = ${INBOX} AND uid = 4;
      DELETE FROM files WHERE id = ${key(4)}`,
    lost: [4],
  },
  {
    code: "expunged-but-there",
    title: "an expunge of a message that is there",
    sql: `INSERT INTO expunged VALUES (${INBOX}, 4, 1, 2)`,
    uids: [1, 2],
  },
  {
    code: "removal-of-message",
    title: "a note to remove the file of a message",
    sql: `INSERT INTO removals SELECT mailbox, base, 3, in_new, info FROM files
      WHERE id = ${key(1)}`,
    uids: [1],
  },
  {
    code: "removal-of-message",
    title: "a note to remove what was read of a message",
    sql: `INSERT INTO removals VALUES (${INBOX}, '12345.gone', 2, 0, '')`,
    uids: [2],
  },
  {
    code: "rows-without-mailbox",
    title: "rows of no mailbox",
    sql: `INSERT INTO messages SELECT 999, uid, flags, keywords, modseq, size, date, zone
        FROM messages WHERE mailbox = ${INBOX};
      INSERT INTO files VALUES (999 << 32 | 1, 999, 0, 'a', '', 0);
      INSERT INTO expunged VALUES (999, 1, 1, 1); INSERT INTO removals VALUES (999, 'b', 1, 0, '');
      INSERT INTO annotations (mailbox, entry, value) VALUES (999, '/x', x'00')`,
  },
  {
    code: "file-row-misplaced",
    title: "a file in another mailbox than its message",
    sql: `UPDATE files SET mailbox = (SELECT id FROM mailboxes WHERE name = 'Work')
      WHERE id = ${key(2)}`,
  },
  {
    code: "file-name-impossible",
    title: "a file name that leads out of the Maildir",
    sql: `UPDATE files SET base = '../../../etc/passwd' WHERE id = ${key(2)}`,
    lost: [2],
  },
  {
    code: "mailbox-impossible",
    title: "a mailbox whose folder leads out of the Maildir",
    sql: `INSERT INTO mailboxes (name, folder, uid_validity, uid_next, highest_modseq, first_recent,
        special_use, keywords)
      SELECT 'Bad', '../bob', uid_validity + 7, 1, 1, 1, '', '' FROM mailboxes
      WHERE name = 'INBOX'`,
  },
  {
    code: "journal-unreadable",
    title: "a journal that nobody can read",
    sql: "INSERT INTO journal (work) VALUES ('{\"kind\":'), ('null'), ('{\"kind\":\"dance\"}')",
  },
  {
    code: "journal-of-message",
    title: "a journal by which the file of a message goes",
    sql: `INSERT INTO journal (work) SELECT json_object('kind', 'link', 'folder', '', 'bases',
      json_array(base)) FROM files WHERE id = ${key(1)}`,
  },
  {
    code: "work-interrupted",
    title: "work that was interrupted",
    sql: `INSERT INTO journal (work) VALUES ('{"kind":"link","folder":"","bases":["nothing"]}')`,
    level: "warning",
  },
  {
    code: "recent-impossible",
    title: "\\Recent from the future",
    sql: "UPDATE mailboxes SET first_recent = 5000 WHERE name = 'INBOX'",
  },
  {
    code: "uidvalidity-file",
    title: "no imapd.uidvalidity",
    files: ({ root }) => Deno.removeSync(`${root}/imapd.uidvalidity`),
  },
  {
    code: "uidvalidity-file",
    title: "an imapd.uidvalidity from before",
    files: ({ root }) => Deno.writeTextFileSync(`${root}/imapd.uidvalidity`, "17\n"),
  },
  {
    code: "uidvalidity-file",
    title: "an imapd.uidvalidity that is no number",
    files: ({ root }) => Deno.writeTextFileSync(`${root}/imapd.uidvalidity`, "\0\0\0"),
  },
  {
    code: "uidvalidity-file",
    title: "a folder in place of imapd.uidvalidity",
    files({ root }) {
      Deno.removeSync(`${root}/imapd.uidvalidity`);
      Deno.mkdirSync(`${root}/imapd.uidvalidity`);
    },
  },
  {
    code: "file-missing",
    title: "a message without a file",
    files: (fixture) => Deno.removeSync(nth(fixture, 0)),
    lost: [1],
    uids: [1],
  },
  {
    code: "file-unknown",
    title: "a file without a message",
    files: (fixture) => fixture.put("cur/1600000000.M1P1Q1.other:2,S", "Subject: x\n\ny\n"),
    level: "warning",
  },
  {
    code: "file-changed",
    title: "a file that was cut",
    files: (fixture) => Deno.truncateSync(nth(fixture, 1), 90),
    lost: [2],
    uids: [2],
  },
  {
    code: "file-renamed",
    title: "a file with other flags",
    files: (fixture) => {
      const path = nth(fixture, 1);
      Deno.renameSync(path, `${path.replace(/:2,.*/, "")}:2,FS`);
    },
    reflagged: [2],
    level: "warning",
  },
  {
    code: "flags-in-name",
    title: "flags that are not in the file's name",
    sql: `UPDATE messages SET flags = 1 | 4 WHERE mailbox = ${INBOX} AND uid = 2`,
    reflagged: [2],
    uids: [2],
    level: "warning",
  },
  {
    code: "file-doubled",
    title: "a copy of a file under the same name",
    files: (fixture) => {
      const path = nth(fixture, 1);
      Deno.copyFileSync(path, `${path.replace(/:2,.*/, "")}:2,DF`);
    },
    reflagged: [2],
    level: "warning",
  },
  {
    code: "folder-missing",
    title: "a mailbox without a folder",
    files: (fixture) => Deno.removeSync(`${fixture.root}/.Old`, { recursive: true }),
  },
  {
    code: "folder-unknown",
    title: "a folder that is no mailbox",
    files: (fixture) => fixture.makeFolder(".Other"),
    level: "warning",
  },
  {
    code: "maildir-open",
    title: "a Maildir that is open to others",
    files: ({ root }) => Deno.chmodSync(root, 0o755),
    level: "warning",
  },
  {
    code: "index-open",
    title: "an index that others may read",
    files: ({ root }) => Deno.chmodSync(`${root}/imapd.sqlite`, 0o644),
    level: "warning",
  },
  {
    code: "index-closed",
    title: "an index that its owner may not write",
    files: ({ root }) => Deno.chmodSync(`${root}/imapd.sqlite`, 0o400),
  },
  {
    code: "file-unreadable",
    title: "a file that its owner may not read",
    files: (fixture) => Deno.chmodSync(nth(fixture, 1), 0),
  },
];

const maildirs = new DoctoredMaildirs();

Deno.test.afterAll(() => maildirs.close());

/** What is told beside the first of a damage has to be mended as well. */
function codes(problems: readonly Problem[], level?: Problem["level"]): string[] {
  return problems.filter((each) => level === undefined || each.level === level)
    .map(({ code }) => code ?? "ok");
}

function highestModseq({ root }: MaildirFixture): number {
  using index = new DatabaseSync(`${root}/imapd.sqlite`);
  const row = index.prepare("SELECT highest_modseq FROM mailboxes WHERE name = 'INBOX'").get();
  return Number(row?.highest_modseq);
}

/** What a client of INBOX is told to be gone. */
async function vanishedSince(fixture: MaildirFixture, modseq: number): Promise<UidRanges> {
  const inbox = await (await (await fixture.open()).account("ann")).open("INBOX");
  const vanished = await inbox.vanishedSince(modseq);
  inbox.close();
  await fixture.close();
  return vanished;
}

function isIn(ranges: UidRanges, uid: number): boolean {
  return ranges.some(([first, last]) => first <= uid && uid <= last);
}

for (const damage of DAMAGES) {
  Deno.test(`MaildirStore.repair(): ${damage.title}`, async () => {
    const { fixture: copy, before } = await maildirs.next();
    await using fixture = copy;
    const modseq = highestModseq(fixture);
    if (damage.sql !== undefined) damageIndex(fixture, damage.sql);
    damage.files?.(fixture);
    const mail = texts(fixture.root);
    const untouched = everything(fixture.root);

    const found = await (await fixture.open()).examine("ann");
    await fixture.close();
    assert.deepEqual(everything(fixture.root), untouched);
    const first = found.find(({ code }) => code === damage.code);
    assert.ok(first, JSON.stringify(found, undefined, 1));
    assert.equal(first.level, damage.level ?? "failed");
    assert.ok(first.advice);
    if (damage.uids) assert.deepEqual(first.uids, damage.uids);

    const repaired = await (await fixture.open()).repair("ann");
    assert.ok(codes(repaired, "mended").includes(damage.code), JSON.stringify(repaired));
    const again = await (await fixture.open()).repair("ann");
    assert.deepEqual(codes(again), ["ok"], JSON.stringify([repaired, again]));
    await fixture.close();

    assert.deepEqual(texts(fixture.root), mail);
    const after = await known(fixture);
    for (const message of before) {
      const [name, , uid] = message;
      if (name === "INBOX" && damage.lost?.includes(uid)) continue;
      const same = after.find((each) => each[0] === name && each[2] === uid);
      const flags = name === "INBOX" && damage.reflagged?.includes(uid) ? 3 : 5;
      assert.deepEqual(same?.slice(0, flags), message.slice(0, flags));
    }
    // No UID is given to another message.
    const given = after.filter(([name]) => name === "INBOX").map(([, , uid]) => uid);
    const vanished = await vanishedSince(fixture, modseq);
    for (const uid of damage.lost ?? []) {
      assert.ok(!given.includes(uid));
      assert.ok(isIn(vanished, uid), `UID ${uid} is not told to be gone: ${vanished.join("; ")}`);
    }
    assert.ok(given.every((uid) => [1, 2, 4, 5, 6].includes(uid) || uid > 6), given.join());
    assert.equal(new Set(given).size, given.length);
  });
}

/** Overwrites all pages of a table. */
function damagePages({ root }: MaildirFixture, table: string): void {
  const path = `${root}/imapd.sqlite`;
  const index = new DatabaseSync(path);
  const { pages } = index.prepare(
    "SELECT json_group_array(pageno) AS pages FROM dbstat WHERE name = ?",
  ).get(table) ?? {};
  const size = Number(index.prepare("PRAGMA page_size").get()?.page_size);
  index.close();
  const octets = Deno.readFileSync(path);
  for (const page of JSON.parse(String(pages))) octets.fill(0x55, (page - 1) * size, page * size);
  Deno.writeFileSync(path, octets);
}

for (
  const { table, modseq, gone } of [
    { table: "messages", gone: [1, 2, 3, 4, 5, 6] },
    { table: "expunged", modseq: 1, gone: [3] },
  ]
) {
  Deno.test(`MaildirStore.repair(): tells clients what is gone where no ${table} can be read`, async () => {
    const { fixture: copy } = await maildirs.next();
    await using fixture = copy;
    const highest = highestModseq(fixture);
    damagePages(fixture, table);
    const repaired = await (await fixture.open()).repair("ann");
    assert.ok(codes(repaired, "mended").includes("index-damaged"), JSON.stringify(repaired));
    await fixture.close();
    const vanished = await vanishedSince(fixture, modseq ?? highest);
    for (const uid of gone) assert.ok(isIn(vanished, uid), `UID ${uid}: ${vanished.join("; ")}`);
    assert.ok(highestModseq(fixture) > highest);
  });
}

Deno.test("MaildirStore.repair(): keeps UIDs and keywords of an index whose pages are damaged", async () => {
  const { fixture: copy, before } = await maildirs.next();
  await using fixture = copy;
  const mail = texts(fixture.root);
  damagePages(fixture, "contents");

  const store = await fixture.open();
  assert.ok(codes(await store.examine("ann"), "failed").includes("index-damaged"));
  const repaired = await store.repair("ann");
  assert.ok(codes(repaired, "mended").includes("index-damaged"), JSON.stringify(repaired));
  assert.deepEqual(codes(repaired).filter((code) => !codes(repaired, "mended").includes(code)), [
    "damaged-index-kept",
  ]);
  assert.deepEqual(codes(await store.examine("ann")), ["damaged-index-kept"]);
  await fixture.close();
  assert.deepEqual(await known(fixture), before);
  assert.deepEqual(texts(fixture.root), mail);
});

Deno.test("MaildirStore.repair(): commits no UIDVALIDITY that it could not note beside the index", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const path = `${fixture.root}/imapd.sqlite`;
  const values = (sql: string) => {
    using index = new DatabaseSync(path);
    index.exec(sql);
    return index.prepare("SELECT name, uid_validity FROM mailboxes ORDER BY id").all();
  };
  const damaged = values("UPDATE mailboxes SET uid_validity = 0 WHERE name = 'INBOX'");
  // It is in the way of the file that takes the place of imapd.uidvalidity.
  Deno.mkdirSync(`${fixture.root}/imapd.uidvalidity.tmp/x`, { recursive: true });
  const store = await fixture.open();
  await assert.rejects(store.repair("ann"));
  await fixture.close();
  assert.deepEqual(values(""), damaged);
  Deno.removeSync(`${fixture.root}/imapd.uidvalidity.tmp/x`);
  await (await fixture.open()).repair("ann");
  await fixture.close();
  assert.notDeepEqual(values(""), damaged);
});

Deno.test("MaildirStore.repair(): has SQLite make indexes of the index anew", async () => {
  const { fixture: copy, before } = await maildirs.next();
  await using fixture = copy;
  const path = `${fixture.root}/imapd.sqlite`;
  const index = new DatabaseSync(path);
  const page = (name: string) =>
    Number(index.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(name)?.rootpage);
  const [empty, full] = [page("annotations_entry"), page("files_base")];
  const size = Number(index.prepare("PRAGMA page_size").get()?.page_size);
  index.close();
  const octets = Deno.readFileSync(path);
  octets.copyWithin((full - 1) * size, (empty - 1) * size, empty * size);
  Deno.writeFileSync(path, octets);
  const store = await fixture.open();
  assert.ok(codes(await store.examine("ann"), "failed").includes("index-damaged"));
  const repaired = await store.repair("ann");
  assert.ok(codes(repaired, "mended").includes("index-damaged"), JSON.stringify(repaired));
  await fixture.close();
  assert.deepEqual(await known(fixture), before);
});

Deno.test("MaildirStore.repair(): makes an index of the Maildir where none can be read", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const mail = texts(fixture.root);
  Deno.writeTextFileSync(`${fixture.root}/imapd.sqlite`, "no database at all".repeat(1000));
  const store = await fixture.open();
  const repaired = await store.repair("ann");
  assert.ok(codes(repaired, "mended").includes("index-damaged"), JSON.stringify(repaired));
  assert.deepEqual(codes(await store.examine("ann")), ["damaged-index-kept"]);
  assert.deepEqual(texts(fixture.root), mail);
});

Deno.test("MaildirStore.repair(): leaves links, FIFOs and names that are no text, and says so", async () => {
  const { fixture: copy, before } = await maildirs.next();
  await using fixture = copy;
  const secret = `${fixture.dir}/secret`;
  Deno.writeTextFileSync(secret, "secret", { mode: 0o600 });
  const { root } = fixture;
  Deno.symlinkSync(secret, `${root}/cur/1600000000.M1P1Q1.link:2,S`);
  Deno.symlinkSync(secret, `${root}/.Linked`);
  Deno.renameSync(`${root}/.Old/cur`, `${root}/aside`);
  Deno.symlinkSync(`${root}/aside`, `${root}/.Old/cur`);
  const { code } = await new Deno.Command("sh", {
    args: ["-c", "mkfifo new/fifo && mkdir cur/folder && touch cur/$(printf '\\377'):2, cur/:2,S"],
    cwd: root,
  }).output();
  assert.equal(code, 0);
  const store = await fixture.open();
  const found = codes(await store.examine("ann"));
  const repaired = codes(await store.repair("ann"));
  assert.deepEqual(repaired.sort(), found.sort());
  assert.deepEqual(found.sort(), ["folder-link", "link", "no-message"]);
  assert.equal(Deno.readTextFileSync(secret), "secret");
  assert.equal((Deno.statSync(secret).mode ?? 0) & 0o777, 0o600);
  await fixture.close();
  Deno.removeSync(`${root}/.Old/cur`);
  Deno.renameSync(`${root}/aside`, `${root}/.Old/cur`);
  assert.deepEqual(await known(fixture), before);
});

Deno.test({
  name: "MaildirStore.repair(): gives files to the owner, but none that has a name elsewhere" +
    (Deno.uid() === 0 ? "" : " (skipped: not root)"),
  ignore: Deno.uid() !== 0,
  async fn() {
    const { fixture: copy } = await maildirs.next();
    await using fixture = copy;
    const path = nth(fixture, 1);
    Deno.chownSync(path, 12345, 12345);
    const store = await fixture.open();
    assert.deepEqual(codes(await store.examine("ann")), ["owner-foreign"]);
    assert.deepEqual(codes(await store.repair("ann")), ["owner-foreign", "ok"]);
    assert.equal(Deno.statSync(path).uid, 0);
    Deno.chownSync(path, 12345, 12345);
    Deno.linkSync(path, `${fixture.dir}/elsewhere`);
    assert.deepEqual(codes(await store.repair("ann")), ["owner-foreign"]);
    assert.equal(Deno.statSync(path).uid, 12345);
  },
});

Deno.test("MaildirStore.repair(): removes one of two names of one file", async () => {
  const { fixture: copy, before } = await maildirs.next();
  await using fixture = copy;
  const path = nth(fixture, 1);
  Deno.linkSync(path, `${path.replace(/:2,.*/, "")}:2,FST`);
  const [, ...rest] = texts(fixture.root);
  const store = await fixture.open();
  assert.deepEqual(codes(await store.examine("ann")), ["file-doubled"]);
  const repaired = await store.repair("ann");
  assert.deepEqual(codes(repaired), ["file-doubled", "ok"]);
  await fixture.close();
  assert.equal(texts(fixture.root).length, rest.length);
  assert.deepEqual(
    (await known(fixture)).map(([name, , uid]) => [name, uid]),
    before.map(
      ([name, , uid]) => [name, uid],
    ),
  );
});

Deno.test("Mailbox.refresh(): of two files with one name, the known one stays the message", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const names = fixture.names("cur");
  for (const [n, name] of names.entries()) {
    const base = `${fixture.root}/cur/${name.replace(/:2,.*/, "")}`;
    Deno.writeTextFileSync(`${base}:2,FRT`, `Subject: twin ${n}\n\ntwin\n`);
    Deno.writeTextFileSync(`${base.replace("/cur/", "/new/")}`, `Subject: twin ${n}\n\ntwin\n`);
  }
  const inbox = await (await (await fixture.open()).account("ann")).open("INBOX");
  for (const uid of [1, 2, 4, 5, 6]) {
    assert.match(await wholeText(inbox, uid), new RegExp(`Subject: inbox${uid - 1}\r\n`));
  }
  assert.equal(uidsOf(inbox).length, 15);
  inbox.close();
});

Deno.test("MaildirStore.repair(): leaves open mailboxes open where only the folder differs", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const store = await fixture.open();
  const inbox = await (await store.account("ann")).open("INBOX");
  await inbox.refresh();
  const path = nth(fixture, 1);
  Deno.renameSync(path, `${path.replace(/:2,.*/, "")}:2,F`);
  fixture.put("cur/1600000000.M1P1Q1.other:2,S", "Subject: x\n\ny\n");
  await store.repair("ann");
  assert.deepEqual(codes(await store.examine("ann")), ["ok"]);
  assert.ok(!inbox.gone);
  assert.deepEqual(uidsOf(inbox), [1, 2, 4, 5, 6, 7]);
  inbox.close();
});

Deno.test("MaildirStore.repair(): takes the mailbox from who has it open to mend the index", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const store = await fixture.open();
  const inbox = await (await store.account("ann")).open("INBOX");
  Deno.truncateSync(nth(fixture, 1), 90);
  const repairing = store.repair("ann");
  const waiting = (await store.account("ann")).open("INBOX");
  const repaired = await repairing;
  assert.deepEqual(codes(repaired, "mended"), ["file-changed"]);
  assert.ok(inbox.gone);
  const again = await waiting;
  assert.deepEqual(uidsOf(again).at(-1), again.gone ? undefined : 7);
  again.close();
  const last = await (await store.account("ann")).open("INBOX");
  assert.deepEqual(uidsOf(last), [1, 4, 5, 6, 7]);
  assert.equal((await wholeText(last, 7)).length, 90);
  last.close();
});

Deno.test("MaildirStore.examine(): knows mbsync's number in a file's name", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const path = nth(fixture, 1);
  Deno.renameSync(path, path.replace(":2,", ",U=7:2,"));
  const store = await fixture.open();
  await (await store.account("ann")).status("INBOX");
  assert.deepEqual(codes(await store.examine("ann")), ["ok"]);
});

Deno.test("MaildirStore.examine(): reads all texts, if it is to be thorough", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const path = nth(fixture, 1);
  const octets = Deno.readFileSync(path);
  octets[octets.length - 4] ^= 1;
  Deno.writeFileSync(path, octets);
  const store = await fixture.open();
  assert.deepEqual(codes(await store.examine("ann")), ["ok"]);
  const [found] = await store.examine("ann", true);
  assert.deepEqual([found.code, found.uids, found.paths], ["text-changed", [2], [path]]);
  // Nobody knows what is right.
  assert.deepEqual(codes(await store.repair("ann", true)), ["text-changed"]);
});

Deno.test("MaildirStore.examine(): removes copies that a killed process left a day ago", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  const [old, young] = ["old", "young"].map((name) =>
    Deno.makeTempDirSync({ prefix: "imapd-doctor-", suffix: `-${name}` })
  );
  try {
    Deno.writeTextFileSync(`${old}/imapd.sqlite`, "mail");
    const yesterday = Date.now() / 1000 - 25 * 3600;
    Deno.utimeSync(old, yesterday, yesterday);
    await (await fixture.open()).examine("ann");
    assert.throws(() => Deno.statSync(old), Deno.errors.NotFound);
    assert.ok(Deno.statSync(young).isDirectory);
  } finally {
    Deno.removeSync(young);
  }
});

Deno.test("MaildirStore.repair(): is refused while another process has the account", async () => {
  const { fixture: copy } = await maildirs.next();
  await using fixture = copy;
  Deno.truncateSync(nth(fixture, 1), 90);
  const other = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE");
  const store = await fixture.open();
  await assert.rejects(store.repair("ann"), /another process/);
  other.close();
  assert.deepEqual(codes(await store.repair("ann"), "mended"), ["file-changed"]);
});

for (
  const [title, sql, code] of [
    [
      "a file",
      `UPDATE files SET base = '../../bob/cur/' || base, info = '' WHERE id = ${key(2)};
       UPDATE mailboxes SET cur_compared = 1e15, new_compared = 1e15`,
      // The folder is compared at once, and so the name forgotten.
      undefined,
    ],
    [
      "a file to be removed",
      `INSERT INTO removals VALUES (${INBOX}, '../../bob/cur/secret', 3, 0, '')`,
      "removal-impossible",
    ],
    [
      "a folder",
      "UPDATE mailboxes SET folder = '../bob' WHERE name = 'Work'",
      "mailbox-impossible",
    ],
    [
      "a folder to be renamed",
      `INSERT INTO journal (work) VALUES
        ('{"kind":"rename","moves":[{"id":1,"from":"../bob","to":".Mine","name":"Mine"}]}')`,
      undefined,
    ],
    [
      "a folder to be removed",
      `INSERT INTO journal (work) SELECT json_object('kind', 'delete', 'id', id, 'folder', '../bob')
        FROM mailboxes WHERE name = 'Work';
      INSERT INTO journal (work) VALUES ('{"kind":"delete","id":"../../bob","folder":".x"}')`,
      undefined,
    ],
    [
      "a link to be removed",
      `INSERT INTO journal (work) VALUES ('{"kind":"link","folder":"../bob","bases":["secret"]}')`,
      undefined,
    ],
  ] as const
) {
  Deno.test(`MaildirStore: follows no index out of the Maildir, by the name of ${title}`, async () => {
    const { fixture: copy } = await maildirs.next();
    await using fixture = copy;
    const bob = `${fixture.dir}/bob`;
    const [name] = fixture.names("cur").slice(1);
    for (const each of ["cur", "new", "tmp"]) Deno.mkdirSync(`${bob}/${each}`, { recursive: true });
    Deno.writeTextFileSync(`${bob}/cur/secret`, "Subject: secret\r\n\r\nsecret\r\n");
    Deno.copyFileSync(`${bob}/cur/secret`, `${bob}/cur/${name.replace(/:2,.*/, "")}`);
    const victim = everything(bob);
    damageIndex(fixture, sql);
    let store = await fixture.open();
    const look = async () => {
      const account = await store.account("ann");
      for (const { name } of account.list()) {
        const mailbox = await account.open(name);
        for (const uid of uidsOf(mailbox)) {
          const text = await wholeText(mailbox, uid).catch(() => "");
          assert.ok(!text.includes("secret"));
        }
        mailbox.close();
      }
    };
    await look().catch(() => {});
    assert.deepEqual(everything(bob), victim);
    store = await fixture.open();
    const found = codes(await store.examine("ann"));
    if (code !== undefined) assert.ok(found.includes(code), found.join());
    await store.repair("ann");
    assert.deepEqual(codes(await store.examine("ann")), ["ok"]);
    await look();
    assert.deepEqual(everything(bob), victim);
  });
}
