import * as assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Account } from "../../src/store/store.ts";
import { deliver, uidsOf, wholeText } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

const INDEX = "imapd.sqlite";

/** An account whose messages are called by letters; what its clients were told is known. */
class Fixture implements AsyncDisposable {
  readonly told = new Map<number, string>();

  private constructor(readonly maildir: MaildirFixture) {}

  static async make(): Promise<Fixture> {
    return new Fixture(await MaildirFixture.make());
  }

  get index(): string {
    return `${this.maildir.root}/${INDEX}`;
  }

  get aside(): string {
    return `${this.maildir.dir}/aside`;
  }

  /** Opens the account and leaves it open. */
  async deliver(...names: string[]): Promise<Account> {
    const account = await (await this.maildir.open()).account("ann");
    for (const name of names) this.told.set(await deliver(account, "INBOX", name), name);
    return account;
  }

  /** Delivers a message, and keeps a copy of the index that knows no other. */
  async keepOlder(): Promise<void> {
    await this.deliver("a");
    await this.maildir.close();
    Deno.copyFileSync(this.index, this.aside);
  }

  /** What SIGKILL leaves. */
  async kill(): Promise<void> {
    const { root } = this.maildir;
    copyFolder(root, this.aside);
    await this.maildir.close();
    // Written over in place, so that they are the same files.
    copyFolder(this.aside, root);
    Deno.removeSync(this.aside, { recursive: true });
  }

  /** Takes over what is there, delivers another one, and looks that no UID has two names. */
  async uids(): Promise<{ uids: number[]; names: string; uidNext: number }> {
    const account = await (await this.maildir.open()).account("ann");
    await account.status("INBOX");
    const uid = await deliver(account, "INBOX", "z");
    const inbox = await account.open("INBOX");
    const names: string[] = [];
    for (const uid of uidsOf(inbox)) {
      const name = /^Subject: (.*)\r$/m.exec(await wholeText(inbox, uid))?.[1] ?? "";
      assert.equal(this.told.get(uid) ?? name, name);
      this.told.set(uid, name);
      names.push(name);
    }
    const found = { uids: [...uidsOf(inbox)], names: names.sort().join(""), uidNext: uid + 1 };
    inbox.close();
    return found;
  }

  get warnings(): string[] {
    return this.maildir.log.lines.filter(({ level }) => level === "warn")
      .map(({ fields }) => String(fields.doubt));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.maildir[Symbol.asyncDispose]();
  }
}

function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

const OLDER: readonly {
  readonly title: string;
  readonly doubt: RegExp;
  /** The messages "a", "b" and "c" are delivered in the end, with "a" in the older index. */
  happen(it: Fixture): Promise<void>;
}[] = [{
  title: "an older index in its place",
  doubt: /lacks what was committed/,
  async happen(it) {
    await it.keepOlder();
    await it.deliver("b", "c");
    await it.maildir.close();
    Deno.copyFileSync(it.aside, it.index);
  },
}, {
  title: "a copy that was made of it and its log while it was open",
  doubt: /lacks what was committed/,
  async happen(it) {
    const account = await it.deliver("a");
    const older = ["", "-wal"].map((suffix) => Deno.readFileSync(it.index + suffix));
    for (const name of ["b", "c"]) it.told.set(await deliver(account, "INBOX", name), name);
    await it.kill();
    for (const suffix of ["-wal", ""]) {
      Deno.writeFileSync(it.index + suffix, older.pop() ?? assert.fail());
    }
  },
}, {
  title: "no log after a kill",
  doubt: /lacks what was committed/,
  async happen(it) {
    await it.deliver("a");
    await it.deliver("b", "c");
    await it.kill();
    Deno.removeSync(`${it.index}-wal`);
  },
}, {
  title: "an older index beside the log of a killed process",
  doubt: /log beside it is of another one/,
  async happen(it) {
    await it.keepOlder();
    await it.deliver("b");
    await it.deliver("c");
    const older = Deno.readFileSync(it.aside);
    Deno.removeSync(it.aside);
    await it.kill();
    Deno.removeSync(it.index);
    Deno.writeFileSync(it.index, older);
  },
}, {
  title: "an older index that took its place while it was open",
  doubt: /lacks what was committed/,
  async happen(it) {
    await it.keepOlder();
    await it.deliver("b", "c");
    Deno.renameSync(it.aside, it.index);
  },
}];

