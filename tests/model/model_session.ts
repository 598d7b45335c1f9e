/** One client of the model test: a connection, and what it knows. */

import assert from "node:assert/strict";
import { type Answer, ImapClient } from "../client.ts";
import { PASSWORD, USER } from "../net/serving.ts";
import { ClientModel, type Features, type Known, type SavedState } from "./client_model.ts";
import type { Truth } from "./truth.ts";

/** The mailbox that all of them have open. */
export const BOX = "Box";

const LONGEST_TRACE = 60;

/** A client that selected {@link BOX}. */
export class ModelSession {
  model: ClientModel;
  /** What was said lately, for who looks for a bug. */
  readonly trace: string[] = [];
  readonly saved: SavedState[] = [];
  /** It asked about all messages up to this UID. */
  #asked = 0;
  #client: ImapClient | undefined;

  constructor(
    readonly name: string,
    readonly features: Features,
    private readonly port: number,
  ) {
    this.model = new ClientModel(features);
  }

  async connect(): Promise<void> {
    this.#client = await ImapClient.login({ host: "127.0.0.1", port: this.port }, USER, PASSWORD);
    const { qresync, uidOnly, rev2 } = this.features;
    const wanted = [
      ...qresync ? ["QRESYNC"] : [],
      ...uidOnly ? ["UIDONLY"] : [],
      ...rev2 ? ["IMAP4rev2"] : [],
    ];
    if (wanted.length > 0) await this.#enable(wanted);
    if (!this.features.notify) return;
    const items = this.features.qresync ? "UID FLAGS MODSEQ" : "UID FLAGS";
    const flags = this.features.quiet ? "" : " FlagChange";
    const events = `MessageNew (${items}) MessageExpunge${flags}`;
    const { reply } = await this.send(`NOTIFY SET (selected (${events}))`);
    assert.match(reply, /^OK/);
  }

