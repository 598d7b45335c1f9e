import { deepEqual, equal, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { foldCase } from "../../src/message/search_text.ts";
import { substringQuery } from "../../src/message/trigrams.ts";
import type { Problem } from "../../src/store/maildir/problem.ts";
import { SearchFile } from "../../src/store/maildir/search_file.ts";
import {
  type SearchReply,
  type SearchRequest,
  serveSearches,
} from "../../src/store/maildir/search_worker.ts";
import { uidsOf } from "../contracts/store_actions.ts";
import { until } from "../until.ts";
import { appendAll, indexed, TextIndexFixture } from "./text_index_fixture.ts";

/** Texts of messages 1 to 12, of which every third has "needle". */
const TWELVE = Array.from(
  { length: 12 },
  (_, i) => `message ${i % 3 === 0 ? "needle" : "hay"} of some ${"words ".repeat(i)}\r\n`,
);
const NEEDLES = [1, 4, 7, 10];

/** An account whose twelve texts are indexed, and closed. */
async function closed(): Promise<TextIndexFixture> {
  const fixture = await TextIndexFixture.make();
  const { store, account } = await fixture.open();
  await appendAll(account, TWELVE);
  await indexed(store);
  await fixture.maildir.close();
  return fixture;
}

/** Messages that SEARCH looks into for "needle". */
async function narrowed(fixture: TextIndexFixture): Promise<readonly number[]> {
  const { store, account } = await fixture.open();
  const inbox = await account.open("INBOX");
  await indexed(store);
  const query = substringQuery(foldCase("needle"));
  ok(query);
  const left = await inbox.narrow(uidsOf(inbox), query);
  inbox.close();
  return left;
}

/** Waits until the file is of use again. */
async function findsAgain(fixture: TextIndexFixture): Promise<void> {
  const { store, account } = await fixture.open();
  const inbox = await account.open("INBOX");
  const query = substringQuery(foldCase("needle"));
  ok(query);
  await until(async () => {
    await indexed(store);
    return (await inbox.narrow(uidsOf(inbox), query)).length === NEEDLES.length;
  }, "the texts to be found again");
  inbox.close();
}

function change(fixture: TextIndexFixture, sql: string): void {
  const database = new DatabaseSync(fixture.file);
  database.exec(sql);
  database.close();
}

function codes(problems: readonly Problem[]): string[] {
  return problems.map(({ code }) => code ?? "ok");
}

/** Documents that are there, and have lost what they had. */
const FORGETFUL = `CREATE TEMP TABLE ids AS SELECT id FROM documents_docsize;
  DELETE FROM documents WHERE rowid IN ids;
  INSERT INTO documents (rowid, tokens) SELECT id, 'xyz' FROM ids`;

for (const isOpen of [false, true]) {
  Deno.test(`MaildirStore.repair(): makes a search file anew that lacks texts, of ${isOpen ? "an open" : "a closed"} account`, async () => {
    await using fixture = await closed();
    change(fixture, FORGETFUL);
    // That is what nobody notices.
    equal((await narrowed(fixture)).length, 0);
    await fixture.maildir.close();
    const store = await fixture.maildir.open({
      searchService: fixture.service,
      searchLimit: 20_000,
    });
    const inbox = isOpen ? await (await store.account("ann")).open("INBOX") : undefined;
    const [found] = await store.examine("ann");
    deepEqual([found.code, found.uids?.length], ["search-wrong", 12]);
    deepEqual(codes(await store.repair("ann")), ["search-wrong", "ok"]);
    deepEqual(inbox?.gone, isOpen ? false : undefined);
    inbox?.close();
    await indexed(store);
    deepEqual(codes(await store.examine("ann", true)), ["ok"]);
    deepEqual(await narrowed(fixture), NEEDLES);
  });
}

Deno.test("MaildirStore.examine(): finds the one text of many that lacks a token, if it is to be thorough", async () => {
  await using fixture = await closed();
  const database = new DatabaseSync(fixture.file);
  const { sql } =
    database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'documents'").get() ??
      {};
  database.exec("CREATE VIRTUAL TABLE temp.tokens USING fts5vocab(main, documents, instance)");
  const all = database.prepare(
    "SELECT doc, group_concat(term, ' ') AS words FROM tokens GROUP BY doc",
  ).all();
  database.exec(`DROP TABLE tokens; DROP TABLE documents; ${sql}`);
  const add = database.prepare("INSERT INTO documents (rowid, tokens) VALUES (?, ?)");
  for (const { doc, words } of all) {
    // Each text has "message". There are as many tokens as before.
    add.run(Number(doc), doc === 5 ? String(words).replace("ssa", "qqq") : String(words));
  }
  database.close();
  const index = new DatabaseSync(`${fixture.maildir.root}/imapd.sqlite`);
  const [row] = index.prepare("SELECT id & 4294967295 AS uid FROM objects WHERE document = 5")
    .all();
  index.close();
  const store = await fixture.maildir.open({ searchLimit: 20_000 });
  const [found] = await store.examine("ann", true);
  deepEqual([found.code, found.uids], ["search-wrong", [Number(row.uid)]]);
});

/** A worker of searches in the test's own thread, where what it does can be counted. */
class LocalWorker {
  onmessage: ((event: { readonly data: SearchReply }) => void) | null = null;
  readonly #scope: Parameters<typeof serveSearches>[0] = {
    onmessage: null,
    postMessage: (data) => this.onmessage?.({ data }),
  };

  constructor() {
    serveSearches(this.#scope);
  }

  postMessage(data: SearchRequest): void {
    this.#scope.onmessage?.(new MessageEvent("message", { data }));
  }

  terminate(): void {}
}

Deno.test("MaildirStore.examine(): asks the search file for no token of a text that it has", async () => {
  await using fixture = await closed();
  const store = await fixture.maildir.open({ searchLimit: 20_000 });
  const { Worker } = globalThis;
  const { has } = SearchFile.prototype;
  let asked = 0;
  globalThis.Worker = LocalWorker as unknown as typeof Worker;
  SearchFile.prototype.has = function (document, tokens) {
    asked += tokens.length;
    return has.call(this, document, tokens);
  };
  try {
    for (const thorough of [false, true]) {
      deepEqual(codes(await store.examine("ann", thorough)), ["ok"]);
      equal(asked, 0);
    }
    change(fixture, FORGETFUL);
    deepEqual(codes(await store.examine("ann")), ["search-wrong"]);
    ok(asked > 0);
  } finally {
    globalThis.Worker = Worker;
    SearchFile.prototype.has = has;
  }
});

Deno.test("MaildirStore.repair(): makes a search file anew without a worker of the store's", async () => {
  await using fixture = await closed();
  change(fixture, FORGETFUL);
  const store = await fixture.maildir.open({ searchLimit: 20_000 });
  deepEqual(codes(await store.repair("ann")), ["search-wrong", "ok"]);
  await findsAgain(fixture);
});

Deno.test("MaildirStore.examine(): says what is in the place of a search file", async () => {
  await using fixture = await closed();
  const store = await fixture.maildir.open({ searchLimit: 20_000 });
  const octets = Deno.readFileSync(fixture.file);
  for (
    const [damage, code] of [
      [() => Deno.removeSync(fixture.file), "search-missing"],
      [() => Deno.writeTextFileSync(fixture.file, "nothing", { mode: 0o600 }), "search-damaged"],
      [() => Deno.writeFileSync(fixture.file, octets.subarray(0, 9000)), "search-damaged"],
    ] as const
  ) {
    damage();
    deepEqual(codes(await store.examine("ann")), [code]);
  }
  Deno.removeSync(fixture.file);
  Deno.symlinkSync("/etc/passwd", fixture.file);
  deepEqual(codes(await store.examine("ann")).sort(), ["link", "search-link"]);
});

Deno.test("MaildirStore.repair(): whichever bit flips in a search file, no text is missed after it", async () => {
  await using fixture = await closed();
  const index = `${fixture.maildir.root}/imapd.sqlite`;
  const sound = Deno.readFileSync(fixture.file);
  const soundIndex = Deno.readFileSync(index);
  let found = 0;
  const flips = 16;
  for (let n = 0; n < flips; n++) {
    const octets = sound.slice();
    octets[Math.floor((n + 0.5) * octets.length / flips)] ^= 1 << n % 8;
    Deno.writeFileSync(fixture.file, octets);
    Deno.writeFileSync(index, soundIndex);
    const store = await fixture.maildir.open({ searchLimit: 20_000 });
    const repaired = codes(await store.repair("ann", true));
    equal(repaired.at(-1), "ok", `flip ${n}: ${repaired}`);
    if (repaired.length > 1) found++;
    const looked = await narrowed(fixture);
    for (const uid of NEEDLES) ok(looked.includes(uid), `flip ${n}`);
    await fixture.maildir.close();
  }
  ok(found > 0);
});

Deno.test("TextIndex: makes a damaged file anew at once", async () => {
  await using fixture = await closed();
  const index = new DatabaseSync(fixture.file);
  const pages = index.prepare("SELECT pageno FROM dbstat WHERE name = 'documents_data'").all();
  const size = Number(index.prepare("PRAGMA page_size").get()?.page_size);
  index.close();
  const octets = Deno.readFileSync(fixture.file);
  for (const { pageno } of pages) {
    octets.fill(0x55, (Number(pageno) - 1) * size, Number(pageno) * size);
  }
  Deno.writeFileSync(fixture.file, octets);
  // What is asked first fails, and reads all.
  equal((await narrowed(fixture)).length, 12);
  await findsAgain(fixture);
});
