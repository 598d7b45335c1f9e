import * as assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { record, type Recording, repliesOf, whyNotRecorded } from "./recording.ts";
import { parseTrace, type SystemCall } from "./system_calls.ts";
import { wrongOrder } from "./write_order.ts";

const ALL = new Set(
  "mkdir openat write pwrite64 ftruncate fsync fdatasync rename linkat unlink sendto".split(" "),
);

/** An account that is durable, and a message in `tmp/` that is not. */
const BEFORE = `
1 mkdir("/d/u", 0700) = 0
1 mkdir("/d/u/tmp", 0700) = 0
1 mkdir("/d/u/cur", 0700) = 0
1 openat(AT_FDCWD</>, "/d/u/imapd.sqlite", O_RDWR|O_CREAT, 0600) = 3</d/u/imapd.sqlite>
1 openat(AT_FDCWD</>, "/d/u/imapd.sqlite-wal", O_RDWR|O_CREAT, 0600) = 4</d/u/imapd.sqlite-wal>
1 fsync(9</d/u>) = 0
1 fsync(9</d>) = 0
1 openat(AT_FDCWD</>, "/d/u/tmp/m", O_WRONLY|O_CREAT|O_EXCL, 0600) = 5</d/u/tmp/m>
1 write(5</d/u/tmp/m>, "text\\r\\n", 6) = 6
`;
const SYNC = `1 fsync(5</d/u/tmp/m>) = 0\n`;
const PLACE = `1 rename("/d/u/tmp/m", "/d/u/cur/m:2,") = 0\n`;
const SYNC_FOLDER = `1 fsync(6</d/u/cur>) = 0\n`;
const COMMIT = `1 pwrite64(4</d/u/imapd.sqlite-wal>, "\\0\\1row", 5, 32) = 5\n`;
const SYNC_LOG = `2 fdatasync(7</d/u/imapd.sqlite-wal>) = 0\n`;
const OK = `1 sendto(8<socket:[1]>, "* 1 EXISTS\\r\\na.1 OK Done\\r\\n", 25, 0, NULL, 0) = 25\n`;

function faultsOf(log: string): string[] {
  const calls = parseTrace(log, ALL);
  return wrongOrder({ dir: "/d", calls, replies: repliesOf(calls) });
}

const RIGHT = [SYNC, PLACE, SYNC_FOLDER, COMMIT, SYNC_LOG, OK];

Deno.test("wrongOrder: file, folder, row, OK is right", () => {
  assert.deepEqual(faultsOf(BEFORE + RIGHT.join("")), []);
});

const WRONG: readonly [title: string, log: readonly string[], fault: RegExp][] = [
  [
    "a file that is not synced",
    RIGHT.filter((line) => line !== SYNC),
    /^OK of a\.1 at line 15: \/d\/u\/cur\/m:2, is not synced since line 10$/,
  ],
  [
    "a file that is in its place before it is synced",
    [PLACE, SYNC.replace("tmp/m", "cur/m:2,"), SYNC_FOLDER, COMMIT, SYNC_LOG, OK],
    /^rename at line 11: \/d\/u\/cur\/m:2, is not synced since line 10$/,
  ],
  [
    "a file that is written to after it was synced",
    [SYNC, `1 write(5</d/u/tmp/m>, "more", 4) = 4\n`, PLACE, SYNC_FOLDER, COMMIT, SYNC_LOG, OK],
    /^rename at line 13: \/d\/u\/cur\/m:2, is not synced since line 12$/,
  ],
  [
    "a folder that is not synced",
    RIGHT.filter((line) => line !== SYNC_FOLDER),
    /^OK of a\.1 at line 15: \/d\/u\/cur\/m:2, is not synced since line 12$/,
  ],
  [
    "a folder that is synced before the file is in it",
    [SYNC, SYNC_FOLDER, PLACE, COMMIT, SYNC_LOG, OK],
    /^OK of a\.1 at line 16: \/d\/u\/cur\/m:2, is not synced since line 13$/,
  ],
  [
    "a sync of the folder that began before the file was in it",
    [
      SYNC,
      `3 fsync(6</d/u/cur> <unfinished ...>\n`,
      PLACE,
      `3 <... fsync resumed>) = 0\n`,
      COMMIT,
      SYNC_LOG,
      OK,
    ],
    /^OK of a\.1 at line 17: \/d\/u\/cur\/m:2, is not synced since line 13$/,
  ],
  [
    "a row before the folder is synced",
    [SYNC, PLACE, COMMIT, SYNC_LOG, SYNC_FOLDER, OK],
    /^OK of a\.1 at line 16: the commit is not written$/,
  ],
  [
    "a commit that is not synced",
    RIGHT.filter((line) => line !== SYNC_LOG),
    /^OK of a\.1 at line 15: the commit is not synced since line 14$/,
  ],
  [
    "a commit whose sync ends after the OK was sent",
    [
      SYNC,
      PLACE,
      SYNC_FOLDER,
      COMMIT,
      `2 fdatasync(7</d/u/imapd.sqlite-wal> <unfinished ...>\n`,
      OK,
      `2 <... fdatasync resumed>) = 0\n`,
    ],
    /^OK of a\.1 at line 16: the commit is not synced since line 14$/,
  ],
  [
    "a sync that fails",
    [
      SYNC,
      PLACE,
      SYNC_FOLDER,
      COMMIT,
      SYNC_LOG.replace("= 0", "= -1 EIO (Input/output error)"),
      OK,
    ],
    /^OK of a\.1 at line 16: the commit is not synced since line 14$/,
  ],
  [
    "an index that is written before its log is synced",
    [...RIGHT, COMMIT, `1 pwrite64(3</d/u/imapd.sqlite>, "page", 4, 0) = 4\n`],
    /^\/d\/u\/imapd\.sqlite is written at line 18: its log is not synced since line 17$/,
  ],
  [
    "a log that begins anew before the index is synced",
    [
      ...RIGHT,
      `1 pwrite64(3</d/u/imapd.sqlite>, "page", 4, 0) = 4\n`,
      `1 pwrite64(4</d/u/imapd.sqlite-wal>, "head", 4, 0) = 4\n`,
    ],
    /^\/d\/u\/imapd\.sqlite-wal begins anew at line 18: the index is not synced since line 17$/,
  ],
  [
    "a log that is cut before the index is synced",
    [
      ...RIGHT,
      `1 pwrite64(3</d/u/imapd.sqlite>, "page", 4, 0) = 4\n`,
      `1 ftruncate(4</d/u/imapd.sqlite-wal>, 0) = 0\n`,
    ],
    /^\/d\/u\/imapd\.sqlite-wal begins anew at line 18: the index is not synced since line 17$/,
  ],
  [
    "an account whose folder is not synced",
    [BEFORE.replace("1 fsync(9</d>) = 0\n", ""), ...RIGHT],
    /: \/d\/u is not synced since line 2$/,
  ],
];

