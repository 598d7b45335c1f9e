import assert from "node:assert/strict";
import * as fs from "node:fs";
import fc from "fast-check";
import { errnoOf, readErrorOf, storeErrorOf } from "../../src/store/maildir/disk_error.ts";
import { HELD_OCTETS, IncomingFile, syncDirectory } from "../../src/store/maildir/incoming_file.ts";
import { StoreError, type StoreErrorCode } from "../../src/store/store.ts";

/** A Maildir folder that is removed at the end of the test. */
function makeFolder() {
  const path = Deno.makeTempDirSync({ prefix: "imapd-incoming-" });
  for (const name of ["tmp", "new", "cur"]) Deno.mkdirSync(`${path}/${name}`, { mode: 0o700 });
  return {
    path,
    names: (directory: string) =>
      [...Deno.readDirSync(`${path}/${directory}`)].map(({ name }) => name).sort(),
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

function hasCode(code: StoreErrorCode) {
  return (error: unknown) =>
    error instanceof StoreError && error.code === code && !error.message.includes("/");
}

async function writeAll(file: IncomingFile, bytes: Uint8Array, step: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += step) await file.write(bytes.slice(at, at + step));
}

/** A message of about that many octets, with lines that differ. */
function message(octets: number): Uint8Array {
  let text = "Subject: test\r\n\r\n";
  for (let line = 0; text.length < octets; line++) text += `line ${line} ${"x".repeat(60)}\r\n`;
  return new TextEncoder().encode(text);
}

Deno.test("IncomingFile keeps a small message in memory until it is finished", async () => {
  using folder = makeFolder();
  const file = new IncomingFile(folder.path, "a");
  const bytes = message(5000);
  await writeAll(file, bytes, 100);
  assert.deepEqual(folder.names("tmp"), []);
  const { size, summary } = await file.finish();
  assert.deepEqual(folder.names("tmp"), ["a"]);
  assert.equal(size, bytes.length);
  assert.equal(summary.size, bytes.length);
  assert.equal(summary.bareLf, false);
  await file.place("new", "a");
  assert.deepEqual([folder.names("tmp"), folder.names("new")], [[], ["a"]]);
  assert.deepEqual(Deno.readFileSync(`${folder.path}/new/a`), bytes);
  await syncDirectory(`${folder.path}/new`);
});

Deno.test("IncomingFile writes what it was given, in chunks of any size", async () => {
  using folder = makeFolder();
  const bytes = message(HELD_OCTETS * 2 + 12345);
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.constantFrom(1, 2, HELD_OCTETS / 2, HELD_OCTETS, HELD_OCTETS + 1, 2 * HELD_OCTETS),
        fc.nat(bytes.length),
      ),
      fc.integer({ min: 3000, max: HELD_OCTETS + 5 }),
      async (length, step) => {
        const name = `m${number++}`;
        const file = new IncomingFile(folder.path, name);
        await writeAll(file, bytes.subarray(0, length), step);
        assert.equal(file.size, length);
        assert.equal((await file.finish()).size, length);
        await file.place("cur", `${name}:2,S`);
        const stored = Deno.readFileSync(`${folder.path}/cur/${name}:2,S`);
        assert.equal(sameBytes(stored, bytes.subarray(0, length)), true);
      },
    ),
    { numRuns: 30 },
  );
  assert.deepEqual(folder.names("tmp"), []);
});

Deno.test("IncomingFile lets the caller reuse its buffer", async () => {
  using folder = makeFolder();
  const file = new IncomingFile(folder.path, "a");
  const buffer = new Uint8Array(100_000);
  for (const value of [65, 66, 67, 68]) {
    buffer.fill(value);
    await file.write(buffer);
  }
  await file.finish();
  const text = Deno.readTextFileSync(`${folder.path}/tmp/a`);
  assert.equal(text, ["A", "B", "C", "D"].map((char) => char.repeat(100_000)).join(""));
});

Deno.test("IncomingFile streams a large message to tmp/ and asks the writer to wait", async () => {
  using folder = makeFolder();
  const file = new IncomingFile(folder.path, "a");
  assert.equal(file.write(new Uint8Array(HELD_OCTETS)), undefined);
  const pending = file.write(new Uint8Array(1));
  assert.ok(pending instanceof Promise);
  assert.throws(() => file.write(new Uint8Array(1)), /under way/);
  await pending;
  assert.equal(Deno.statSync(`${folder.path}/tmp/a`).size, HELD_OCTETS);
  await file.abort();
});

Deno.test("IncomingFile makes files that only their owner reads, of the time asked for", async () => {
  using folder = makeFolder();
  Deno.removeSync(`${folder.path}/tmp`);
  const file = new IncomingFile(folder.path, "a");
  file.write(message(100));
  await file.finish(1_000_000_000);
  const stat = Deno.statSync(`${folder.path}/tmp/a`);
  assert.equal((stat.mode ?? 0) & 0o777, 0o600);
  assert.equal(stat.mtime?.getTime(), 1_000_000_000_000);
  assert.equal((Deno.statSync(`${folder.path}/tmp`).mode ?? 0) & 0o077, 0);
});

