/**
 * Other programs write into a Maildir while sessions work in it: nothing is lost, nothing doubled,
 * and flags are the same for all of them in the end.
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { startServer, type TestServer } from "../harness.ts";
import { normalFlags } from "../model/client_model.ts";
import { Random } from "../model/random.ts";
import { missingPrograms, MOVED_BY_SESSIONS, type OtherWriter, WRITERS } from "./other_writers.ts";
import { connected, lookAt } from "./session.ts";
import { messageText } from "./soak_message.ts";
import { PATIENCE_MS, type TrueMailbox } from "./true_account.ts";
import { until } from "../until.ts";

const STEPS = Number(Deno.env.get("WRITERS_STEPS") ?? 30);
const SEED = Number(Deno.env.get("SOAK_SEED") ?? Date.now() % 1_000_000);
const BOXES = ["INBOX", "Box"] as const;

/** Which messages were stored, and which were expunged by whom had the right to. */
class Sessions {
  readonly stored = new Set<number>();
  readonly expunged = new Set<number>();
  #token = 0;

  constructor(private readonly port: number, private readonly user: string) {}

  next(): number {
    return ++this.#token;
  }

  /** One session: what is appended by it, only it expunges. */
  async work(random: Random): Promise<void> {
    await using client = await connected(this.port, this.user);
    const ok = async (command: string) => {
      const answer = await client.command(command, PATIENCE_MS);
      assert.match(answer.reply, /^OK/, command);
      return answer;
    };
    const own: number[] = [];
    let box: string = "INBOX";
    await ok(`SELECT ${box}`);
    for (let step = 0; step < STEPS; step++) {
      const kind = random.below(10);
      if (kind < 3) {
        const token = this.next();
        const text = messageText(token);
        await ok(`APPEND ${random.pick(BOXES)} {${text.length}+}\r\n${text}`);
        this.stored.add(token);
        if (token % 10 < 3) own.push(token);
      } else if (kind < 5) {
        box = random.pick(BOXES);
        await ok(`SELECT ${box}`);
      } else if (kind < 9) {
        const found = (await ok(`UID SEARCH ${MOVED_BY_SESSIONS}`)).untagged.find((line) =>
          /SEARCH/.test(line)
        );
        const uids = found?.split(" ").slice(2) ?? [];
        const some = random.some(uids, 4).join(",");
        if (some === "") continue;
        // What another program renamed by then is not there under this UID any more.
        const flag = random.pick(["\\Seen", "\\Flagged", "\\Answered"]);
        const change = `${random.pick(["+", "-"])}FLAGS (${flag})`;
        await client.command(
          random.chance(0.6)
            ? `UID STORE ${some} ${change}`
            : `UID MOVE ${some} ${random.pick(BOXES)}`,
          PATIENCE_MS,
        );
      } else if (own.length > 0) await this.#expunge(random.pick(own), client, ok);
    }
  }

  async #expunge(
    token: number,
    client: Awaited<ReturnType<typeof connected>>,
    ok: (command: string) => Promise<{ readonly untagged: readonly string[] }>,
  ): Promise<void> {
    const { untagged } = await ok(`UID SEARCH HEADER Message-ID "<soak-${token}@"`);
    const [uid] = untagged.find((line) => /SEARCH/.test(line))?.split(" ").slice(2) ?? [];
    if (uid === undefined) return;
    await ok(`UID STORE ${uid} +FLAGS (\\Deleted)`);
    const { untagged: told, reply } = await client.command(`UID EXPUNGE ${uid}`, PATIENCE_MS);
    if (reply.startsWith("OK") && told.some((line) => / EXPUNGE$/.test(line))) {
      this.expunged.add(token);
    }
  }
}

/** Where each message is. */
function places(truth: readonly TrueMailbox[]): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const { name, messages } of truth) {
    for (const [uid, { token = -1, intact }] of messages) {
      found.set(token, [...found.get(token) ?? [], `${name} ${uid}${intact ? "" : " damaged"}`]);
    }
  }
  return found;
}

