/** An account whose texts are indexed. */

import { DatabaseSync } from "node:sqlite";
import { SearchService } from "../../src/store/maildir/search_service.ts";
import type { MaildirStore } from "../../src/store/maildir/store.ts";
import type { Account } from "../../src/store/store.ts";
import { incoming, text } from "../contracts/store_actions.ts";
import { until } from "../until.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

/** Octets of text that a message may have, unless a test says so. */
const LIMIT = 20_000;

/** A Maildir whose texts are indexed at once. */
export class TextIndexFixture implements AsyncDisposable {
  readonly service: SearchService;

  private constructor(readonly maildir: MaildirFixture, quiet: number) {
    this.service = new SearchService({ quiet });
  }

  /** @param quiet milliseconds until messages are indexed */
  static async make(quiet = 0): Promise<TextIndexFixture> {
    return new TextIndexFixture(await MaildirFixture.make(), quiet);
  }

  get file(): string {
    return `${this.maildir.root}/imapd-search.sqlite`;
  }

  get hasFile(): boolean {
    return [...Deno.readDirSync(this.maildir.root)].some(({ name }) => this.file.endsWith(name));
  }

  async open(searchLimit = LIMIT): Promise<{ store: MaildirStore; account: Account }> {
    const store = await this.maildir.open({ searchService: this.service, searchLimit });
    return { store, account: await store.account("ann") };
  }

  /** Documents in the file of an account that is closed. */
  documents(): number {
    const database = new DatabaseSync(this.file, { readOnly: true });
    try {
      return Number(database.prepare("SELECT count(*) AS n FROM documents_docsize").get()?.n);
    } finally {
      database.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.maildir[Symbol.asyncDispose]();
    this.service.close();
  }
}

/** Waits until nothing waits. */
export function indexed(store: MaildirStore): Promise<void> {
  return until(() => store.measures().unindexed === 0, "all texts to be indexed");
}

/** Puts messages into INBOX: whole ones, or by their texts. */
export async function appendAll(
  account: Account,
  texts: readonly (string | Uint8Array)[],
): Promise<void> {
  const messages = texts.map((each) =>
    incoming(account, "INBOX", typeof each === "string" ? text("x", each) : each)
  );
  await account.append("INBOX", await Promise.all(messages));
}
