// LIST patterns on which a backtracking matcher takes exponential time.

import assert from "node:assert/strict";
import { Pace, yieldNow } from "../../src/pace.ts";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer } from "../harness.ts";
import { imapServer } from "../imap_server.ts";
import { RawConnection } from "../raw_connection.ts";

Deno.test("LIST pattern: rows of wildcards are matched in the time of one", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  const long = "a".repeat(100);
  const deep = Array(16).fill("a").join("/");
  await client.ok(`CREATE ${long}`);
  await client.ok(`CREATE ${deep}`);

  for (const pattern of ["*%".repeat(500), "%*".repeat(500), "*".repeat(1000)]) {
    const found = await client.ok(`LIST "" "${pattern}"`);
    assert.ok(found.some((line) => line.includes(long)));
    assert.ok(found.some((line) => line.endsWith(deep) || line.endsWith(`"${deep}"`)));
  }
  for (const pattern of ["*a".repeat(50), "%a".repeat(50), "*a%".repeat(40)]) {
    const found = await client.ok(`LIST "" "${pattern}"`);
    assert.ok(found.some((line) => line.includes(long)), pattern);
    assert.deepEqual(await client.ok(`LIST "" "${pattern}b"`), [], pattern);
    assert.deepEqual(await client.ok(`LSUB "" "${pattern}b"`), [], pattern);
  }
});

Deno.test("LIST: others have their turns between any two of many patterns", async () => {
  await using server = await imapServer({ known: { passwords: { ann: "secret" } } });
  const address = { host: "127.0.0.1", port: server.port };
  await using client = await ImapClient.login(address, "ann", "secret");
  await client.command("CREATE a");
  const patterns = Array.from({ length: 500 }, (_, i) => `%x${i}`).join(" ");
  const { due, turn } = Pace.prototype;
  let turns = 0;
  Pace.prototype.due = () => true;
  Pace.prototype.turn = () => {
    turns++;
    return yieldNow();
  };
  try {
    assert.deepEqual((await client.command(`LIST "" (a ${patterns})`)).untagged.length, 1);
    assert.ok(turns >= 500, `${turns}`);
  } finally {
    Object.assign(Pace.prototype, { due, turn });
  }
});
