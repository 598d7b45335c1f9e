import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { PeerUnavailable } from "../../src/auth/remote_check.ts";
import { Turns } from "../../src/auth/turns.ts";

Deno.test("Turns.take: gives each place its turn, however many wait elsewhere", async () => {
  const turns = new Turns({ atOnce: 1, waiting: 4 });
  const done: string[] = [];
  const refused: string[] = [];
  const take = (name: string, place: string, known = false) =>
    turns.take(() => Promise.resolve(done.push(name)), { place, known }).catch((error) => {
      strictEqual(error instanceof PeerUnavailable, true);
      refused.push(name);
    });
  await Promise.all([
    ...["first", "a1", "a2", "a3", "a4"].map((name) => take(name, "192.0.2.1")),
    take("b1", "192.0.2.2"),
    take("c1", "192.0.2.3", true),
  ]);
  deepStrictEqual(done, ["first", "c1", "a1", "b1", "a2"]);
  deepStrictEqual(refused.sort(), ["a3", "a4"]);
  await turns.close();
});
