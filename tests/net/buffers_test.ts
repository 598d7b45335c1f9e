import { strictEqual } from "node:assert/strict";
import { Buffers, HeldInput, READ_AHEAD } from "../../src/net/buffers.ts";

Deno.test("Buffers.take: says no where there is no room, and takes nothing then", () => {
  const buffers = new Buffers(10);
  strictEqual(buffers.take(6), true);
  strictEqual(buffers.take(5), false);
  strictEqual(buffers.take(4), true);
  buffers.give(6);
  strictEqual(buffers.take(6), true);
});

Deno.test("Buffers.takeWithin: waits for what others give back, and not for ever", async () => {
  const buffers = new Buffers(10);
  strictEqual(await buffers.takeWithin(8, 10_000), true);
  const waiting = [buffers.takeWithin(6, 10_000), buffers.takeWithin(7, 1)];
  strictEqual(await waiting[1], false);
  buffers.give(3);
  buffers.give(1);
  strictEqual(await waiting[0], true);
  // Nothing is left, and who gave up takes nothing later.
  strictEqual(buffers.take(1), false);
  buffers.give(10);
  strictEqual(buffers.take(10), true);
});

Deno.test("Buffers.takeWithin: takes once, also where there is more and more room", async () => {
  const buffers = new Buffers(30);
  strictEqual(buffers.take(30), true);
  const waiting = buffers.takeWithin(10, 10_000);
  buffers.give(10);
  buffers.give(20);
  strictEqual(await waiting, true);
  strictEqual(buffers.take(20), true);
});

Deno.test("HeldInput: gives back just what it took", async () => {
  const buffers = new Buffers(READ_AHEAD + 100);
  const held = new HeldInput(buffers, 10_000);
  strictEqual(held.ahead() && held.ahead(), true);
  strictEqual(await held.literals(60), true);
  strictEqual(await held.literals(100), true);
  strictEqual(buffers.take(1), false);
  held.giveLiterals();
  strictEqual(buffers.take(100), true);
  held.give();
  held.give();
  strictEqual(buffers.take(READ_AHEAD), true);
  strictEqual(buffers.take(1), false);
});