Deno.test("IncomingFile.abort leaves no trace at any stage", async () => {
  using folder = makeFolder();
  const stages: ((file: IncomingFile) => Promise<unknown> | void)[] = [
    () => {},
    (file) => file.write(message(100)),
    async (file) => await file.write(message(HELD_OCTETS + 1)),
    (file) => file.finish(),
    async (file) => {
      await file.finish();
      await assert.rejects(file.place("cur", "no/such"), hasCode("no-mailbox"));
    },
    async (file) => {
      await file.finish();
      await file.place("new", "a");
      await file.takeBack();
    },
  ];
  for (const stage of stages) {
    const file = new IncomingFile(folder.path, "a");
    await stage(file);
    await file.abort();
    await file.abort();
    for (const directory of ["tmp", "new", "cur"]) assert.deepEqual(folder.names(directory), []);
    assert.throws(() => file.write(message(1)), /aborted/);
  }
});

Deno.test("IncomingFile.abort waits for work under way", async () => {
  using folder = makeFolder();
  const writing = new IncomingFile(folder.path, "a");
  const write = writing.write(message(4 * HELD_OCTETS));
  await writing.abort();
  await write;
  const finishing = new IncomingFile(folder.path, "b");
  finishing.write(message(100));
  const finish = finishing.finish();
  await finishing.abort();
  await finish;
  assert.deepEqual(folder.names("tmp"), []);
  await assert.rejects(finishing.place("new", "b"), /aborted/);
});

Deno.test("IncomingFile.abort spares a message that is in its place", async () => {
  using folder = makeFolder();
  const file = new IncomingFile(folder.path, "a");
  file.write(message(100));
  await file.finish();
  await file.place("new", "a");
  await file.abort();
  assert.deepEqual(folder.names("new"), ["a"]);
});

Deno.test("IncomingFile.takeBack lets a message be placed again", async () => {
  using folder = makeFolder();
  const file = new IncomingFile(folder.path, "a");
  await file.finish();
  await file.place("new", "a");
  await file.takeBack();
  assert.deepEqual([folder.names("tmp"), folder.names("new")], [["a"], []]);
  await file.place("cur", "a:2,S");
  assert.deepEqual(folder.names("cur"), ["a:2,S"]);
});

Deno.test("IncomingFile never writes over a file that is there", async () => {
  using folder = makeFolder();
  Deno.writeTextFileSync(`${folder.path}/tmp/a`, "other");
  const file = new IncomingFile(folder.path, "a");
  await assert.rejects(file.finish(), hasCode("unavailable"));
  assert.equal(Deno.readTextFileSync(`${folder.path}/tmp/a`), "other");
  await file.abort();
  assert.equal(Deno.readTextFileSync(`${folder.path}/tmp/a`), "other");
});

Deno.test("IncomingFile reports a folder that is gone", async () => {
  const folder = makeFolder();
  folder[Symbol.dispose]();
  const small = new IncomingFile(folder.path, "a");
  small.write(message(100));
  await assert.rejects(small.finish(), hasCode("no-mailbox"));
  await assert.rejects(small.place("new", "a"), /failed/);
  const large = new IncomingFile(folder.path, "b");
  await assert.rejects(
    async () => await large.write(message(HELD_OCTETS + 1)),
    hasCode("no-mailbox"),
  );
  await large.abort();
  await assert.rejects(syncDirectory(`${folder.path}/new`), hasCode("no-mailbox"));
});

Deno.test("storeErrorOf tells a full disk from a failing one", () => {
  const full = thrownBy(() => fs.writeFileSync("/dev/full", "x"));
  assert.ok(hasCode("over-quota")(storeErrorOf(full, "storing the message")));
  const notDirectory = thrownBy(() => fs.readFileSync("/dev/null/x"));
  assert.ok(hasCode("no-mailbox")(storeErrorOf(notDirectory, "storing the message")));
  const exists = thrownBy(() => fs.mkdirSync("/"));
  assert.ok(hasCode("unavailable")(storeErrorOf(exists, "storing the message")));
});

Deno.test("errnoOf knows an error by its number where it has no name", () => {
  assert.equal(errnoOf(new Error("No space left on device (os error 28)")), "ENOSPC");
  assert.equal(errnoOf(new Error("Strange (os error 4000)")), "E4000");
  assert.equal(errnoOf(new Error("bug")), undefined);
  assert.equal(errnoOf("ENOENT"), undefined);
});

Deno.test("storeErrorOf keeps the cause, and what is no system error", () => {
  const gone = thrownBy(() => Deno.statSync("/no/such"));
  assert.equal(errnoOf(gone), "ENOENT");
  const error = storeErrorOf(gone, "renaming the mailbox");
  assert.ok(error instanceof StoreError);
  assert.equal(error.message, "The mailbox is gone while renaming the mailbox");
  assert.equal(error.cause, gone);
  assert.equal(storeErrorOf(error, "anything"), error);
  const bug = new TypeError("bug");
  assert.equal(storeErrorOf(bug, "anything"), bug);
  assert.equal(readErrorOf(bug, "anything"), bug);
});

Deno.test("readErrorOf tells a missing message from one that cannot be read", () => {
  const gone = thrownBy(() => fs.readFileSync("/no/such"));
  assert.ok(hasCode("message-gone")(readErrorOf(gone, "reading the message")));
  const directory = thrownBy(() => fs.readFileSync("/"));
  assert.ok(hasCode("unreadable")(readErrorOf(directory, "reading the message")));
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("Expected an error: got none");
}

/** Much faster than `deepEqual` for large arrays. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
