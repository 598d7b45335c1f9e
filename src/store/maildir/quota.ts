/** How much an account holds, counted as it changes where there is a limit. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Pace } from "../../pace.ts";
import { type Quota, type QuotaLimits, StoreError } from "../store.ts";
import type { MailboxRows } from "./mailbox_rows.ts";
import type { Writer } from "./writer.ts";

/** What every account may hold that has no limits of its own; absent: any amount. */
export interface QuotaSettings {
  /** Octets. */
  readonly storage?: number;
  readonly messages?: number;
}

interface Usage {
  readonly storage: number;
  readonly messages: number;
}

const KINDS = ["storage", "messages"] as const;
const META = { storage: "quota_storage", messages: "quota_messages" } as const;

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
  readonly #settings: () => QuotaSettings;
  /** Limits of this account's own; 0: none. */
  #own: QuotaSettings;
  #counting = false;
  #starting: Promise<void> | undefined;
  #usage: StatementSync | undefined;

  /** @param settings asked anew each time, as a reload may change them */
  constructor(
    database: DatabaseSync,
    rows: MailboxRows,
    writer: Writer,
    settings: () => QuotaSettings,
  ) {
    this.#database = database;
    this.#rows = rows;
    this.#writer = writer;
    this.#settings = settings;
    this.#own = { storage: rows.knownMeta(META.storage), messages: rows.knownMeta(META.messages) };
  }

  /** Sees to it that {@link assertRoom} can be asked; not to be awaited inside the queue. */
  ready(): Promise<void> {
    if (this.#counting || !this.#limited()) return Promise.resolve();
    this.#starting ??= this.#writer.alone(() => this.#startCounting())
      .finally(() => this.#starting = undefined);
    return this.#starting;
  }

  /**
   * Call it in the transaction that adds the messages.
   *
   * @throws {StoreError} `over-quota`
   */
  assertRoom({ storage, messages }: Usage): void {
    if (!this.#counting || !this.#limited()) return;
    const used = this.#counted();
    const limits = this.#limits();
    if (limits.storage !== undefined && used.storage + storage > limits.storage) {
      throw overQuota(`${limits.storage} octets`, used.storage);
    }
    if (limits.messages !== undefined && used.messages + messages > limits.messages) {
      throw overQuota(`${limits.messages} messages`, used.messages);
    }
  }

  /** See `Account.quota`. */
  async quota(): Promise<Quota> {
    const used = await this.#writer.alone(async () =>
      this.#counting ? this.#counted() : await this.#count()
    );
    const limits = this.#limits();
    return {
      storage: { used: used.storage, limit: limits.storage },
      messages: { used: used.messages, limit: limits.messages },
    };
  }

  /** See `Account.setQuota`. */
  set(limits: QuotaLimits): Promise<void> {
    return this.#writer.run(() => {
      for (const kind of KINDS) {
        const limit = limits[kind];
        if (limit === null) this.#rows.removeMeta(META[kind]);
        else if (limit !== undefined) this.#rows.setMeta(META[kind], limit);
      }
      const own = {
        storage: this.#rows.knownMeta(META.storage),
        messages: this.#rows.knownMeta(META.messages),
      };
      return { result: undefined, apply: () => this.#own = own };
    });
  }

  #limits(): QuotaSettings {
    const settings = this.#settings();
    const limit = (kind: typeof KINDS[number]) => (this.#own[kind] ?? settings[kind]) || undefined;
    return { storage: limit("storage"), messages: limit("messages") };
  }

  #limited(): boolean {
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

function overQuota(limit: string, used: number): StoreError {
  return new StoreError("over-quota", `The account may hold ${limit}: it has ${used}`);
}
