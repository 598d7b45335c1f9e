/**
 * What others do to the files of an account: deliveries to INBOX, by LMTP and into `new/`, and
 * files that get another name without other flags, as mbsync does.
 */

import { LmtpClient } from "../lmtp/client.ts";
import type { Random } from "../model/random.ts";
import type { Change, Journal } from "./journal.ts";
import type { Load } from "./load.ts";
import { messageText } from "./soak_message.ts";

/** One agent that delivers to some accounts. */
export class DeliveringSession {
  constructor(
    private readonly load: Load,
    private readonly journals: readonly Journal[],
    private readonly random: Random,
    /** The Maildir of a user. */
    private readonly maildir: (user: string) => string,
  ) {}

  /** Works until the load ends or the server is killed. */
  async run(): Promise<void> {
    let client: LmtpClient | undefined;
    try {
      client = await LmtpClient.greeted({ path: this.load.lmtp });
      while (!this.load.stopping) {
        const kind = this.random.below(10);
        if (kind < 3) this.#deliverFile();
        else if (kind < 7) this.#renameFile();
        else await this.#deliver(client);
        await new Promise((resolve) => setTimeout(resolve, this.random.below(40)));
      }
    } catch (error) {
      if (!this.load.killed) this.journals[0].faults.add("bugs", `delivery: ${error}`);
    } finally {
      await client?.close();
    }
  }

  /** To one or more accounts at once. */
  async #deliver(client: LmtpClient): Promise<void> {
    const some = this.random.some(this.journals, 3);
    const to = some.length > 0 ? some : [this.journals[0]];
    const token = this.load.nextToken();
    const changes = to.map((journal) => begun(journal, token));
    const replies = await client.deliver(
      to.map(({ user }) => `${user}@example.org`),
      messageText(token),
    );
    replies.forEach((reply, i) => {
      if (reply === "") return;
      const ok = reply.startsWith("250");
      this.load.count("LMTP", ok);
      to[i].undone(changes[i]);
      if (ok) to[i].owed.add(token);
      else to[i].faults.add("refused", `LMTP: ${reply}`);
    });
  }

  /** Of any message in a mailbox that stays. */
  #renameFile(): void {
    const { user } = this.random.pick(this.journals);
    const cur = `${this.maildir(user)}/${this.random.pick([".", ".Box", ".Other"])}/cur`;
    const names = [...Deno.readDirSync(cur)].map(({ name }) => name);
    if (names.length === 0) return;
    const name = this.random.pick(names);
    try {
      Deno.renameSync(`${cur}/${name}`, `${cur}/${renumbered(name, this.load.nextToken())}`);
      this.load.count("renames of files", true);
    } catch (error) {
      // The server itself was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** As a delivery agent without LMTP does, synced. */
  #deliverFile(): void {
    const journal = this.random.pick(this.journals);
    const token = this.load.nextToken();
    const name = `${1_700_000_000 + token}.M${token}P1.soak`;
    const dir = this.maildir(journal.user);
    const file = Deno.openSync(`${dir}/tmp/${name}`, { write: true, createNew: true });
    const bytes = new TextEncoder().encode(messageText(token).replaceAll("\r\n", "\n"));
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncSync();
    file.close();
    Deno.renameSync(`${dir}/tmp/${name}`, `${dir}/new/${name}`);
    this.load.count("delivery into new/", true);
    journal.owed.add(token);
  }
}

/** The name with mbsync's number, or without it. */
function renumbered(name: string, number: number): string {
  if (/,U=\d+/.test(name)) return name.replace(/,U=\d+/, "");
  const [base, ...info] = name.split(":");
  return [`${base},U=${number}`, ...info].join(":");
}

function begun(journal: Journal, token: number): Change {
  const inbox = journal.named("INBOX");
  const comes = inbox === undefined ? [] : [{ box: inbox, token, flags: "", delivered: true }];
  return journal.begin({ what: `LMTP of ${token}`, comes });
}
