// LIST patterns on which a backtracking matcher takes exponential time.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
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
