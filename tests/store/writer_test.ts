import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../../src/store/store.ts";
import { until } from "../until.ts";
import { Traffic } from "../../src/store/maildir/traffic.ts";
import { Writer } from "../../src/store/maildir/writer.ts";

/** A writer whose log is synced when the test says so. */
class Fixture {
  readonly database = new DatabaseSync(":memory:");
  readonly writer: Writer;
  /** One for each sync under way or over. */
  readonly syncs: PromiseWithResolvers<void>[] = [];
  reloads = 0;
  mendings = 0;
  /** What a failed sync may have lost can be written again. */
  mends = false;
  pages = () => 0;

  constructor() {
    this.database.exec("CREATE TABLE t (n INTEGER)");
    const recovery = {
      assertInPlace: () => {},
      reload: () => void this.reloads++,
      damaged: assert.fail,
      inDoubt: () => {},
      isFull: () => false,
      makeRoom: () => false,
    };
    const sync = () => {
      const sync = Promise.withResolvers<void>();
      this.syncs.push(sync);
      return sync.promise;
    };
    this.writer = new Writer(this.database, recovery, {
      numbers: {
        raise: () => {},
        undone: () => {},
        committed: () => {},
        keep: () => {},
      },
      sync,
      pages: () => this.pages(),
      checkpoint: () => Promise.resolve(),
      mend: () => {
        this.mendings++;
        return this.mends ? Promise.resolve() : Promise.reject(new Error("EIO"));
      },
    }, new Traffic());
  }

  insert(n: number): Promise<number> {
    return this.writer.run(() => {
      this.database.prepare("INSERT INTO t VALUES (?)").run(n);
      return { result: n };
    });
  }

  get rows(): number {
    return Number(this.database.prepare("SELECT count(*) AS n FROM t").get()?.n);
  }

  /** Settles when as many syncs as that were begun. */
  async begun(syncs: number): Promise<void> {
    await until(() => this.syncs.length === syncs, `sync ${syncs}`);
  }
}

Deno.test("Writer.run: gives no result before it is durable; who comes meanwhile shares the next sync", async () => {
  const it = new Fixture();
  let settled = 0;
  const first = it.insert(1).then(() => settled++);
  await it.begun(1);
  assert.deepEqual([it.rows, settled], [1, 0]);
  assert.notEqual(it.writer.syncing, undefined);
  const others = [it.insert(2).then(() => settled++), it.insert(3).then(() => settled++)];
  assert.equal(it.rows, 1);
  it.syncs[0].resolve();
  await first;
  await it.begun(2);
  assert.deepEqual([it.rows, settled], [3, 1]);
  it.syncs[1].resolve();
  await Promise.all(others);
  assert.equal(it.writer.syncing, undefined);
});

Deno.test("Writer.run: what the disk does not take is refused, and so is all that follows", async () => {
  const it = new Fixture();
  const first = it.insert(1);
  const refused = assert.rejects(
    first,
    (error) => error instanceof StoreError && error.code === "unavailable",
  );
  await it.begun(1);
  it.syncs[0].reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
  await refused;
  assert.deepEqual([it.reloads, it.mendings], [1, 1]);
  // Another sync would say that all is well.
  await assert.rejects(it.insert(2), StoreError);
  assert.deepEqual([it.rows, it.syncs.length], [1, 1]);
});

Deno.test("Writer.run: what a failed sync may have lost is written again before the result", async () => {
  const it = new Fixture();
  it.mends = true;
  const first = it.insert(1);
  await it.begun(1);
  it.syncs[0].reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
  assert.equal(await first, 1);
  assert.deepEqual([it.reloads, it.mendings], [0, 1]);
});

Deno.test("Writer.run: a refusal undoes nothing of what it shares the commit with", async () => {
  const it = new Fixture();
  const refuse = () => {
    throw new StoreError("too-many", "Too many");
  };
  const alone = it.writer.run(refuse);
  await assert.rejects(alone, StoreError);
  const results = [it.insert(1), it.writer.run(refuse), it.insert(2)];
  const settled = Promise.allSettled(results);
  await it.begun(1);
  it.syncs[0].resolve();
  assert.deepEqual((await settled).map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assert.equal(it.rows, 2);
});

Deno.test("Writer.transaction: is durable before it settles, unless it need not be", async () => {
  const it = new Fixture();
  const long = it.writer.alone(async () => {
    const insert = () => void it.database.prepare("INSERT INTO t VALUES (1)").run();
    await it.writer.transaction(insert, { durable: false });
    await it.writer.transaction(insert);
    return "done";
  });
  await it.begun(1);
  it.syncs[0].resolve();
  assert.equal(await long, "done");
});

Deno.test("Writer.run: what changes nothing costs no sync", async () => {
  const it = new Fixture();
  const first = it.insert(1);
  await it.begun(1);
  it.syncs[0].resolve();
  await first;
  assert.equal(await it.writer.run(() => ({ result: "read" })), "read");
  assert.equal(it.syncs.length, 1);
});

Deno.test("Writer.run: goes on where SQLite cannot say how long its log is", async () => {
  const it = new Fixture();
  it.pages = () => it.database.prepare("SELECT abs(-9223372036854775808)").all().length;
  for (const n of [1, 2]) {
    const inserted = it.insert(n);
    await it.begun(n);
    it.syncs[n - 1].resolve();
    assert.equal(await inserted, n);
    await it.writer.settled();
  }
});

Deno.test("Writer.run: of a commit in doubt, who was refused is told so", async () => {
  const it = new Fixture();
  const results = [
    it.insert(1),
    it.writer.run(() => {
      throw new StoreError("too-many", "Too many");
    }),
  ];
  const settled = Promise.allSettled(results);
  await it.begun(1);
  it.syncs[0].reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
  const codes = (await settled).map((each) => each.status === "rejected" && each.reason.code);
  assert.deepEqual(codes, ["unavailable", "too-many"]);
});

Deno.test("Writer.transaction: refuses by a StoreError what SQLite refuses", async () => {
  const it = new Fixture();
  await assert.rejects(
    it.writer.transaction(() => it.database.exec("SELECT abs(-9223372036854775808)")),
    (error) => error instanceof StoreError && error.code === "unavailable",
  );
});
