import { strictEqual } from "node:assert/strict";
import { Buffers, HeldInput, READ_AHEAD } from "../../src/net/buffers.ts";

Deno.test("Buffers.take: says no where there is no room, and takes nothing then", () => {
  const buffers = new Buffers(10, Infinity);
  strictEqual(buffers.take("ann", 6), true);
  strictEqual(buffers.take("ann", 5), false);
  strictEqual(buffers.take("ann", 4), true);
  buffers.give("ann", 6);
  strictEqual(buffers.take("ann", 6), true);
});

Deno.test("Buffers.takeWithin: waits for what others give back, and not for ever", async () => {
  const buffers = new Buffers(10, Infinity);
  strictEqual(await buffers.takeWithin("ann", 8, 10_000), true);
  const waiting = [buffers.takeWithin("ann", 6, 10_000), buffers.takeWithin("ann", 7, 1)];
  strictEqual(await waiting[1], false);
  buffers.give("ann", 3);
  buffers.give("ann", 1);
  strictEqual(await waiting[0], true);
  // Nothing is left, and who gave up takes nothing later.
  strictEqual(buffers.take("ann", 1), false);
  buffers.give("ann", 10);
  strictEqual(buffers.take("ann", 10), true);
});

Deno.test("Buffers.takeWithin: takes once, also where there is more and more room", async () => {
  const buffers = new Buffers(30, Infinity);
  strictEqual(buffers.take("ann", 30), true);
  const waiting = buffers.takeWithin("ann", 10, 10_000);
  buffers.give("ann", 10);
  buffers.give("ann", 20);
  strictEqual(await waiting, true);
  strictEqual(buffers.take("ann", 20), true);
});

Deno.test("Buffers.take: an owner holds at most a third of what is left", () => {
  const buffers = new Buffers(400, 0);
  strictEqual(buffers.take("ann", 60), true);
  strictEqual(buffers.take("ann", 41), false);
  strictEqual(buffers.take("ann", 40), true);
  // Of what is left now.
  strictEqual(buffers.take("bob", 76), false);
  strictEqual(buffers.take("bob", 75), true);
  strictEqual(buffers.take("cid", 57), false);
  strictEqual(buffers.take("cid", 56), true);
  buffers.give("ann", 100);
  strictEqual(buffers.take("ann", 68), false);
  strictEqual(buffers.take("ann", 67), true);
});

Deno.test("Buffers.take: an owner gets what is assured, as long as there is any", () => {
  const buffers = new Buffers(100, 60);
  strictEqual(buffers.take("ann", 61), false);
  strictEqual(buffers.take("ann", 60), true);
  strictEqual(buffers.take("bob", 41), false);
  strictEqual(buffers.take("bob", 40), true);
});

Deno.test("Buffers.takeWithin: who has too much waits until some of it is given back; others go on", async () => {
  const buffers = new Buffers(400, 0);
  strictEqual(buffers.take("ann", 100), true);
  const waiting = buffers.takeWithin("ann", 50, 10_000);
  const refused = buffers.takeWithin("ann", 51, 1);
  strictEqual(await buffers.takeWithin("bob", 75, 0), true);
  buffers.give("bob", 75);
  strictEqual(await refused, false);
  buffers.give("ann", 50);
  strictEqual(await waiting, true);
});

Deno.test("HeldInput: gives back as whose it took, also where another user is there by then", async () => {
  const buffers = new Buffers(8 * READ_AHEAD, 0);
  const held = new HeldInput(buffers, 10_000);
  strictEqual(held.ahead("ann"), true);
  strictEqual(await held.literals("bob", READ_AHEAD), true);
  strictEqual(held.ahead("bob"), true);
  held.give();
  for (const owner of ["ann", "bob"]) {
    strictEqual(buffers.take(owner, 2 * READ_AHEAD), true);
    buffers.give(owner, 2 * READ_AHEAD);
  }
});

Deno.test("HeldInput: gives back just what it took", async () => {
  const buffers = new Buffers(READ_AHEAD + 100, Infinity);
  const held = new HeldInput(buffers, 10_000);
  strictEqual(held.ahead("ann") && held.ahead("ann"), true);
  strictEqual(await held.literals("ann", 60), true);
  strictEqual(await held.literals("ann", 100), true);
  strictEqual(buffers.take("ann", 1), false);
  held.giveLiterals();
  strictEqual(buffers.take("ann", 100), true);
  held.give();
  held.give();
  strictEqual(buffers.take("ann", READ_AHEAD), true);
  strictEqual(buffers.take("ann", 1), false);
});