for (const [title, log, fault] of WRONG) {
  Deno.test(`wrongOrder: finds ${title}`, () => {
    const text = log[0].startsWith("\n") ? log.join("") : BEFORE + log.join("");
    const faults = faultsOf(text);
    assert.ok(faults.some((each) => fault.test(each)), faults.join("\n"));
  });
}

const reason = whyNotRecorded();

/** Two of each command, one after the other. */
async function recordTours(): Promise<Recording> {
  return await record(3, 1, async (parts) => {
    await parts.connect();
    for (let i = 0; i < 2; i++) {
      for (const session of parts.sessions) await session.tour();
      await parts.deliver();
    }
  });
}

Deno.test({
  name: "What a reply promises is on the disk before it is sent" +
    (reason ? ` (skipped: ${reason})` : ""),
  ignore: reason !== undefined,
  async fn(context) {
    const recording = await recordTours();
    const { calls, sessions } = recording;
    const idle = new Set(
      sessions.flatMap(({ steps }) =>
        steps.filter(({ command, before, after }) =>
          command.startsWith("STATUS") || isDeepStrictEqual(before, after)
        )
      ).map(({ tag }) => tag),
    );
    const replies = repliesOf(calls).filter(({ tag }) => !idle.has(tag));
    const run = { dir: `${recording.dir}/mail`, calls, replies };
    assert.deepEqual(wrongOrder(run), []);
    await context.step("each kind of sync is missed where it is left out", () => {
      for (const [title, isLeftOut] of kindsOfSync(run.dir)) {
        assert.ok(calls.some(isLeftOut), title);
        const without = calls.filter((call) => !isLeftOut(call));
        assert.notDeepEqual(wrongOrder({ ...run, calls: without }), [], title);
      }
    });
  },
});

function kindsOfSync(dir: string): [title: string, is: (call: SystemCall) => boolean][] {
  const of = (name: string, path: RegExp) => ({ name: called, args: [file] }: SystemCall) =>
    called === name && file.kind === "file" && file.path.startsWith(dir) &&
    path.test(file.path.slice(dir.length));
  return [
    ["files", of("fsync", /\/tmp\/[^/]+$/)],
    ["folders of messages", of("fsync", /\/cur$/)],
    ["folders of mailboxes", of("fsync", /^\/u1\/\.[^/]+$/)],
    ["the Maildir", of("fsync", /^\/u1$/)],
    ["the folder of accounts", of("fsync", /^$/)],
    ["UIDVALIDITY", of("fsync", /\/imapd\.uidvalidity\.tmp$/)],
    ["the log", of("fdatasync", /-wal$/)],
  ];
}
