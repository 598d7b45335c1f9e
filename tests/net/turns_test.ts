import assert from "node:assert/strict";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { memoryLog } from "../../src/log.ts";
import { ImapClient } from "../client.ts";
import { PASSWORD, USER, writeConfig } from "./serving.ts";

const MANY = 20;
const ROUNDS = 10;
const OTHER = "u2";

/** Lines of a log: that of a NOOP takes its command as long as one that has much to do. */
class Lines extends Array<string> {
  override push(line: string): number {
    const end = performance.now() + 10;
    if (isNoop(line)) { while (performance.now() < end); }
    return super.push(line);
  }
}

const isNoop = (line: string) => / command=NOOP /.test(line);

Deno.test("Connection: a user with many connections that are busy does not keep others waiting for all of them", async () => {
  const dir = await writeConfig(['listen = ["tcp://127.0.0.1:0"]\ninsecure_auth = true']);
  const users = await Deno.readTextFile(`${dir}/users`);
  await Deno.writeTextFile(`${dir}/users`, users + users.replace(USER, OTHER));
  const lines = new Lines();
  const app = await startApp(await loadConfig(`${dir}/c.toml`), memoryLog(lines));
  const [listening] = app.listening;
  const address = { host: "127.0.0.1", port: listening.kind === "inet" ? listening.port : 0 };
  const clients: ImapClient[] = [];
  try {
    for (let i = 0; i < MANY; i++) clients.push(await ImapClient.login(address, USER, PASSWORD));
    // The last to ask, and behind all others if all waited for one another.
    clients.push(await ImapClient.login(address, OTHER, PASSWORD));
    const [, id] = lines.join("\n").match(/logged in (conn=\S+) user=u2/) ?? [];
    let early = 0;
    for (let round = 0; round < ROUNDS; round++) {
      lines.length = 0;
      await Promise.all(clients.map((client) => client.command("NOOP")));
      const place = lines.filter(isNoop).findIndex((line) => line.includes(` ${id} `));
      if (place < MANY / 2) early++;
    }
    // Those that come just after a look at the sockets may all begin at once.
    assert.ok(early > ROUNDS / 2, `${early} times of ${ROUNDS}`);
  } finally {
    for (const client of clients) await client.close();
    await app.close(5000);
    await Deno.remove(dir, { recursive: true });
  }
});
