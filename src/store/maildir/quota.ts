/** How much an account holds, counted as it changes where there is a limit. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Pace } from "../../pace.ts";
import { type Quota, type QuotaLimits, type QuotaResource, StoreError } from "../store.ts";
import type { MailboxRows } from "./mailbox_rows.ts";
import type { Writer } from "./writer.ts";

/** What an account may hold; absent: any amount. */
export interface QuotaSettings {
  /** Octets. */
  readonly storage?: number;
  readonly messages?: number;
  readonly mailboxes?: number;
}

/** Where limits come from. */
export interface QuotaSource {
  /** Those of every account that has none of its own; asked each time, as a reload may change them. */
  defaults(): QuotaSettings;
  /** Those of this account, which come before the defaults; absent where there are none. */
  ofAccount?(): Promise<QuotaSettings>;
  /** Nothing is refused: who passes a limit is only told. */
  soft(): boolean;
}

/** What an operation adds. */
interface Addition {
  readonly storage?: number;
  readonly messages?: number;
  readonly mailboxes?: number;
}

interface Usage {
  readonly storage: number;
  readonly messages: number;
}

const RESOURCES: readonly QuotaResource[] = ["storage", "messages", "mailboxes"];

const META = {
  storage: "quota_storage",
  messages: "quota_messages",
  mailboxes: "quota_mailboxes",
} as const;

const UNITS = { storage: "octets", messages: "messages", mailboxes: "mailboxes" } as const;

/** In `meta`, as 0 stands for no limit. */
const NOTHING_AT_ALL = -1;

/** Milliseconds that limits of a table are believed. */
const BELIEVED = 60_000;

const ROWS_PER_STEP = 20_000;

/** Octets of a message by its row; see the schema. */
const octets = (size: string) => `CASE WHEN ${size} < 0 THEN -1 - ${size} ELSE ${size} END`;

/**
 * Counts in the transaction of every change, so that a count can neither drift nor be lost by an
 * error. Row 0 is the sum of all mailboxes; a deleted one leaves it before its messages' rows go.
 * They are triggers of this connection only: without a limit there are none.
 */
const COUNTING = `
  CREATE TEMP TABLE quota_usage (
    mailbox INTEGER PRIMARY KEY, storage INTEGER NOT NULL, messages INTEGER NOT NULL);
  INSERT INTO quota_usage VALUES (0, 0, 0);
  CREATE TEMP TRIGGER quota_inserted AFTER INSERT ON main.messages BEGIN
    INSERT OR IGNORE INTO quota_usage VALUES (new.mailbox, 0, 0);
    UPDATE quota_usage SET storage = storage + ${octets("new.size")}, messages = messages + 1
      WHERE mailbox IN (0, new.mailbox);
  END;
  CREATE TEMP TRIGGER quota_deleted AFTER DELETE ON main.messages BEGIN
    UPDATE quota_usage SET storage = storage - (${octets("old.size")}), messages = messages - 1
      WHERE mailbox IN (0, old.mailbox)
        AND EXISTS (SELECT 1 FROM quota_usage WHERE mailbox = old.mailbox);
  END;
  CREATE TEMP TRIGGER quota_sized AFTER UPDATE OF size ON main.messages BEGIN
    UPDATE quota_usage SET storage = storage - (${octets("old.size")}) + ${octets("new.size")}
      WHERE mailbox IN (0, new.mailbox);
  END;
  CREATE TEMP TRIGGER quota_mailbox_deleted AFTER DELETE ON main.mailboxes BEGIN
    UPDATE quota_usage SET
      storage = storage
        - ifnull((SELECT storage FROM quota_usage WHERE mailbox = old.id), 0),
      messages = messages
        - ifnull((SELECT messages FROM quota_usage WHERE mailbox = old.id), 0)
      WHERE mailbox = 0;
    DELETE FROM quota_usage WHERE mailbox = old.id;
  END;`;

/** The quota of an open account. */
export class AccountQuota {
  readonly #database: DatabaseSync;
  readonly #rows: MailboxRows;
  readonly #writer: Writer;
  readonly #source: QuotaSource;
  readonly #mailboxes: () => number;
  /** Limits of this account's own; Infinity: none. */
  #own: QuotaSettings;
  /** What {@link QuotaSource.ofAccount} said last. */
  #table: QuotaSettings = {};
  #asked = -Infinity;
  #asking: Promise<void> | undefined;
  #counting = false;
  #starting: Promise<void> | undefined;
  #usage: StatementSync | undefined;

  /** @param mailboxes how many there are */
  constructor(
    database: DatabaseSync,
    rows: MailboxRows,
    writer: Writer,
    source: QuotaSource,
    mailboxes: () => number,
  ) {
    this.#database = database;
    this.#rows = rows;
    this.#writer = writer;
    this.#source = source;
    this.#mailboxes = mailboxes;
    this.#own = this.#readOwn();
  }

