import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteQueue } from "../../src/wire/byte_queue.ts";

Deno.test("ByteQueue: keeps what is pushed into an empty queue without a copy", () => {
  const queue = new ByteQueue();
  const bytes = Uint8Array.of(1, 2, 3);
  queue.push(bytes);
  assert.equal(queue.take(2).buffer, bytes.buffer);
});

Deno.test("ByteQueue: never writes into an array that was pushed", () => {
  const queue = new ByteQueue();
  const room = new Uint8Array(8);
  queue.push(room.subarray(0, 2));
  queue.push(Uint8Array.of(9));
  assert.deepEqual(room, new Uint8Array(8));
});

Deno.test("ByteQueue.indexOf: looks at the waiting bytes only", () => {
  const queue = new ByteQueue();
  queue.push(Uint8Array.of(7, 1, 7, 2));
  queue.take(1);
  assert.equal(queue.indexOf(7, 0), 1);
  assert.equal(queue.indexOf(7, 2), -1);
  queue.push(Uint8Array.of(3));
  assert.equal(queue.indexOf(0, 0), -1, "the room behind the last byte does not count");
});

Deno.test("ByteQueue: gives what was pushed, in order, and leaves taken bytes alone", () => {
  const step = fc.oneof(
    fc.record({ push: fc.uint8Array({ maxLength: 600 }) }),
    fc.record({ take: fc.nat(400) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const queue = new ByteQueue();
    let waiting: number[] = [];
    const taken: [Uint8Array, number[]][] = [];
    for (const action of steps) {
      if ("push" in action) {
        queue.push(action.push);
        waiting.push(...action.push);
      } else {
        taken.push([queue.take(action.take), waiting.slice(0, action.take)]);
        waiting = waiting.slice(action.take);
      }
      assert.equal(queue.length, waiting.length);
      assert.equal(queue.indexOf(10, 0), waiting.indexOf(10));
    }
    for (const [view, expected] of taken) assert.deepEqual([...view], expected);
  }));
});
