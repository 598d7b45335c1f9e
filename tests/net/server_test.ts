import assert from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { imapServer } from "../imap_server.ts";
import { until } from "../until.ts";

const HEADER = "PROXY TCP4 192.0.2.7 198.51.100.1 1234 143\r\n";

Deno.test("ImapServer: who makes room at the moment when its PROXY header came is not served", async () => {
  const lines: string[] = [];
  const accepts: (() => void)[] = [];
  await using server = await imapServer({
    ...{ lines, debugging: true, proxied: true, connections: 1 },
    arrived: (accept) => accepts.push(accept),
  });
  const address = { host: "127.0.0.1", port: server.port };
  await using first = await ImapClient.connect(address);
  await until(() => accepts.length === 1, "the first connection");
  accepts[0]();
  await using second = await ImapClient.connect(address);
  await until(() => accepts.length === 2, "the second connection");
  // After the server has read the header, and before it goes on with it.
  server.sockets[0].once("data", accepts[1]);
  first.send(HEADER);
  assert.equal(await first.response(), "* BYE [UNAVAILABLE] Too many connections, try later");
  assert.equal(await first.response(), undefined);
  second.send(HEADER);
  assert.match(await second.response() ?? "", /^\* OK /);
  const served = lines.flatMap((line) => /^debug: connected conn=(\d)/.exec(line)?.[1] ?? []);
  assert.deepEqual(served, ["2"]);
});
