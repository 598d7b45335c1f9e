// Sets of numbers that are short to write and would be long to expand.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { assertBounded, residentMemory } from "./memory.ts";

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

/** 100,000 elements do not fit in a line of the default's length. */
const LONG_LINES = 'limits = { line = "2 MiB" }';

Deno.test("sequence set bomb: 100,000 elements cost no more than the messages that exist", async () => {
  await using server = await startServer({ imap: LONG_LINES });
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  for (let i = 0; i < 3; i++) await client.append("INBOX", `Subject: ${i}\r\n\r\nx\r\n`);
  await client.ok("CREATE Copies");
  await client.ok("ENABLE QRESYNC");
  const [state] = (await client.ok("SELECT INBOX")).filter((line) => /UIDVALIDITY/.test(line));
  const validity = state.match(/UIDVALIDITY (\d+)/)?.[1];
  const elements = Array.from({ length: 100_000 }, (_, i) => i);
  const sets = {
    descending: elements.map((i) => 2 * i + 1).reverse().join(","),
    ranges: elements.map((i) => i % 2 ? `${i}:4294967295` : `4294967295:${i + 1}`).join(","),
    same: elements.map(() => "1").join(","),
  };
  const before = await residentMemory(server.pid);
  for (const [what, set] of Object.entries(sets)) {
    const fetched = await client.ok(`UID FETCH ${set} (FLAGS)`);
    assert.ok(fetched.length >= 1 && fetched.length <= 3, `${what}: ${fetched.length}`);
    await client.ok(`UID STORE ${set} +FLAGS.SILENT (\\Seen)`);
    await client.ok(`SEARCH UID ${set}`);
    await client.ok(`UID COPY ${set} Copies`);
    await client.ok(`UID EXPUNGE ${set}`);
    await client.ok(`UID FETCH ${set} (FLAGS) (CHANGEDSINCE 1 VANISHED)`);
    // Numbers of messages that do not exist are a fault, but no work.
    for (const command of ["FETCH SET (UID)", "SEARCH SET", "COPY SET Copies"]) {
      assert.match(
        (await client.command(command.replace("SET", set))).pop() ?? "",
        /^t\d+ (OK|BAD) /,
      );
    }
    await client.ok("UNSELECT");
    await client.ok(`SELECT INBOX (QRESYNC (${validity} 1 ${set}))`);
    await client.command("UNSELECT");
    const match = `(${set} ${set})`;
    const reply = await client.command(`SELECT INBOX (QRESYNC (${validity} 1 ${set} ${match}))`);
    assert.match(reply.pop() ?? "", /^t\d+ (OK|BAD) /, what);
    await client.ok("SELECT INBOX");
  }
  await assertBounded(server.pid, before);
});

Deno.test("sequence set bomb: COPY 1:4294967295 takes no memory (James #2266)", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.append("INBOX", "Subject: x\r\n\r\nx\r\n");
  await client.ok("CREATE Copies");
  await client.ok("SELECT INBOX");
  const before = await residentMemory(server.pid);
  assert.match((await client.command("COPY 1:4294967295 Copies")).pop() ?? "", /^t\d+ BAD /);
  await client.ok("UID COPY 1:4294967295 Copies");
  await client.ok("UID MOVE 4294967295:1 Copies");
  await assertBounded(server.pid, before);
  const [status] = await client.ok("STATUS Copies (MESSAGES)");
  assert.match(status, /MESSAGES 2\)/);
});

Deno.test("sequence set bomb: UID FETCH 1:59029 on a small mailbox takes no memory (gromox #214)", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.append("INBOX", "Subject: x\r\n\r\nx\r\n");
  await client.ok("SELECT INBOX");
  const before = await residentMemory(server.pid);
  for (let round = 0; round < 20; round++) {
    assert.equal((await client.ok("UID FETCH 1:59029 (UID FLAGS BODYSTRUCTURE)")).length, 1);
  }
  assert.equal((await client.ok("UID FETCH 2:59029 (FLAGS)")).length, 0);
  await assertBounded(server.pid, before);
});