  async #enable(wanted: readonly string[]): Promise<void> {
    const { qresync, uidOnly } = this.features;
    const { untagged } = await this.send(`ENABLE ${wanted.join(" ")}`);
    const enabled = untagged[0].split(" ");
    assert.deepEqual([enabled.includes("QRESYNC"), enabled.includes("UIDONLY")], [
      qresync,
      uidOnly,
    ]);
    this.features.rev2 = enabled.includes("IMAP4rev2");
  }

  /** Messages have no number that it could be sure of. */
  get byUidAlone(): boolean {
    return this.features.uidOnly || this.features.notify;
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  get client(): ImapClient {
    assert.ok(this.#client);
    return this.#client;
  }

  /** Sends a command, and leaves the model alone. */
  async send(command: string): Promise<Answer> {
    this.note(`C: ${command}`);
    const answer = await this.client.command(command);
    for (const response of answer.untagged) this.note(`S: ${response}`);
    this.note(`S: ${answer.reply}`);
    assert.doesNotMatch(answer.reply, /SERVERBUG|^BAD/);
    return answer;
  }

  /** What comes before a continuation. */
  async untilContinuation(): Promise<readonly string[]> {
    const untagged: string[] = [];
    for (;;) {
      const response = await this.client.response();
      assert.ok(response !== undefined, "the end of the connection");
      this.note(`S: ${response}`);
      if (response.startsWith("+")) return untagged;
      untagged.push(response);
    }
  }

  note(line: string): void {
    this.trace.push(line);
    if (this.trace.length > LONGEST_TRACE) this.trace.shift();
  }

  /**
   * Sends a command and learns from the answer; then asks about new messages.
   *
   * @param effect what the command does and does not tell
   */
  async command(command: string, effect?: (answer: Answer) => void): Promise<Answer> {
    const answer = await this.send(command);
    // News of others come after it, but with NOTIFY perhaps before it.
    if (!this.features.notify) effect?.(answer);
    this.model.take(answer.untagged, answer.reply);
    if (this.features.notify) effect?.(answer);
    await this.learn();
    return answer;
  }

  /** Asks about messages that are only counted. */
  async learn(): Promise<void> {
    for (let times = 0; this.model.known.length < this.model.entries.length; times++) {
      const uids = this.model.entries.map(({ uid }) => uid ?? "?");
      assert.ok(times < 10, `new messages that cannot be asked about: ${uids.join(" ")}`);
      const first = this.model.entries.findIndex(({ uid }) => uid === undefined) + 1;
      const items = this.features.qresync ? "(UID FLAGS MODSEQ)" : "(UID FLAGS)";
      const { untagged, reply } = await this.send(
        this.byUidAlone
          ? `UID FETCH ${this.#asked + 1}:* ${items}`
          : `FETCH ${first}:${this.model.entries.length} ${items}`,
      );
      this.model.take(untagged, reply);
      // Some of them may be gone.
      if (this.model.known.length < this.model.entries.length) await this.noop();
    }
    this.#asked = Math.max(this.#asked, ...this.model.known.map(({ uid = 0 }) => uid));
  }

  async noop(): Promise<void> {
    const { untagged, reply } = await this.send("NOOP");
    this.model.take(untagged, reply);
  }

  /** Selects the mailbox and forgets what it knew. */
  async select(): Promise<void> {
    this.model.clear();
    this.#asked = 0;
    await this.command(`SELECT ${BOX}`);
  }

  /** Comes back with what it knew at some time. */
  async resume(saved: SavedState, known: "all" | "uids" | "pairs"): Promise<void> {
    const uids = saved.entries.map(({ uid }) => uid);
    const seqs = uids.map((_, i) => i + 1);
    let more = "";
    if (known !== "all" && uids.length > 0) more = ` ${uids.join(",")}`;
    if (known === "pairs" && uids.length > 0) more += ` (${seqs.join(",")} ${uids.join(",")})`;
    const parameter = `QRESYNC (${saved.uidValidity} ${saved.highestModseq}${more})`;
    const { untagged } = await this.send(`SELECT ${BOX} (${parameter})`);
    this.model = new ClientModel(this.features);
    this.#asked = saved.uidNext - 1;
    this.model.resume(saved, untagged);
    this.model.take(untagged.filter((text) => text.startsWith("* OK [")), "");
    const modseq = untagged.map((text) => /\[HIGHESTMODSEQ (\d+)\]/.exec(text)?.[1] ?? 0);
    this.model.highestModseq = Math.max(...modseq.map(Number));
    const exists = Number(untagged.map((text) => /^\* (\d+) EXISTS/.exec(text)?.[1]).find(Boolean));
    // Those that it never knew, and did not ask about.
    while (this.model.entries.length < exists) this.model.entries.push({});
    assert.equal(this.model.entries.length, exists);
    await this.learn();
  }

  save(): void {
    this.saved.push(this.model.save());
    if (this.saved.length > 20) this.saved.shift();
  }

  find(uid: number): Known | undefined {
    return this.model.entries.find((known) => known.uid === uid);
  }

  /** Hears all news, and compares what it knows. */
  async verify(truth: Truth): Promise<void> {
    await this.command("NOOP");
    if (this.features.quiet) {
      assert.deepEqual(this.model.entries.map(({ uid }) => uid), [...truth.messages.keys()]);
      return this.save();
    }
    const told = this.model.entries.map(({ uid, flags }) => [uid, flags]);
    const real = [...truth.messages].map(([uid, { flags }]) => [uid, flags]);
    assert.deepEqual(told, real, `${this.name}: what it was told, and what is there`);
    if (!this.features.qresync) return;
    assert.deepEqual(
      this.model.entries.map(({ uid, modseq }) => [uid, modseq]),
      [...truth.messages].map(([uid, { modseq }]) => [uid, modseq]),
      `${this.name}: mod-sequences`,
    );
    assert.ok(this.model.highestModseq <= truth.highestModseq);
    if (this.saved.at(-1)?.highestModseq !== this.model.highestModseq) this.save();
  }
}
