/** What is in the mailbox, as a client sees it that asks for all of it anew each time. */

import assert from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, USER } from "../net/serving.ts";
import { normalFlags } from "./client_model.ts";

/** The mailbox at some time. */
export interface Truth {
  readonly uidNext: number;
  readonly highestModseq: number;
  readonly messages: ReadonlyMap<number, TrueMessage>;
}

/** One message as it is. */
export interface TrueMessage {
  readonly flags: string;
  readonly modseq: number;
  readonly size: number;
}

const MESSAGE = /FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ \((\d+)\) RFC822.SIZE (\d+)\)$/;

/** How often something may happen between two commands that are sent at once. */
const MOST_LOOKS = 100;

/** Looks at a mailbox without changing it. */
export class Observer {
  private constructor(private readonly client: ImapClient, private readonly box: string) {}

  static async connect(port: number, box: string): Promise<Observer> {
    const client = await ImapClient.login({ host: "127.0.0.1", port }, USER, PASSWORD);
    return new Observer(client, box);
  }

  async look(times = MOST_LOOKS): Promise<Truth> {
    assert.ok(times > 0, "the mailbox does not come to rest");
    const { client, box } = this;
    client.send(`e EXAMINE ${box} (CONDSTORE)\r\nf UID FETCH 1:* (FLAGS MODSEQ RFC822.SIZE)\r\n`);
    const selected = await client.answer("e");
    const fetched = await client.answer("f");
    assert.match(fetched.reply, /^OK/);
    // Something happened between the two commands.
    if (!fetched.untagged.every((text) => MESSAGE.test(text))) return await this.look(times - 1);
    const code = (name: string) => {
      const found = selected.untagged.map((text) => text.match(`\\[${name} (\\d+)\\]`)?.[1]);
      return Number(found.find(Boolean));
    };
    const messages = fetched.untagged.map((text) => {
      const [, uid, flags, modseq, size] = MESSAGE.exec(text) ?? [];
      const message = { flags: normalFlags(flags), modseq: Number(modseq), size: Number(size) };
      return [Number(uid), message] as const;
    });
    const truth = {
      uidNext: code("UIDNEXT"),
      highestModseq: code("HIGHESTMODSEQ"),
      messages: new Map(messages),
    };
    assert.ok(messages.every(([, { modseq }]) => modseq <= truth.highestModseq));
    return truth;
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
