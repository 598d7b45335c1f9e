// Line ends in arguments, meant to come back as a response of their own or as a line in the log.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const EVIL = "* OK [ALERT] evil";

/** A literal that holds a response of the attacker's making. */
function literal(start = "x"): string {
  const text = `${start}\r\n${EVIL}\r\nevil`;
  return `{${text.length}+}\r\n${text}`;
}

Deno.test("CRLF injection: arguments never come back as responses", async () => {
  await using server = await startServer();
  const commands = [
    `CREATE ${literal()}`,
    `SELECT ${literal()}`,
    `STATUS ${literal()} (MESSAGES)`,
    `SUBSCRIBE ${literal()}`,
    `RENAME INBOX ${literal()}`,
    `LIST "" ${literal("*")}`,
    `LIST ${literal()} "*"`,
    `ID ("name" ${literal()})`,
    `STORE 1 +FLAGS (${literal()})`,
    `STORE 1 +FLAGS ("x\r\n${EVIL}")`,
    `COPY 1 ${literal()}`,
    `APPEND ${literal()} {1+}\r\nx`,
    `SEARCH TEXT ${literal()}`,
    `SEARCH CHARSET ${literal()} TEXT x`,
    `SEARCH KEYWORD ${literal()}`,
    `FETCH 1 BODY.PEEK[HEADER.FIELDS (${literal()})]`,
    `FETCH 1 ${literal()}`,
    `ENABLE ${literal()}`,
    literal(),
  ];
  for (const command of commands) {
    const user = server.freshUser();
    await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
    await client.append("INBOX", "Subject: x\r\n\r\nx\r\n");
    await client.ok("SELECT INBOX");
    await client.send(`a ${command}\r\nz LOGOUT\r\n`);
    const responses = await client.until("z");
    assert.ok(!responses.some((line) => line.startsWith(EVIL)), JSON.stringify(command));

    await using after = await RawConnection.login(server.tlsPort, user, PASSWORD);
    const state = [
      ...await after.ok('LIST "" "*"'),
      ...await after.ok('LSUB "" "*"'),
      ...await after.ok("SELECT INBOX"),
      ...await after.ok("FETCH 1:* (FLAGS)"),
    ];
    assert.ok(!state.some((line) => /^\* OK \[ALERT\]|\r\n\*/.test(line)), JSON.stringify(command));
  }
});

Deno.test("CRLF injection: names never make a line of their own in the log", async () => {
  await using server = await startServer();
  const forged = "u1\r\nlistening on tcp://evil\u001b[31m";
  for (
    const login of [
      `LOGIN {${forged.length}+}\r\n${forged} secret`,
      `AUTHENTICATE PLAIN ${Buffer.from(`\0${forged}\0secret`).toString("base64")}`,
      `ID ("name" {${forged.length}+}\r\n${forged})`,
      `XYZZY {${forged.length}+}\r\n${forged}`,
    ]
  ) {
    await using client = await RawConnection.tls(server.tlsPort);
    await client.line();
    await client.send(`a ${login}\r\nz LOGOUT\r\n`);
    await client.rest();
  }
  await server.stop();
  assert.doesNotMatch(server.log(), /^listening on tcp:\/\/evil/m);
  assert.ok(!server.log().includes("\u001b"));
});
