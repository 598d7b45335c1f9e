/** A client that has itself told of all mailboxes by NOTIFY. @see RFC 5465 */

import { ClientModel, type Known } from "../model/client_model.ts";
import type { Random } from "../model/random.ts";
import type { Journal } from "./journal.ts";
import type { Load } from "./load.ts";
import { seenOf, Session } from "./session.ts";
import { ToldStatuses } from "./told_statuses.ts";
import { keepState, type States } from "./watching_session.ts";

const ITEMS = "UID FLAGS MODSEQ BODY.PEEK[HEADER.FIELDS (SUBJECT)]";
const MESSAGES = "MessageExpunge FlagChange";
const GROUPS = `(SELECTED (MessageNew (${ITEMS}) ${MESSAGES})) ` +
  `(PERSONAL (MessageNew ${MESSAGES} MailboxName SubscriptionChange))`;

/** Commands by which a message that is only counted has to be told of by its UID. */
const MOST_COUNTED = 10;

/** Has one mailbox selected, and hears of the others. */
export class NotifiedSession extends Session {
  readonly #model = new ClientModel({
    qresync: true,
    uidOnly: false,
    rev2: false,
    notify: true,
    quiet: false,
  });
  readonly #statuses: ToldStatuses;
  /** For how many commands a message was only counted. */
  readonly #counted = new WeakMap<Known, number>();

  constructor(
    name: string,
    load: Load,
    journal: Journal,
    random: Random,
    private readonly mailbox: string,
    private readonly states: States,
  ) {
    super(name, load, journal, random);
    this.#statuses = new ToldStatuses(name, journal);
  }

  protected override async connect(): Promise<void> {
    await super.connect();
    await this.ask("ENABLE QRESYNC");
    this.#model.clear();
    await this.#take(`SELECT ${this.mailbox}`);
    await this.#take(`NOTIFY SET STATUS ${GROUPS}`);
    // What comes later it is told of by itself.
    await this.#take(`UID FETCH 1:* (${ITEMS})`);
  }

  protected override async step(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.random.below(50)));
    await this.finish();
  }

  protected override async finish(): Promise<void> {
    await this.#take("NOOP");
  }

  /** Sends a command, and learns from what came since the last one. */
  async #take(command: string): Promise<void> {
    const { untagged, reply } = await this.ask(command);
    if (!reply.startsWith("OK")) throw new Error(`Expected OK to ${command}: got ${reply}`);
    const isStatus = (response: string) => response.startsWith("* STATUS ");
    for (const response of untagged.filter(isStatus)) this.#statuses.hear(response);
    const model = this.#model;
    model.take(untagged.filter((response) => !isStatus(response)), reply);
    const box = this.journal.box(model.uidValidity, this.mailbox);
    if (box !== undefined) {
      for (const { uid, token } of untagged.flatMap(seenOf)) this.journal.sees(box, uid, token);
      box.highestModseq = Math.max(box.highestModseq, model.highestModseq);
    }
    if (model.known.length === model.entries.length) {
      return keepState(this.states, this.mailbox, model.save(), this.random);
    }
    for (const entry of model.entries.filter(({ uid }) => uid === undefined)) {
      const counted = (this.#counted.get(entry) ?? 0) + 1;
      if (counted > MOST_COUNTED) throw new Error(`Expected FETCH of what ${command} counts`);
      this.#counted.set(entry, counted);
    }
  }
}
