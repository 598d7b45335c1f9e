import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CommitNumbers, COMMITS_FILE } from "../../src/store/maildir/commit_numbers.ts";
import { Traffic } from "../../src/store/maildir/traffic.ts";
import { Writer } from "../../src/store/maildir/writer.ts";
import { StoreError } from "../../src/store/store.ts";
import { deliver } from "../contracts/store_actions.ts";
import { MaildirFixture, silentLog } from "./maildir_fixture.ts";

/** The index of an account that is closed, with a writer that numbers what it commits. */
class Fixture implements AsyncDisposable {
  readonly writer: Writer;
  readonly #database: DatabaseSync;
  readonly #numbers: CommitNumbers;

  private constructor(private readonly maildir: MaildirFixture) {
    const { root } = maildir;
    const database = new DatabaseSync(`${root}/imapd.sqlite`);
    const index = { database, made: false, interrupted: false };
    const numbers = new CommitNumbers(root, index, silentLog());
    this.#database = database;
    this.#numbers = numbers;
    const recovery = {
      assertInPlace: () => {},
      reload: () => {},
      damaged: assert.fail,
      inDoubt: assert.fail,
      isFull: () => false,
      makeRoom: () => false,
    };
    this.writer = new Writer(database, recovery, {
      numbers,
      sync: () => undefined,
      pages: () => 0,
      checkpoint: () => Promise.resolve(),
      mend: () => Promise.resolve(),
    }, new Traffic());
  }

  static async make(): Promise<Fixture> {
    const maildir = await MaildirFixture.make();
    await deliver(await (await maildir.open()).account("ann"), "INBOX", "a");
    await maildir.close();
    return new Fixture(maildir);
  }

  /** Writes the row of the mailbox, as each change of a message does. */
  readonly change = () => {
    this.#database.prepare("UPDATE mailboxes SET last_commit = ?").run(this.#numbers.note());
    return { result: undefined };
  };

  /** Writes what has no number. */
  readonly subscribe = () => {
    this.#database.exec("INSERT OR REPLACE INTO subscriptions VALUES ('x')");
    return { result: undefined };
  };

  readonly refuse = () => {
    this.change();
    throw new StoreError("no-mailbox", "refused");
  };

  get inIndex(): number {
    return Number(
      this.#database.prepare(
        `SELECT max(last_commit, (SELECT value FROM meta WHERE name = 'commits')) AS number
         FROM mailboxes`,
      ).get()?.number,
    );
  }

  get inFile(): number {
    return Number.parseInt(Deno.readTextFileSync(`${this.maildir.root}/${COMMITS_FILE}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer.close();
    this.#numbers.close();
    this.#database.close();
    await this.maildir[Symbol.asyncDispose]();
  }
}

Deno.test("CommitNumbers: what was refused beside it takes the number from no durable commit", async () => {
  await using it = await Fixture.make();
  const before = it.inFile;
  const refused = assert.rejects(it.writer.run(it.refuse), /refused/);
  await it.writer.run(it.subscribe);
  await refused;
  assert.ok(it.inFile > before);
  assert.equal(it.inIndex, it.inFile);
});

Deno.test("CommitNumbers: no durable commit gets the number of one before", async () => {
  await using it = await Fixture.make();
  const kept = it.writer.run(it.change, { durable: false });
  await assert.rejects(it.writer.run(it.refuse, { durable: false }), /refused/);
  await kept;
  const before = it.inIndex;
  await it.writer.run(it.change);
  assert.ok(it.inIndex > before);
  assert.equal(it.inFile, it.inIndex);
});