for (const { title, doubt, happen } of OLDER) {
  Deno.test(`Account: ${title} gives no UID again`, async () => {
    await using it = await Fixture.make();
    await happen(it);
    const found = await it.uids();
    assert.equal(found.names, "abcz");
    assert.ok(found.uidNext > 100_000);
    assert.match(it.warnings.join(), doubt);
    // Once only.
    const again = await it.uids();
    assert.equal(again.uidNext, found.uidNext + 1);
    assert.equal(it.warnings.length, 1);
  });
}

/** Commits whose number no row of a mailbox has, or none that is left. */
const NUMBERED_APART: readonly {
  readonly title: string;
  happen(it: Fixture, account: Account): Promise<unknown>;
}[] = [{
  title: "a subscription",
  happen: (_, account) => account.subscribe("Other"),
}, {
  title: "a mailbox that was deleted after it was changed",
  async happen(_, account) {
    await account.create("Gone");
    await deliver(account, "Gone", "b");
    await account.delete("Gone");
  },
}, {
  title: "a mailbox whose folder another program removed",
  async happen({ maildir }, account) {
    await account.create("Gone");
    await deliver(account, "Gone", "b");
    await maildir.close();
    Deno.removeSync(`${maildir.root}/.Gone`, { recursive: true });
  },
}, {
  title: "a row that was deleted without a number of its own",
  async happen({ maildir, index }, account) {
    await account.create("Gone");
    await deliver(account, "Gone", "b");
    await maildir.close();
    Deno.removeSync(`${maildir.root}/.Gone`, { recursive: true });
    const database = new DatabaseSync(index);
    database.exec("DELETE FROM mailboxes WHERE name = 'Gone'");
    database.close();
  },
}];

for (const { title, happen } of NUMBERED_APART) {
  Deno.test(`Account: an index that lacks ${title} is known as older, one with it is not`, async () => {
    await using it = await Fixture.make();
    await it.keepOlder();
    await happen(it, await it.deliver());
    for (let time = 0; time < 2; time++) {
      await it.maildir.close();
      await it.deliver();
    }
    assert.deepEqual(it.warnings, []);
    await it.maildir.close();
    Deno.renameSync(it.aside, it.index);
    assert.ok((await it.uids()).uidNext > 100_000);
    assert.match(it.warnings.join(), /lacks what was committed/);
  });
}

Deno.test("Account: a second name of imapd.commits hides no older index", async () => {
  await using it = await Fixture.make();
  const commits = `${it.maildir.root}/imapd.commits`;
  await it.deliver("a");
  await it.maildir.close();
  const older = Deno.readFileSync(it.index);
  // As a backup of links makes it
  Deno.linkSync(commits, it.aside);
  for (const name of ["b", "c"]) {
    await it.deliver(name);
    await it.maildir.close();
    Deno.writeFileSync(it.index, older);
    const found = await it.uids();
    assert.match(found.names, name === "b" ? /^abz$/ : /^abczz$/);
    await it.maildir.close();
  }
  assert.equal(it.warnings.length, 2);
  assert.equal(Deno.statSync(commits).nlink, 1);
});

for (
  const [title, put] of [
    ["garbage", (path: string) => Deno.writeTextFileSync(path, "garbage")],
    ["a link", (path: string) => Deno.symlinkSync("/dev/null", path)],
    ["a FIFO", (path: string) => new Deno.Command("mkfifo", { args: [path] }).outputSync()],
    ["a folder", (path: string) => Deno.mkdirSync(path)],
  ] as const
) {
  Deno.test(`Account: ${title} in place of imapd.commits is told of`, async () => {
    await using it = await Fixture.make();
    const commits = `${it.maildir.root}/imapd.commits`;
    await it.deliver("a");
    await it.maildir.close();
    const older = Deno.readFileSync(it.index);
    const isMended = title !== "a folder";
    if (isMended) await it.deliver("b");
    await it.maildir.close();
    Deno.removeSync(commits);
    put(commits);
    if (isMended) Deno.writeFileSync(it.index, older);
    else await it.deliver("b");
    assert.equal((await it.uids()).uidNext > 100_000, isMended);
    const warned = it.maildir.log.lines.filter(({ level, fields }) =>
      level === "warn" && fields.path === commits
    );
    assert.ok(warned.length > 0);
    assert.equal((await it.uids()).names, "abzz");
    await it.maildir.close();
    const told = await (await it.maildir.open()).examine("ann");
    assert.equal(told.some(({ code }) => code === "commits-file"), !isMended);
    assert.equal(/^\d+ \d+ \d+ \d+ *\n$/.test(textOf(commits)), isMended);
  });
}

