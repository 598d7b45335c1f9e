import type { AccountNews } from "../../src/store/store.ts";
import { text } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

/** Waits until an account has told what is expected. */
class Ear {
  readonly #heard: string[] = [];
  #wake: () => void = () => {};

  hear = (news: AccountNews): void => {
    const mailbox = "mailbox" in news ? ` ${news.mailbox}` : "";
    this.#heard.push(`${news.kind}${mailbox}`);
    this.#wake();
  };

  async until(expected: string): Promise<void> {
    while (!this.#heard.includes(expected)) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#heard.length = 0;
  }
}

Deno.test("Account.watch() tells of deliveries by another program to mailboxes that nobody has open", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  await account.create("Lists");
  const ear = new Ear();
  const end = account.watch(ear.hear);
  await account.status("Lists");
  fixture.put(".Lists/new/1700000001.M1P1.host", text("one"));
  await ear.until("messages Lists");
  await account.create("Made/later");
  await ear.until("created Made/later");
  fixture.put(".Made.later/new/1700000001.M1P1.host", text("one"));
  await ear.until("messages Made/later");
  await account.rename("Lists", "Renamed");
  await ear.until("renamed Renamed");
  fixture.put(".Renamed/new/1700000002.M1P1.host", text("two"));
  await ear.until("messages Renamed");
  end();
});

Deno.test("Account.watch() finds what was delivered before it, unseen", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  await account.status("INBOX");
  fixture.put("new/1700000001.M1P1.host", text("one"));
  const ear = new Ear();
  const end = account.watch(ear.hear);
  await ear.until("messages INBOX");
  end();
});

Deno.test("Account.watch() tells of folders that another program made or removed, once they are found", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  const ear = new Ear();
  const end = account.watch(ear.hear);
  await account.refresh();
  fixture.makeFolder(".New");
  await account.refresh();
  await ear.until("created New");
  Deno.removeSync(`${fixture.root}/.New`, { recursive: true });
  await account.refresh();
  await ear.until("deleted New");
  end();
});
