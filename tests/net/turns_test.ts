import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir, writeFile } from "node:fs/promises";
import { endOfTurn } from "../../src/pace.ts";
import { ImapClient, type ServerAddress } from "../client.ts";
import { imapServer, type RunningServer } from "../imap_server.ts";

/** Connections of ann; that of bob comes after all of them. */
const ANNS = 6;
const USERS = [...Array<string>(ANNS).fill("ann"), "bob"];
const PASSWORD = "secret";

/** Each of them is a step of a search, and its end is another one. */
const MESSAGES = 5;

/** Milliseconds, longer than a turn may last. */
const LONG = 10;

/** A line of the log that tells of a step of a connection's work. */
const STEP = /^(?:debug: command|warning: message not searched) conn=(\d+) /;

/** Lines of a log: a step takes as long as if there had been much to do. */
class Lines extends Array<string> {
  override push(line: string): number {
    if (STEP.test(line)) hold();
    return super.push(line);
  }
}

function hold(): void {
  const end = performance.now() + LONG;
  while (performance.now() < end);
}

interface Crowd extends AsyncDisposable {
  readonly server: RunningServer;
  /** Whose steps follow one another when `commands` come from all clients at once. */
  steps(commands: readonly string[]): Promise<string[]>;
}

/** @param open opens the connection of one of {@link USERS}, to where it waits for a command */
async function crowd(
  open: (address: ServerAddress, i: number) => Promise<ImapClient>,
  proxied = false,
): Promise<Crowd> {
  const lines = new Lines();
  const known = { passwords: { ann: PASSWORD, bob: PASSWORD } };
  const server = await imapServer({ known, lines, debugging: true, proxied });
  const clients: ImapClient[] = [];
  for (const i of USERS.keys()) {
    clients.push(await open({ host: "127.0.0.1", port: server.port }, i));
  }
  return {
    server,
    async steps(commands) {
      lines.length = 0;
      const text = commands.map((command, i) => `${i} ${command}\r\n`).join("");
      // No look at sockets is just ending: a turn stays due until the next one.
      await endOfTurn();
      hold();
      // What comes over the network may be read in several turns of the event loop.
      for (const socket of server.sockets) socket.emit("data", Buffer.from(text));
      for (const client of clients) await client.answer(String(commands.length - 1));
      return [...lines].flatMap((line) => USERS[Number(STEP.exec(line)?.[1]) - 1] ?? []);
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const inTurns = (times: number) => [
  // Who is the first does not wait.
  "ann",
  ...Array<string[]>(times).fill(["ann", "bob"]).flat(),
  ...Array<string>((ANNS - 1) * times - 1).fill("ann"),
];

for (const times of [1, 3]) {
  Deno.test(`Connection: users take turns with commands that come at once, ${times} of each client`, async () => {
    await using all = await crowd((address, i) => ImapClient.login(address, USERS[i], PASSWORD));
    assert.deepEqual(await all.steps(Array(times).fill("NOOP")), inTurns(times));
  });
}

Deno.test("Connection: networks take turns before login", async () => {
  await using all = await crowd(async (address, i) => {
    const from = USERS[i] === "ann" ? `2001:db8::${i}` : "2001:db8:0:1::1";
    const header = `PROXY TCP6 ${from} 2001:db8::ff 1234 143\r\n`;
    const client = await ImapClient.behindProxy(address, new TextEncoder().encode(header));
    await client.response();
    return client;
  }, true);
  assert.deepEqual(await all.steps(["NOOP"]), inTurns(1));
});

/** Has messages be such that a search tells of each that it cannot be read. */
async function spoil(maildir: string): Promise<void> {
  const names = await readdir(`${maildir}/cur`);
  assert.equal(names.length, MESSAGES);
  for (const name of names) await writeFile(`${maildir}/cur/${name}`, "");
}

Deno.test("CommandPace: users take turns with slices of their commands", async () => {
  await using all = await crowd(async (address, i) => {
    const client = await ImapClient.login(address, USERS[i], PASSWORD);
    const isFirst = USERS.indexOf(USERS[i]) === i;
    for (let n = 0; isFirst && n < MESSAGES; n++) await client.append("INBOX", "A: b\r\n\r\nc\r\n");
    await client.command("SELECT INBOX");
    return client;
  });
  for (const user of new Set(USERS)) await spoil(`${all.server.dir}/${user}`);
  const steps = await all.steps(["SEARCH HEADER X-Other c"]);
  const ofBob = steps.slice(steps.indexOf("bob"), steps.lastIndexOf("bob"));
  const between = ofBob.filter((user) => user === "ann").length;
  // A search may have other slices before its first step, so that the order is not always the same:
  // of each client that step may come between, too. Without turns all the others' do.
  assert.ok(between <= MESSAGES + ANNS, steps.join(" "));
});
