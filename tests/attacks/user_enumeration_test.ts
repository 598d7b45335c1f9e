// Answers that differ tell an attacker which users exist.

import assert from "node:assert/strict";
import { hashPassword } from "../../src/auth/hashing.ts";
import { formatPasswordHash } from "../../src/auth/password_hash.ts";
import { startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

Deno.test("login: an unknown user and a wrong password get the same answer", async () => {
  await using server = await startServer();
  const known = server.freshUser();
  const names = [known, "nobody", `${known}x`, known.toUpperCase(), "root", "u".repeat(200)];
  const forms = [
    (name: string) => `LOGIN "${name}" "wrong"`,
    (name: string) => `LOGIN "${name}" ""`,
    (name: string) => `AUTHENTICATE PLAIN ${btoa(`\0${name}\0wrong`)}`,
  ];
  for (const form of forms) {
    const answers = new Set<string>();
    for (const name of names) {
      await using client = await RawConnection.tls(server.tlsPort);
      await client.line();
      answers.add((await client.command(form(name))).join("\n"));
    }
    assert.equal(answers.size, 1, [...answers].join("\n"));
    assert.match([...answers][0], /^t1 NO \[AUTHENTICATIONFAILED\] [^\n]*$/);
  }
});

/** Seconds of the processor that a process has used, all its threads together. Linux only. */
async function processorSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

const ATTEMPTS = 2;

Deno.test("login: an unknown user costs the server as much work as a wrong password", async () => {
  const hash = formatPasswordHash(await hashPassword("bcrypt", "secret"));
  await using server = await startServer({
    authReference: `{ module = "pass_table", table = { module = "static", entries = { ` +
      `ann = "${hash}", "locked" = "!${hash}", plain = "{PLAIN}secret" } }, allow_plain = true }`,
  });
  const work = async (name: string): Promise<number> => {
    const before = await processorSeconds(server.pid);
    for (let i = 0; i < ATTEMPTS; i++) {
      await using client = await RawConnection.plain(server.port);
      await client.line();
      assert.match((await client.command(`LOGIN ${name} wrong${i}`)).pop() ?? "", /^t1 NO /);
    }
    return await processorSeconds(server.pid) - before;
  };
  await work("ann"); // starts what hashes
  const known = await work("ann");
  // A check of this hash takes a quarter of a second of the processor; no check takes nothing.
  for (const name of ["nobody", "locked", "plain"]) {
    const unknown = await work(name);
    assert.ok(unknown > known / 3, `${name}: ${unknown} s of work instead of ${known} s`);
    assert.ok(unknown < known * 3, `${name}: ${unknown} s of work instead of ${known} s`);
  }
});
