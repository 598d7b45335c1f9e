// Who is connected, and who is sent away, as the running program tells it.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { SessionInfo } from "../../src/net/session_info.ts";
import { imapd } from "../cli/program.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { until } from "../until.ts";

async function sessions(server: TestServer): Promise<SessionInfo[]> {
  const { out } = await imapd(["sessions", "--json", "--config", `${server.dir}/config.toml`]);
  return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

Deno.test("imapd sessions: tells who is connected, with true counts", async () => {
  await using server = await startServer();
  await using first = await RawConnection.plain(server.port);
  const greeting = await first.line() ?? "";
  let sent = 0;
  let received = greeting.length + 2;
  for (
    const command of [
      'ID ("name" "Thunderbird" "version" "128.0")',
      `LOGIN u1 ${PASSWORD}`,
      "SELECT INBOX",
    ]
  ) {
    const lines = await first.command(command);
    sent += command.length + " \r\n".length + (lines.at(-1) ?? "").indexOf(" ");
    received += lines.reduce((sum, line) => sum + line.length + 2, 0);
  }
  await using second = await RawConnection.tls(server.tlsPort);
  await second.line();
  const [one, two, ...others] = await sessions(server);
  deepStrictEqual(others, []);
  ok(Math.abs(Date.now() - one.since) < 60_000);
  deepStrictEqual({ ...one, since: 0 }, {
    id: "1",
    remote: "127.0.0.1",
    secure: false,
    client: "Thunderbird 128.0",
    state: "selected",
    user: "u1",
    mailbox: "INBOX",
    since: 0,
    octetsIn: sent,
    octetsOut: received,
    commands: 3,
  });
  deepStrictEqual([two.state, two.secure, two.commands], ["not-authenticated", true, 0]);
  await first.command("LOGOUT");
  await until(async () => (await sessions(server)).length === 1, "one session less");
  const end =
    /^disconnected conn=1 (?:client_\S+ )*user=u1 remote=127\.0\.0\.1 reason="The client logged out" in=(\d+) out=(\d+) commands=4 seconds=[\d.]+$/m;
  await until(() => end.test(server.log()), String(end));
  const [, octetsIn, octetsOut] = end.exec(server.log()) ?? [];
  ok(Number(octetsIn) > sent && Number(octetsOut) > received);
});

Deno.test("imapd kick: ends those that match, also in IDLE, and tells them why", async () => {
  await using server = await startServer();
  const connect = async (user: string) => {
    const client = await RawConnection.plain(server.port);
    await client.line();
    await client.command(`LOGIN ${user} ${PASSWORD}`);
    await client.send("i IDLE\r\n");
    match(await client.line() ?? "", /^\+ /);
    return client;
  };
  await using kicked = await connect("u1");
  await using stays = await connect("u2");
  const { code, out } = await imapd(
    ["kick", "--user", "u1", "--config", `${server.dir}/config.toml`],
  );
  deepStrictEqual([code, out], [0, "Ended 1 connection\n"]);
  match(await kicked.rest(), /^\* BYE Logged out by the administrator\r\n$/);
  const left = await sessions(server);
  deepStrictEqual(left.map(({ user }) => user), ["u2"]);
  await stays.send("DONE\r\n");
  strictEqual(await stays.line(), "i OK IDLE completed");
  const end = /^disconnected conn=1 user=u1 .*reason="Logged out by the administrator"/m;
  await until(() => end.test(server.log()), String(end));
});
