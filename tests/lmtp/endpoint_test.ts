import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { ConfigError, parseConfig } from "../../src/config/load.ts";
import { lmtpFaults } from "../../src/app/delivery.ts";
import { until } from "../until.ts";
import { LmtpClient } from "./client.ts";
import { type LmtpTestServer, messagesOf, startLmtpServer } from "./serving.ts";

/** A config with these lines in `[[lmtp]]`. */
function config(lines: string): string {
  return `tls = "off"
[[imap]]
listen = ["unix://imap.sock"]
auth = ["pass_table", "identity"]
storage = "maildir"
[[lmtp]]
${lines}
`;
}

function faults(lines: string): readonly string[] {
  try {
    parseConfig(config(lines), "c");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

Deno.test("lmtp.listen: unix sockets, and loopback addresses whose port is not 25", () => {
  const good =
    'listen = ["unix://a", { address = "unix://b", mode = "0660" }, "tcp://127.1.2.3:24", "tcp://[::1]:24", "tcp://localhost:0"]';
  deepStrictEqual(faults(good), []);
  const wanted =
    'lmtp.listen[0] must be "unix://PATH", or "tcp://HOST:PORT" with a loopback address ' +
    "and a port other than 25: got";
  for (
    const address of [
      '"tcp://0.0.0.0:24"',
      '"tcp://192.0.2.1:24"',
      '"tcp://[::]:24"',
      '"tcp://127.0.0.1:25"',
      '"tls://127.0.0.1:24"',
      '"fd://lmtp"',
    ]
  ) {
    deepStrictEqual(faults(`listen = [${address}]`), [`c:7:11: ${wanted} ${address}`]);
  }
  deepStrictEqual(faults('listen = ["unix://imap.sock"]'), [
    'c:7:11: lmtp.listen has an address twice: got "unix://imap.sock"',
  ]);
  deepStrictEqual(
    faults('listen = ["unix://a"]\nstorage = { module = "maildir", appendlimit = "1 MiB" }'),
    [
      "c:8:11: lmtp.storage must have the same settings as the other storage of its path: got others " +
      "for /var/lib/imapd/mail/{account}",
    ],
  );
});

function named(host: string) {
  return parseConfig(config(`listen = ["tcp://${host}:24"]`), "c");
}

Deno.test("lmtp.listen: a name may be one of loopback addresses, or of none yet", async () => {
  deepStrictEqual(await lmtpFaults(named("localhost"), "c"), []);
  deepStrictEqual(await lmtpFaults(named("does-not-exist.invalid"), "c"), []);
});

Deno.test("lmtp.listen: a name that others can reach is a fault", async () => {
  const resolve = () => Promise.resolve(["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.7"]);
  deepStrictEqual(await lmtpFaults(named("mx.example.org"), "c", resolve), [
    "c:7:11: lmtp.listen[0] must be a name of loopback addresses only: got mx.example.org, which " +
    "is 192.0.2.7",
  ]);
});

async function reload(server: LmtpTestServer, change: (config: string) => string): Promise<void> {
  const file = `${server.dir}/config.toml`;
  const count = () => server.log().split("config loaded anew").length;
  const before = count();
  await Deno.writeTextFile(file, change(await Deno.readTextFile(file)));
  Deno.kill(server.pid, "SIGHUP");
  await until(() => count() > before, "the reload");
}

Deno.test("reload: sends idle clients away, lets a message end, and goes by the new settings", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  await using idle = await LmtpClient.greeted(server.lmtp);
  await using busy = await LmtpClient.greeted(server.lmtp);
  await busy.says("MAIL FROM:<>", /^250/);
  await busy.says(`RCPT TO:<${user}@x.org>`, /^250/);
  await busy.says("DATA", /^354/);
  await reload(
    server,
    (text) => text.replace("[[lmtp]]", '[[lmtp]]\nlimits = { message = "1 KiB" }'),
  );
  match(await idle.rest(), /^421 4\.3\.2 The server closes the connection, try again\r\n$/);
  await busy.send(`Subject: x\r\n\r\n${"x".repeat(2000)}\r\n.\r\n`);
  match(await busy.rest(), /^250 2\.0\.0 Saved as \S+\r\n421 4\.3\.2 /);
  strictEqual((await messagesOf(server, user)).length, 1);
  await using client = await LmtpClient.connect(server.lmtp);
  match(await client.says("LHLO x", /^250/), /^250-SIZE 1024$/m);
});

Deno.test("reload: an endpoint comes and goes", async () => {
  await using server = await startLmtpServer();
  const other = `${server.dir}/other.sock`;
  await reload(
    server,
    (text) =>
      text.replace(
        "[[lmtp]]",
        `[[lmtp]]\nlisten = [{ address = "unix://${other}", mode = "0600" }]\n[[lmtp]]`,
      ),
  );
  strictEqual(((await Deno.stat(other)).mode ?? 0) & 0o777, 0o600);
  (await LmtpClient.greeted({ path: other })).close();
  await reload(
    server,
    (text) => text.replace(/\[\[lmtp\]\]\nlisten = .*other.*\n(?=\[\[lmtp)/, ""),
  );
  await rejects(Deno.stat(other), Deno.errors.NotFound);
  (await LmtpClient.greeted(server.lmtp)).close();
});

Deno.test("stop: a message that is coming is stored and told as stored; others are sent away", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  await using idle = await LmtpClient.greeted(server.lmtp);
  await using busy = await LmtpClient.greeted(server.lmtp);
  await busy.says("MAIL FROM:<>", /^250/);
  await busy.says(`RCPT TO:<${user}@x.org>`, /^250/);
  await busy.says("DATA", /^354/);
  const stopped = server.stop();
  match(await idle.rest(), /^421 /);
  await busy.send("Subject: x\r\n\r\nx\r\n.\r\n");
  match(await busy.rest(), /^250 2\.0\.0 Saved as \S+\r\n421 4\.3\.2 /);
  strictEqual(await stopped, 0);
  await server.restart();
  strictEqual((await messagesOf(server, user)).length, 1);
});

Deno.test("io_debug: shows what is said, and no message", async () => {
  await using server = await startLmtpServer({ lmtp: "io_debug = true" });
  const user = await server.accountUser();
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.deliver([`${user}@x.org`], "Subject: hidden\n\nhidden\n");
  ok(server.log().includes('C: conn=2 text="MAIL FROM:<sender@example.net>"'), server.log());
  ok(server.log().includes('S: conn=2 text="250 2.1.0 OK"'));
  ok(!server.log().includes("hidden"));
});
