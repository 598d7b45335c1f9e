import * as assert from "node:assert/strict";
import { deliver, text } from "../contracts/store_actions.ts";
import { imapd } from "../cli/program.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

const OWNER = 12345;
const GROUP = 12346;
const ignore = Deno.uid() !== 0;
const skipped = ignore ? " (skipped: not root here)" : "";

/** What below a folder is not the owner's. */
function strangers(path: string): string[] {
  const { uid, gid, isDirectory } = Deno.lstatSync(path);
  const found = uid === OWNER && gid === GROUP ? [] : [`${path} ${uid}:${gid}`];
  if (!isDirectory) return found;
  return [
    ...found,
    ...[...Deno.readDirSync(path)].flatMap(({ name }) => strangers(`${path}/${name}`)),
  ];
}

Deno.test({
  name: "Store.account() by root leaves nothing of root's, also while it is open" + skipped,
  ignore,
  async fn() {
    await using fixture = await MaildirFixture.make();
    Deno.chownSync(fixture.dir, OWNER, GROUP);
    const store = await fixture.open({ specialFolders: [{ name: "Sent", use: "\\Sent" }] });
    const account = await store.account("ann");
    await account.create("Work/2026");
    await deliver(account, "Work/2026");
    Deno.removeSync(`${fixture.root}/.Sent/tmp`);
    const large = await account.receive("Sent");
    for (let i = 0; i < 40; i++) await large.write(text("large", "x\r\n".repeat(10_000)));
    assert.equal(fixture.names("tmp", ".Sent").length, 1);
    assert.deepEqual(strangers(fixture.dir), []);
    await large.abort();
    assert.ok(fixture.indexIsOpen());
    await fixture.close();
    assert.deepEqual(strangers(fixture.dir), []);
  },
});

Deno.test({
  name: "Store.account() by root gives away nothing that a symbolic link leads to" + skipped,
  ignore,
  async fn() {
    await using fixture = await MaildirFixture.make();
    fixture.makeFolder("");
    const victim = `${fixture.dir}/victim`;
    Deno.writeTextFileSync(victim, "kept");
    Deno.mkdirSync(`${fixture.dir}/outside`);
    Deno.chownSync(fixture.root, OWNER, GROUP);
    Deno.symlinkSync(victim, `${fixture.root}/imapd.uidvalidity.tmp`);
    Deno.removeSync(`${fixture.root}/tmp`);
    Deno.symlinkSync(`${fixture.dir}/outside`, `${fixture.root}/tmp`);
    const account = await (await fixture.open()).account("ann");
    await account.create("Work");
    assert.equal(Deno.readTextFileSync(victim), "kept");
    assert.equal(Deno.statSync(victim).uid, 0);
    assert.equal(Deno.statSync(`${fixture.dir}/outside`).uid, 0);
  },
});

Deno.test({
  name: "imapd deliver, import, mailbox list and create by root leave nothing of root's" + skipped,
  ignore,
  async fn() {
    await using fixture = await MaildirFixture.make();
    Deno.mkdirSync(`${fixture.dir}/mail/ann/cur`, { recursive: true });
    for (const path of ["mail", "mail/ann", "mail/ann/cur"]) {
      Deno.chownSync(`${fixture.dir}/${path}`, OWNER, GROUP);
    }
    Deno.writeTextFileSync(`${fixture.dir}/config.toml`, config(fixture.dir));
    const mail = "From a Fri Mar  1 23:30:00 2024\nSubject: x\n\nHello\n\n";
    Deno.writeTextFileSync(`${fixture.dir}/mbox`, mail);
    const options = ["--config", `${fixture.dir}/config.toml`];
    for (
      const [args, input] of [
        [["mailbox", "list", "ann"], ""],
        [["mailbox", "create", "ann", "Work/2026"], ""],
        [["deliver", "-d", "ann"], "Subject: y\r\n\r\nHello\r\n"],
        [["import", "mbox", `${fixture.dir}/mbox`, "bob", "--mailbox", "Old"], ""],
      ] as const
    ) {
      const { code, err } = await imapd([...args, ...options], input);
      assert.equal(code, 0, `${args.join(" ")}: ${err}`);
      assert.deepEqual(strangers(`${fixture.dir}/mail`), [], args.join(" "));
    }
    const count = (path: string) => [...Deno.readDirSync(`${fixture.dir}/mail/${path}`)].length;
    assert.deepEqual([count("ann/new") + count("ann/cur"), count("bob/.Old/cur")], [1, 1]);
  },
});

function config(dir: string): string {
  return `hostname = "mail.example.org"
state_dir = "${dir}"
runtime_dir = "${dir}"

[tls]
loader = "self_signed"

[[imap]]
listen = ["tcp://127.0.0.1:0"]
insecure_auth = true
auth = "&users"
storage = "&mail"

[[lmtp]]
listen = ["unix://${dir}/lmtp"]
storage = "&mail"

[auth.users]
module = "pass_table"
table = { module = "static", entries = { ann = "{PLAIN}secret" } }

[storage.mail]
module = "maildir"
path = "${dir}/mail/{account}"
`;
}