  /** Sees to it that {@link assertRoom} can be asked; not to be awaited inside the queue. */
  async ready(): Promise<void> {
    await this.#askTable();
    if (this.#counting || !this.#needsCounting()) return;
    this.#starting ??= this.#writer.alone(() => this.#startCounting())
      .finally(() => this.#starting = undefined);
    await this.#starting;
  }

  /**
   * Call it in the transaction that adds something.
   *
   * @returns where limits are soft, the one that is passed
   * @throws {StoreError} `over-quota`
   */
  assertRoom(addition: Addition): string | undefined {
    const passed = this.#passedLimit(addition);
    if (passed === undefined || this.#source.soft()) return passed;
    throw new StoreError("over-quota", passed);
  }

  #passedLimit(addition: Addition): string | undefined {
    const limits = this.#limits();
    const counted = this.#counting && this.#needsCounting() ? this.#counted() : undefined;
    for (const resource of RESOURCES) {
      const [limit, more] = [limits[resource], addition[resource]];
      // Who only makes less of it is not hindered by what there is.
      if (limit === undefined || more === undefined || more <= 0) continue;
      const used = resource === "mailboxes" ? this.#mailboxes() : counted?.[resource];
      if (used === undefined || used + more <= limit) continue;
      return `The account may hold ${limit} ${UNITS[resource]}: it has ${used}`;
    }
    return undefined;
  }

  /** See `Account.quota`. */
  async quota(): Promise<Quota> {
    await this.#askTable();
    const used = await this.#writer.alone(async () =>
      this.#counting ? this.#counted() : await this.#count()
    );
    const limits = this.#limits();
    return {
      storage: { used: used.storage, limit: limits.storage },
      messages: { used: used.messages, limit: limits.messages },
      mailboxes: { used: this.#mailboxes(), limit: limits.mailboxes },
    };
  }

  /** See `Account.limitedQuota`. */
  async limitedQuota(): Promise<Partial<Quota>> {
    await this.ready();
    return await this.#writer.alone(() => {
      const limits = this.#limits();
      const counted = this.#counting ? this.#counted() : { storage: 0, messages: 0 };
      const used: Readonly<Record<QuotaResource, number>> = {
        ...counted,
        mailboxes: this.#mailboxes(),
      };
      const limited = RESOURCES.filter((resource) => limits[resource] !== undefined);
      return Promise.resolve(Object.fromEntries(
        limited.map((each) => [each, { used: used[each], limit: limits[each] }]),
      ));
    });
  }

  /** See `Account.setQuota`. */
  set(limits: QuotaLimits): Promise<void> {
    return this.#writer.run(() => {
      for (const resource of RESOURCES) {
        const limit = limits[resource];
        const name = META[resource];
        if (limit === null) this.#rows.removeMeta(name);
        else if (limit === "none") this.#rows.setMeta(name, 0);
        else if (limit !== undefined) this.#rows.setMeta(name, limit || NOTHING_AT_ALL);
      }
      const own = this.#readOwn();
      return { result: undefined, apply: () => this.#own = own };
    });
  }

  #readOwn(): QuotaSettings {
    const limit = (resource: QuotaResource) => {
      const kept = this.#rows.knownMeta(META[resource]);
      return kept === 0 ? Infinity : kept === NOTHING_AT_ALL ? 0 : kept;
    };
    return {
      storage: limit("storage"),
      messages: limit("messages"),
      mailboxes: limit("mailboxes"),
    };
  }

  /** Limits that are believed for a while, also when the table cannot be asked. */
  async #askTable(): Promise<void> {
    if (this.#source.ofAccount === undefined) {
      this.#table = {};
      return;
    }
    if (performance.now() - this.#asked < BELIEVED) return;
    this.#asking ??= this.#source.ofAccount()
      .then((limits) => void (this.#table = limits))
      // Who keeps the table tells why; what it said before goes on being true.
      .catch(() => {})
      .finally(() => {
        this.#asked = performance.now();
        this.#asking = undefined;
      });
    await this.#asking;
  }

  #limits(): QuotaSettings {
    const defaults = this.#source.defaults();
    const limit = (resource: QuotaResource) => {
      const limit = this.#own[resource] ?? this.#table[resource] ?? defaults[resource];
      return limit === Infinity ? undefined : limit;
    };
    return {
      storage: limit("storage"),
      messages: limit("messages"),
      mailboxes: limit("mailboxes"),
    };
  }

  #needsCounting(): boolean {
    const { storage, messages } = this.#limits();
    return storage !== undefined || messages !== undefined;
  }

  async #startCounting(): Promise<void> {
    if (this.#counting) return;
    const used = new Map<number, Usage>();
    await this.#count((mailbox, usage) => used.set(mailbox, usage));
    this.#database.exec(COUNTING);
    const insert = this.#database.prepare("INSERT INTO quota_usage VALUES (?, ?, ?)");
    for (const [mailbox, { storage, messages }] of used) insert.run(mailbox, storage, messages);
    this.#database.exec(
      `UPDATE quota_usage SET
         storage = (SELECT ifnull(sum(storage), 0) FROM quota_usage WHERE mailbox > 0),
         messages = (SELECT ifnull(sum(messages), 0) FROM quota_usage WHERE mailbox > 0)
       WHERE mailbox = 0`,
    );
    this.#counting = true;
  }

  #counted(): Usage {
    this.#usage ??= this.#database.prepare(
      "SELECT storage, messages FROM quota_usage WHERE mailbox = 0",
    );
    return this.#usage.get() as unknown as Usage;
  }

  /** Adds up all mailboxes, in slices; runs alone in the queue. */
  async #count(each: (mailbox: number, usage: Usage) => void = () => {}): Promise<Usage> {
    const statement = this.#database.prepare(
      `SELECT count(*) AS messages, ifnull(sum(${octets("size")}), 0) AS storage, max(uid) AS last
       FROM (SELECT uid, size FROM messages WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ?)`,
    );
    const all = { storage: 0, messages: 0 };
    const pace = new Pace();
    for (const { id } of this.#rows.all()) {
      const one = { storage: 0, messages: 0 };
      for (let after = 0;;) {
        const step = statement.get(id, after, ROWS_PER_STEP);
        const messages = Number(step?.messages);
        one.messages += messages;
        one.storage += Number(step?.storage);
        if (messages < ROWS_PER_STEP) break;
        after = Number(step?.last);
        if (pace.due()) await pace.turn();
      }
      each(id, one);
      all.storage += one.storage;
      all.messages += one.messages;
      if (pace.due()) await pace.turn();
    }
    return all;
  }
}
