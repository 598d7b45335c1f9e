/** Annotations of mailboxes and of the account, in the index. @see RFC 5464 §3 */

import type { DatabaseSync } from "node:sqlite";
import {
  ALL_ANNOTATIONS,
  type AnnotationChanges,
  MAX_ANNOTATION_OCTETS,
  MAX_ANNOTATIONS,
  StoreError,
} from "../store.ts";
import type { AccountContext } from "./account_context.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { Statements } from "./statements.ts";

/** The mailbox of what belongs to the account as a whole. */
const ACCOUNT = 0;

/** Statements on `annotations`; made when they are first needed, as most accounts have none. */
export class Annotations {
  readonly #statements: Statements;

  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database);
  }

  /** Octets of the values, by the names of the entries. */
  sizes(mailbox: number): Map<string, number> {
    const rows = this.#statements.of(
      "SELECT entry, length(value) AS octets FROM annotations WHERE mailbox = ? ORDER BY entry",
    ).all(mailbox);
    return new Map(rows.map(({ entry, octets }) => [String(entry), Number(octets)]));
  }

  value(mailbox: number, entry: string): Uint8Array | undefined {
    const value = this.#statements.of(
      "SELECT value FROM annotations WHERE mailbox = ? AND entry = ?",
    ).get(mailbox, entry)?.value;
    return value instanceof Uint8Array ? value : undefined;
  }

  count(mailbox: number): number {
    const row = this.#statements.of(
      "SELECT count(*) AS count FROM annotations WHERE mailbox = ?",
    ).get(mailbox);
    return Number(row?.count);
  }

  /** Of all mailboxes, and of the account. */
  total(): { readonly count: number; readonly octets: number } {
    const row = this.#statements.of(
      "SELECT count(*) AS count, ifnull(sum(length(value)), 0) AS octets FROM annotations",
    ).get();
    return { count: Number(row?.count), octets: Number(row?.octets) };
  }

  set(mailbox: number, entry: string, value: Uint8Array): void {
    this.#statements.of(
      `INSERT INTO annotations (mailbox, entry, value) VALUES (?, ?, ?)
       ON CONFLICT (mailbox, entry) DO UPDATE SET value = excluded.value`,
    ).run(mailbox, entry, value);
  }

  remove(mailbox: number, entry: string): void {
    this.#statements.of("DELETE FROM annotations WHERE mailbox = ? AND entry = ?").run(
      mailbox,
      entry,
    );
  }

  copy(from: number, to: number): void {
    this.#statements.of(
      `INSERT OR REPLACE INTO annotations (mailbox, entry, value)
       SELECT ?, entry, value FROM annotations WHERE mailbox = ?`,
    ).run(to, from);
  }
}

/** See `Account.annotations`; without a mailbox those of the account. */
export function annotationsOf(
  { annotations, refusalOf }: AccountContext,
  state: MailboxState | undefined,
): ReadonlyMap<string, number> {
  try {
    return annotations.sizes(state?.id ?? ACCOUNT);
  } catch (error) {
    throw refusalOf(error);
  }
}

/** See `Account.annotation`. */
export function annotationOf(
  { annotations, refusalOf }: AccountContext,
  state: MailboxState | undefined,
  entry: string,
): Uint8Array | undefined {
  try {
    return annotations.value(state?.id ?? ACCOUNT, entry);
  } catch (error) {
    throw refusalOf(error);
  }
}

/** See `Account.setAnnotations`. */
export async function setAnnotations(
  { annotations, mailboxes, writer }: AccountContext,
  state: MailboxState | undefined,
  { entries, specialUse }: AnnotationChanges,
): Promise<void> {
  const id = state?.id ?? ACCOUNT;
  await writer.run(() => {
    state?.assertThere();
    assertFits(annotations, id, entries);
    for (const [entry, value] of entries) {
      if (value === undefined) annotations.remove(id, entry);
      else annotations.set(id, entry, value);
    }
    if (specialUse && state) mailboxes.setSpecialUse(id, specialUse.join(" "));
    return {
      result: undefined,
      apply() {
        if (specialUse && state) state.specialUse = specialUse;
      },
    };
  });
}

/** Removing is always allowed, whatever there is. */
function assertFits(
  annotations: Annotations,
  mailbox: number,
  entries: AnnotationChanges["entries"],
): void {
  let more = 0;
  let octets = 0;
  for (const [entry, value] of entries) {
    if (value !== undefined && value.length > MAX_ANNOTATION_OCTETS) {
      throw new StoreError(
        "too-big",
        `An annotation may have at most ${MAX_ANNOTATION_OCTETS} octets: got ${value.length}`,
      );
    }
    const known = annotations.value(mailbox, entry);
    more += Number(value !== undefined) - Number(known !== undefined);
    octets += (value?.length ?? 0) - (known?.length ?? 0);
  }
  if (more > 0 && annotations.count(mailbox) + more > MAX_ANNOTATIONS) {
    throw new StoreError("too-many", `There may be at most ${MAX_ANNOTATIONS} annotations`);
  }
  if (more <= 0 && octets <= 0) return;
  const total = annotations.total();
  if (
    (more > 0 && total.count + more > ALL_ANNOTATIONS.count) ||
    (octets > 0 && total.octets + octets > ALL_ANNOTATIONS.octets)
  ) {
    throw new StoreError("over-quota", "The account's mailboxes have too many annotations");
  }
}

/** Gives a new mailbox what another has. */
export async function copyAnnotations(
  { annotations, writer }: AccountContext,
  from: MailboxState,
  to: MailboxState,
): Promise<void> {
  await writer.run(() => {
    to.assertThere();
    annotations.copy(from.id, to.id);
    return { result: undefined };
  });
}
