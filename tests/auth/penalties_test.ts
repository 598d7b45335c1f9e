import assert from "node:assert/strict";
import { LoginPenalties } from "../../src/auth/penalties.ts";

const HOUR = 3_600_000;

/** Penalties as they are by default, on a clock that is set by hand. */
function penalties(options: { trusted?: string } = {}) {
  const clock = { now: 1_000_000 };
  const table = new LoginPenalties({
    ...{ first: 2000, longest: 15_000, lifetime: HOUR },
    placeOf: (remote) => remote === options.trusted ? undefined : remote,
  }, () => clock.now);
  return { clock, table };
}

Deno.test("LoginPenalties: an address waits 2, 4, 8 and then always 15 s, whoever it tries", () => {
  const { table } = penalties();
  const pauses = ["ann", "bob", "eve", "ann", "joe"].map((name) => table.failed(name, "192.0.2.1"));
  assert.deepEqual(pauses, [2000, 4000, 8000, 15_000, 15_000]);
  assert.equal(table.before("zoe", "192.0.2.1"), 15_000);
  assert.equal(table.before("zoe", "192.0.2.2"), 0);
});

Deno.test("LoginPenalties: a user's name waits, wherever the attempts come from", () => {
  const { table } = penalties();
  const pauses = [1, 2, 3, 4, 5].map((n) => table.failed("ann", `192.0.2.${n}`));
  assert.deepEqual(pauses, [2000, 4000, 8000, 15_000, 15_000]);
  assert.equal(table.before("ann", "192.0.2.9"), 15_000);
});

Deno.test("LoginPenalties: the next attempt waits for what is left of the pause", () => {
  const { table, clock } = penalties();
  table.failed("ann", "192.0.2.1");
  clock.now += 500;
  assert.equal(table.before("ann", "192.0.2.1"), 1500);
  clock.now += 1500;
  assert.equal(table.before("ann", "192.0.2.1"), 0);
  assert.equal(table.failed("ann", "192.0.2.1"), 4000);
});

Deno.test("LoginPenalties: failures are forgotten after a while", () => {
  const { table, clock } = penalties();
  for (let i = 0; i < 9; i++) table.failed("ann", "192.0.2.1");
  clock.now += HOUR;
  assert.equal(table.failed("ann", "192.0.2.1"), 2000);
  assert.equal(table.list().length, 2);
});

Deno.test("LoginPenalties: a success takes back what its own user did there", () => {
  const { table } = penalties();
  for (let i = 0; i < 3; i++) table.failed("ann", "192.0.2.1");
  table.succeeded("ann", "192.0.2.1");
  assert.deepEqual(table.list(), []);
  assert.equal(table.failed("bob", "192.0.2.1"), 2000);
});

Deno.test("LoginPenalties: one good account does not make guessing at others faster", () => {
  const { table } = penalties();
  const pauses = [1, 2, 3, 4].map(() => {
    table.succeeded("mallory", "192.0.2.1");
    return table.failed("ann", "192.0.2.1");
  });
  assert.deepEqual(pauses, [2000, 4000, 8000, 15_000]);
  table.succeeded("mallory", "192.0.2.1");
  assert.equal(table.before("ann", "192.0.2.1"), 15_000);
});

Deno.test("LoginPenalties: nobody waits where they logged in lately, whatever others do", () => {
  const { table, clock } = penalties();
  table.succeeded("ann", "192.0.2.1");
  clock.now += 6 * 24 * HOUR;
  for (let i = 0; i < 50; i++) table.failed("ann", `198.51.100.${i}`);
  for (let i = 0; i < 50; i++) table.failed(`user${i}`, "192.0.2.1");
  assert.equal(table.before("ann", "192.0.2.1"), 0);
  assert.equal(table.before("ann", "192.0.2.2"), 15_000);
  assert.equal(table.before("bob", "192.0.2.1"), 15_000);
  clock.now += 24 * HOUR;
  table.failed("ann", "198.51.100.1");
  assert.ok(table.before("ann", "192.0.2.1") > 0);
});

Deno.test("LoginPenalties: guessing is slow also where the user is known", () => {
  const { table } = penalties();
  table.succeeded("ann", "192.0.2.1");
  for (const pause of [2000, 4000, 8000, 15_000]) {
    table.failed("ann", "192.0.2.1");
    assert.equal(table.before("ann", "192.0.2.1"), pause);
  }
  assert.equal(table.failed("ann", "192.0.2.1"), 15_000);
});

Deno.test("LoginPenalties: who is known waits for their own failures only, and those are forgotten", () => {
  const { table, clock } = penalties();
  table.succeeded("ann", "192.0.2.1");
  for (let i = 0; i < 50; i++) table.failed("ann", `198.51.100.${i}`);
  for (let i = 0; i < 50; i++) table.failed(`user${i}`, "192.0.2.1");
  assert.equal(table.failed("ann", "192.0.2.1"), 2000);
  assert.equal(table.failed("ann", "192.0.2.1"), 4000);
  clock.now += HOUR;
  assert.equal(table.failed("ann", "192.0.2.1"), 2000);
  assert.equal(table.failed("bob", "192.0.2.1"), 4000, "for others it counts");
});

Deno.test("LoginPenalties: many addresses and names do not fill the memory", () => {
  const { table } = penalties();
  table.succeeded("ann", "192.0.2.1");
  for (let i = 0; i < 30_000; i++) {
    table.failed(`${i}${"x".repeat(1000)}`, `2001:db8:${i.toString(16)}:0::/64`);
  }
  for (let i = 0; i < 1000; i++) table.succeeded("mallory", `2001:db8:${i.toString(16)}:0::/64`);
  const rows = table.list();
  assert.equal(rows.length, 20_000);
  assert.ok(rows.every(({ name }) => name.length <= 128));
  table.failed("ann", "198.51.100.1");
  assert.equal(table.before("ann", "192.0.2.1"), 0, "a flood makes no user unknown");
});

Deno.test("LoginPenalties: trusted addresses are neither slowed down nor remembered", () => {
  const { table } = penalties({ trusted: "127.0.0.1" });
  for (let i = 0; i < 20; i++) assert.equal(table.failed("ann", "127.0.0.1"), 0);
  assert.equal(table.before("ann", "127.0.0.1"), 0);
  assert.deepEqual(table.list(), []);
});

Deno.test("LoginPenalties.clear: forgets an address, a user, or all", () => {
  const { table } = penalties();
  const fail = () => {
    for (const name of ["ann", "bob"]) {
      for (const n of [1, 2]) table.failed(name, `192.0.2.${n}`);
    }
  };
  fail();
  assert.equal(table.clear({ address: "192.0.2.1" }), 1);
  assert.equal(table.clear({ user: "ann" }), 1);
  assert.equal(table.clear({ user: "nobody" }), 0);
  assert.equal(table.before("ann", "192.0.2.1"), 0);
  assert.equal(table.before("bob", "192.0.2.1"), 4000);
  assert.equal(table.clear(), 2);
  assert.deepEqual(table.list(), []);
});
