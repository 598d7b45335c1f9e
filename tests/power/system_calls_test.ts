import * as assert from "node:assert/strict";
import { Disk, DISK_CALLS, type Node } from "./disk.ts";
import { parseTrace, TraceError, UnendedCall } from "./system_calls.ts";

const parse = (log: string) => parseTrace(log, new Set([...DISK_CALLS, "sendmsg"]));

Deno.test("parseTrace: takes names, buffers, descriptors and results", () => {
  const [call, ...more] = parse(
    `7  pwrite64(3</a/b \\74c\\76\\303\\251>, "\\0\\12\\"\\\\x\\t\\1771", 8, 4096) = 8\n` +
      `7  openat(AT_FDCWD</>, "/x", O_RDONLY) = -1 ENOENT (No such file or directory)\n` +
      `7  read(3</x>, "", 10) = 0\n--- no line of ours\n7  +++ exited with 0 +++\n`,
  );
  assert.deepEqual(more, []);
  assert.deepEqual(call, {
    name: "pwrite64",
    args: [
      { kind: "file", path: "/a/b <c>é", deleted: false },
      { kind: "bytes", bytes: new Uint8Array([0, 10, 34, 92, 120, 9, 127, 49]) },
      { kind: "word", text: "8" },
      { kind: "word", text: "4096" },
    ],
    result: 8,
    began: 1,
    ended: 1,
  });
});

Deno.test("parseTrace: joins the halves of a call that others came between", () => {
  const calls = parse(
    `1 fsync(3</a> <unfinished ...>\n2 mkdir("/b", 0700 <unfinished ...>\n` +
      `1 <... fsync resumed>) = 0\n2 <... mkdir resumed>) = 0\n3 rmdir("/b" <unfinished ...>\n`,
  );
  assert.deepEqual(calls.map(({ name, began, ended }) => [name, began, ended]), [
    ["fsync", 1, 3],
    ["mkdir", 2, 4],
  ]);
});

Deno.test("parseTrace: leaves out a sync that never ended, and refuses a change that did not", () => {
  const killed = "1 +++ killed by SIGKILL +++\n";
  assert.deepEqual(parse(`1 fsync(3</a> <unfinished ...>\n${killed}`), []);
  assert.throws(() => parse(`1 rmdir("/mail/a" <unfinished ...>\n${killed}`), UnendedCall);
  assert.throws(() => parse(`1 rmdir("/mail/a") = ?\n${killed}`), UnendedCall);
  // The client may have it.
  assert.equal(parse(`1 sendmsg(3<socket:[1]>, "OK", 2) = ?\n${killed}`).length, 1);
});

Deno.test("parseTrace: takes lists of buffers", () => {
  const [writev, sendmsg] = parse(
    `1 writev(3</a>, [{iov_base="ab", iov_len=2}, {iov_base="c", iov_len=1}], 2) = 3\n` +
      `1 sendmsg(4<socket:[9]>, {msg_name=NULL, msg_iov=[{iov_base="d", iov_len=1}]}, 0) = 1\n`,
  );
  assert.match(JSON.stringify(writev.args[1]), /"kind":"bytes".*"kind":"bytes"/);
  assert.match(JSON.stringify(sendmsg.args[1]), /"kind":"bytes"/);
});

Deno.test("parseTrace: refuses what strace cut", () => {
  assert.throws(() => parse(`1 write(3</a>, "ab"..., 100) = 100\n`), TraceError);
});

/** The names and contents that are durable, and those that there are. */
function states(log: string): { durable: unknown; live: unknown } {
  const disk = new Disk("/d");
  for (const call of parse(log)) disk.apply(call);
  const text = (node: Node, part: "durable" | "live"): unknown => {
    if (node.kind === "folder") {
      return Object.fromEntries([...node[part]].map(([name, each]) => [name, text(each, part)]));
    }
    return part === "live" ? node.size : new TextDecoder().decode(node.durable);
  };
  return { durable: text(disk.root, "durable"), live: text(disk.root, "live") };
}

const MADE = `1 openat(AT_FDCWD</>, "/d/a", O_WRONLY|O_CREAT, 0600) = 3</d/a>\n` +
  `1 write(3</d/a>, "one", 3) = 3\n`;

Deno.test("Disk: nothing is durable that is not synced, contents and names apart", () => {
  assert.deepEqual(states(MADE), { durable: {}, live: { a: 3 } });
  assert.deepEqual(states(`${MADE}1 fsync(3</d/a>) = 0\n`).durable, {});
  assert.deepEqual(states(`${MADE}1 fsync(4</d>) = 0\n`).durable, { a: "" });
  assert.deepEqual(states(`${MADE}1 fsync(3</d/a>) = 0\n1 fsync(4</d>) = 0\n`).durable, {
    a: "one",
  });
});

Deno.test("Disk: a write after the sync is not durable", () => {
  const log = `${MADE}1 fsync(3</d/a>) = 0\n1 fsync(4</d>) = 0\n` +
    `1 pwrite64(3</d/a>, "two", 3, 1) = 3\n1 rename("/d/a", "/d/b") = 0\n`;
  assert.deepEqual(states(log), { durable: { a: "one" }, live: { b: 4 } });
  assert.deepEqual(states(`${log}1 fsync(4</d>) = 0\n`).durable, { b: "one" });
  assert.deepEqual(states(`${log}1 fdatasync(3</d/b>) = 0\n`).durable, { a: "otwo" });
});

Deno.test("Disk: a name that was moved is the old one until its folder is synced", () => {
  const log = `${MADE}1 mkdir("/d/f", 0700) = 0\n1 fsync(3</d/a>) = 0\n1 fsync(4</d>) = 0\n` +
    `1 rename("/d/a", "/d/f/b") = 0\n1 fsync(5</d/f>) = 0\n`;
  assert.deepEqual(states(log).durable, { a: "one", f: { b: "one" } });
  assert.deepEqual(states(`${log}1 fsync(4</d>) = 0\n`).durable, { f: { b: "one" } });
});

Deno.test("Disk: refuses a call that it has no model of", () => {
  assert.throws(() => states(`${MADE}1 fallocate(3</d/a>, 0, 0, 4096) = 0\n`), TraceError);
});