/** Flags of each message, as the files of a Maildir say. */
function flagsOfFiles(maildir: string): string[] {
  const LETTERS: Record<string, string> = {
    D: "\\Draft",
    F: "\\Flagged",
    R: "\\Answered",
    S: "\\Seen",
    T: "\\Deleted",
  };
  const files = [".", ".Box"].flatMap((folder) =>
    ["cur", "new"].flatMap((part) => {
      const path = `${maildir}/${folder}/${part}`;
      return [...Deno.readDirSync(path)].map(({ name }) => `${path}/${name}`);
    })
  );
  return files.map((path) => {
    const token = /^Subject: soak (\d+)/m.exec(Deno.readTextFileSync(path))?.[1];
    const letters = [.../:2,([A-Z]*)/.exec(path)?.[1] ?? ""];
    return `${token} ${normalFlags(letters.map((letter) => LETTERS[letter] ?? "").join(" "))}`;
  }).sort();
}

function flagsTold(truth: readonly TrueMailbox[]): string[] {
  return truth.flatMap(({ messages }) =>
    [...messages.values()].map(({ token, flags }) => `${token} ${flags}`)
  ).sort();
}

async function verify(
  server: TestServer,
  user: string,
  sessions: Sessions,
  delivered: ReadonlySet<number>,
  kept: ReadonlySet<number>,
) {
  // Names follow the index, and the index names, in a moment.
  let { mailboxes: truth } = await lookAt(server.port, user);
  const same = async () => {
    truth = (await lookAt(server.port, user)).mailboxes;
    return JSON.stringify(flagsTold(truth)) ===
      JSON.stringify(flagsOfFiles(server.maildir(user)));
  };
  await until(same, "the same flags in file names and for clients");
  const found = places(truth);
  const doubled = [...found].filter(([, where]) => where.length > 1);
  assert.deepEqual(doubled, [], "doubled");
  assert.deepEqual([...found].filter(([, where]) => /damaged/.test(where[0])), [], "damaged");
  const all = new Set([...sessions.stored, ...delivered]);
  const lost = [...all].filter((token) =>
    !found.has(token) && !sessions.expunged.has(token) && !kept.has(token)
  );
  assert.deepEqual(lost, [], "lost");
  const back = [...found.keys()].filter((token) => !all.has(token) || sessions.expunged.has(token));
  assert.deepEqual(back, [], "came back");
  return truth;
}

for (const writer of WRITERS) {
  const missing = missingPrograms(writer);
  const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";
  Deno.test({
    name: `imapd: loses and doubles nothing beside ${writer.name}${reason}`,
    ignore: missing.length > 0,
    fn: () => beside(writer),
  });
}

async function beside(writer: OtherWriter): Promise<void> {
  await using server = await startServer();
  const user = server.freshUser();
  const other = server.freshUser();
  for (const each of [user, other]) {
    await using client = await connected(server.port, each);
    await client.command("CREATE Box", PATIENCE_MS);
  }
  assert.ok(existsSync(`${server.maildir(user)}/.Box/cur`));
  const random = new Random(SEED);
  const sessions = new Sessions(server.port, user);
  const work = { ended: false };
  await using running = await writer.start({
    server,
    user,
    other,
    random: new Random(SEED + 1),
    next: () => sessions.next(),
    ended: () => work.ended,
  });
  try {
    await Promise.all([1, 2].map(() => sessions.work(new Random(random.below(2 ** 31)))));
  } finally {
    work.ended = true;
    await running.finish();
  }
  const { delivered, expunged } = running;
  assert.ok(delivered.size > 0, `${writer.name} delivered nothing`);
  try {
    const before = await verify(server, user, sessions, delivered, expunged);
    await running.verify?.(before);
    await server.restart();
    const after = await verify(server, user, sessions, delivered, expunged);
    assert.deepEqual(
      after.map(({ name, messages }) => [name, [...messages.keys()]]),
      before.map(({ name, messages }) => [name, [...messages.keys()]]),
    );
  } catch (error) {
    throw new Error(`SOAK_SEED=${SEED}: ${error}`, { cause: error });
  }
}
