// Who sends commands that are logged, again and again, fills the disk that the log is on: also
// somebody who has not logged in.

import assert from "node:assert/strict";
import { startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const TIMES = 300;
/** Octets of the log that a whole connection is worth. */
const FEW = 2000;

const FLOODS: Record<string, string> = {
  ID: `a ID ("name" "${"n".repeat(4000)}" "version" "${"v".repeat(3000)}")\r\n`,
  "commands that there are not": "a FROBNICATE\r\n",
  "commands without their arguments": "a LOGIN\r\n",
  "mechanisms that there are not": "a AUTHENTICATE FROBNICATE\r\n",
  "commands that want a login": "a SELECT INBOX\r\n",
};

for (const [what, line] of Object.entries(FLOODS)) {
  Deno.test(`log flood: ${TIMES} times ${what} before login leave a few lines`, async () => {
    await using server = await startServer();
    const before = server.log().length;
    await using client = await RawConnection.tls(server.tlsPort);
    await client.line();
    for (let i = 0; i < TIMES && !client.ended; i++) {
      await client.send(line);
      await client.line().catch(() => {});
    }
    await server.stop();
    const octets = server.log().length - before;
    assert.ok(octets < FEW, `${octets} octets of log`);
  });
}