function textOf(path: string): string {
  return Deno.statSync(path).isFile ? Deno.readTextFileSync(path) : "";
}

Deno.test("Account: a Maildir that was put back as a whole gives no UID again", async () => {
  await using it = await Fixture.make();
  const { root } = it.maildir;
  await it.deliver("a");
  await it.maildir.close();
  copyFolder(root, it.aside);
  await it.deliver("b");
  await it.maildir.close();
  Deno.removeSync(root, { recursive: true });
  Deno.renameSync(it.aside, root);
  const found = await it.uids();
  assert.deepEqual([found.names, found.uids[0], found.uidNext > 100_000], ["az", 1, true]);
  assert.match(it.warnings.join(), /the Maildir is a copy/);
  assert.equal((await it.uids()).uidNext, found.uidNext + 1);
});

Deno.test("Account: neither a kill, a move, nor a power failure is taken for an older index", async () => {
  await using it = await Fixture.make();
  await it.deliver("a");
  await it.deliver("b");
  await it.kill();
  await it.deliver("c");
  await it.maildir.close();
  const { root } = it.maildir;
  const commits = Deno.readTextFileSync(`${root}/imapd.commits`);
  await it.deliver("d");
  await it.maildir.close();
  // It is not synced, and may be as it was before.
  Deno.writeTextFileSync(`${root}/imapd.commits`, commits);
  await it.deliver("e");
  await it.maildir.close();
  Deno.writeTextFileSync(`${root}/imapd.commits`, "");
  await it.deliver("f");
  await it.maildir.close();
  Deno.renameSync(root, it.aside);
  Deno.renameSync(it.aside, root);
  const found = await it.uids();
  assert.deepEqual([found.names, found.uidNext], ["abcdefz", 8]);
  assert.deepEqual(it.warnings, []);
});

Deno.test("Account: work that an older index had begun unlinks no message", async () => {
  await using it = await Fixture.make();
  await it.deliver("a");
  await it.maildir.close();
  Deno.copyFileSync(it.index, it.aside);
  await it.deliver("b");
  await it.maildir.close();
  Deno.renameSync(it.aside, it.index);
  const bases = it.maildir.names("cur").map((name) => name.split(":")[0]);
  const work = JSON.stringify({ kind: "link", id: 1, folder: "", bases });
  const database = new DatabaseSync(it.index);
  database.prepare("INSERT INTO journal (work) VALUES (?)").run(work);
  database.close();
  assert.equal((await it.uids()).names, "abz");
});

Deno.test("Account: an index that is made anew counts on", async () => {
  await using it = await Fixture.make();
  await it.deliver("a");
  await it.maildir.close();
  Deno.removeSync(it.index);
  it.told.clear();
  await it.deliver("b");
  await it.kill();
  const found = await it.uids();
  assert.deepEqual([found.names, found.uidNext], ["abz", 4]);
  assert.deepEqual(it.warnings, ["undefined"]);
});

Deno.test("Account: an older index that the log of a killed process does not fit is made anew", async () => {
  await using it = await Fixture.make();
  const account = await it.deliver("a");
  const { uidValidity } = await account.status("INBOX");
  await it.maildir.close();
  const older = Deno.readFileSync(it.index);
  for (const name of ["b", "c"]) {
    // So many that the pages of the log are others than those of the older index.
    await deliverMany(await it.deliver(), name);
    await (name === "b" ? it.maildir.close() : it.kill());
  }
  Deno.removeSync(it.index);
  Deno.writeFileSync(it.index, older);
  const anew = await (await it.maildir.open()).account("ann");
  const found = await anew.status("INBOX");
  assert.equal(found.messages, 161);
  assert.ok(found.uidValidity > uidValidity);
});

async function deliverMany(account: Account, name: string): Promise<void> {
  for (let i = 0; i < 80; i++) await deliver(account, "INBOX", `${name}${i}`);
}
