// Sets of numbers that are short to write and would be long to expand.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const SETS = [
  Array(1000).fill("1:4294967295").join(","),
  Array(1000).fill("4294967295:1").join(","),
  Array(10_000).fill("1:*").join(","),
  Array(10_000).fill("*:1").join(","),
  `${Array(3000).fill("2:4294967294").join(",")},1,*`,
];

Deno.test("sequence set bomb: UID commands touch each message that exists once", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  for (let i = 0; i < 3; i++) await client.append("INBOX", `Subject: ${i}\r\n\r\nx\r\n`);
  await client.ok("CREATE Copies");
  await client.ok("SELECT INBOX");
  for (const set of SETS) {
    const fetched = await client.ok(`UID FETCH ${set} (FLAGS)`);
    assert.deepEqual(
      fetched.map((line) => line.match(/^\* (\d+) FETCH \(.*UID (\d+)/)?.slice(1, 3)),
      [["1", "1"], ["2", "2"], ["3", "3"]],
    );
    assert.deepEqual(await client.ok(`SEARCH UID ${set}`), ["* SEARCH 1 2 3"]);
    const stored = await client.ok(`UID STORE ${set} +FLAGS (\\Seen)`);
    assert.ok(stored.filter((line) => line.includes("FETCH")).length <= 3);
    await client.ok(`UID COPY ${set} Copies`);
  }
  const [status] = await client.ok("STATUS Copies (MESSAGES)");
  assert.match(status, new RegExp(`MESSAGES ${3 * SETS.length}\\)`));
});

Deno.test("sequence set bomb: sequence numbers are refused or clipped, never expanded", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  for (let i = 0; i < 3; i++) await client.append("INBOX", `Subject: ${i}\r\n\r\nx\r\n`);
  await client.ok("SELECT INBOX");
  for (const set of SETS) {
    for (const command of [`FETCH ${set} (UID)`, `STORE ${set} +FLAGS.SILENT (\\Seen)`]) {
      const lines = await client.command(command);
      assert.match(lines.pop() ?? "", /^t\d+ (OK|BAD|NO) /);
      assert.ok(lines.length <= 3, `${lines.length} responses`);
    }
  }
  await client.ok("NOOP");
});
