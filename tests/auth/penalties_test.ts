import assert from "node:assert/strict";
import type { Guess } from "../../src/auth/auth.ts";
import { KnownPlaces } from "../../src/auth/known_places.ts";
import { LoginPenalties } from "../../src/auth/penalties.ts";
import { widerNetwork } from "../../src/net/ip_address.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Milliseconds that the check of a password takes here. */
const CHECK = 70;

/** Penalties as they are by default, on a clock that is set by hand. */
function penalties(options: { trusted?: string } = {}) {
  const clock = { now: 1_000_000 };
  const table = new LoginPenalties(
    {
      ...{ first: 2000, longest: 15_000, lifetime: HOUR },
      placeOf: (remote) => remote === options.trusted ? undefined : remote,
      networkOf: widerNetwork,
    },
    new KnownPlaces(new Uint8Array(32), () => Math.floor(clock.now / DAY)),
    () => clock.now,
  );
  /** Milliseconds until an attempt would be looked at; Infinity where it is refused. */
  const wait = (name: string, place: string) => milliseconds(table.guess(name, place));
  /** A wrong password. @returns milliseconds of its pause */
  const fail = (name: string, place: string) => table.guess(name, place).failed();
  const succeed = (name: string, place: string) => table.guess(name, place).succeeded();
  return { clock, table, wait, fail, succeed };
}

function milliseconds(guess: Guess): number {
  const answer = guess.ask();
  if (answer === "now") return 0;
  return answer === "never" ? Infinity : answer.milliseconds;
}

Deno.test("LoginPenalties: an address waits 2, 4, 8 and then always 15 s, whoever it tries", () => {
  const { fail } = penalties();
  const pauses = ["ann", "bob", "eve", "ann", "joe"].map((name) => fail(name, "192.0.2.1"));
  assert.deepEqual(pauses, [2000, 4000, 8000, 15_000, 15_000]);
  assert.equal(fail("ann", "192.0.2.2"), 8000);
});

Deno.test("LoginPenalties: a user's name waits, wherever the attempts come from", () => {
  const { fail } = penalties();
  const pauses = [1, 2, 3, 4, 5].map((n) => fail("ann", `192.0.2.${n}`));
  assert.deepEqual(pauses, [2000, 4000, 8000, 15_000, 15_000]);
});

Deno.test("LoginPenalties: how long a check took does not show", () => {
  for (const took of [0, 1, CHECK, 1999]) {
    const { table, clock } = penalties();
    const guess = table.guess("ann", "192.0.2.1");
    guess.ask();
    clock.now += took;
    assert.equal(took + guess.failed(), 2000);
  }
  const { table, clock } = penalties();
  const guess = table.guess("ann", "192.0.2.1");
  guess.ask();
  clock.now += 2100;
  assert.equal(guess.failed(), 1900, "a second pause where the check took longer than one");
});

/**
 * A client that tries passwords at `names` in turn, over `connections` of an address.
 *
 * @returns how many of them were looked at in each minute
 */
function guessesByMinute(connections: number, names: (n: number) => string, minutes: number) {
  const { table, clock } = penalties();
  const end = clock.now + minutes * 60_000;
  const counts = Array<number>(minutes).fill(0);
  let made = 0;
  interface Attempt {
    readonly guess: Guess;
    due: number;
    inside: boolean;
  }
  const fresh = (): Attempt => ({
    guess: table.guess(names(made++), "192.0.2.1"),
    due: clock.now,
    inside: false,
  });
  const attempts = Array.from({ length: connections }, fresh);
  for (;;) {
    const i = attempts.reduce((next, { due }, i) => due < attempts[next].due ? i : next, 0);
    const attempt = attempts[i];
    clock.now = attempt.due;
    if (clock.now >= end) return counts;
    if (attempt.inside) {
      attempts[i] = { ...fresh(), due: clock.now + attempt.guess.failed() };
      continue;
    }
    const wait = milliseconds(attempt.guess);
    if (wait === Infinity) attempts[i] = { ...fresh(), due: clock.now + 1 };
    else if (wait > 0) attempt.due += wait;
    else {
      counts[counts.length - Math.ceil((end - clock.now) / 60_000)]++;
      attempt.inside = true;
      attempt.due += CHECK;
    }
  }
}

Deno.test("LoginPenalties: many connections do not make guessing faster than one", () => {
  const one = guessesByMinute(1, () => "ann", 5).slice(1);
  const many = guessesByMinute(95, () => "ann", 5).slice(1);
  assert.deepEqual(one, [4, 4, 4, 4]);
  assert.deepEqual(many, one);
  // Each name has a first guess of its own.
  const sprayed = guessesByMinute(95, (n) => `user${n % 20}`, 5).slice(1);
  assert.deepEqual(sprayed, one);
  const nobodies = guessesByMinute(95, (n) => `nobody${n}`, 5).slice(1);
  assert.deepEqual(nobodies, [40, 40, 40, 40]);
});

Deno.test("LoginPenalties: an address has room for who has not failed, and then refuses", () => {
  const { wait, fail, clock, table } = penalties();
  for (let i = 0; i < 4; i++) fail("ann", "192.0.2.1");
  assert.equal(wait("ann", "192.0.2.1"), 0);
  assert.equal(wait("ann", "192.0.2.1"), 15_000);
  const last = table.guess("ann", "192.0.2.1");
  for (let i = 0; i < 9; i++) assert.equal(wait(`user${i}`, "192.0.2.1"), 0);
  assert.equal(wait("user9", "192.0.2.1"), 15_000);
  assert.equal(wait("user9", "192.0.2.2"), 0);
  clock.now += 15_000;
  assert.equal(wait("ann", "192.0.2.1"), 0);
  assert.equal(milliseconds(last), 15_000);
  clock.now += 15_000;
  assert.equal(wait("ann", "192.0.2.1"), 0);
  assert.equal(milliseconds(last), Infinity, "two pauses are enough");
});

Deno.test("LoginPenalties: a name has room for ten attempts of all addresses together", () => {
  const { wait, fail, clock } = penalties();
  for (let i = 0; i < 4; i++) fail("ann", `192.0.2.${i}`);
  for (let i = 0; i < 10; i++) assert.equal(wait("ann", `198.51.100.${i}`), 0);
  assert.equal(wait("ann", "198.51.100.10"), 15_000);
  clock.now += 15_000;
  assert.equal(wait("ann", "198.51.100.10"), 0);
});

/** Networks of 64 bits within one of 48. */
const subnet = (i: number) => `2001:db8:0:${i.toString(16)}::/64`;

Deno.test("LoginPenalties: a wide network has room for a hundred attempts, at whatever names", () => {
  for (const place of [subnet, (i: number) => `192.0.2.${i}`]) {
    const { table, wait, fail, succeed, clock } = penalties();
    succeed("known", place(201));
    const first = table.guess("user0", place(0));
    assert.equal(first.ask(), "now");
    for (let i = 1; i < 100; i++) assert.equal(wait(`user${i}`, place(i)), 0);
    assert.equal(wait("user100", place(100)), 2000);
    assert.equal(wait("user100", "2001:db8:1:0::/64"), 0);
    assert.equal(wait("known", place(201)), 0);
    first.succeeded();
    assert.equal(wait("user100", place(100)), 0, "who logs in makes room");
    assert.equal(wait("user101", place(101)), 2000);
    clock.now += 2000;
    assert.equal(wait("user101", place(101)), 0);
    assert.equal(fail("user102", place(102)), 2000, "no pause is longer because of it");
  }
});

Deno.test("LoginPenalties: who has 65,536 networks guesses as fast as with ten of them", () => {
  const { table, clock } = penalties();
  const counts: number[] = [];
  let made = 0;
  for (let minute = 0; minute < 3; minute++) {
    let count = 0;
    for (let i = 0; i < 60; i++, clock.now += 1000) {
      for (let n = 0; n < 120; n++, made++) {
        const guess = table.guess(`user${made}`, subnet(made % 65_536));
        if (guess.ask() !== "now") continue;
        count++;
        guess.failed();
      }
    }
    counts.push(count);
  }
  assert.deepEqual(counts.slice(1), [400, 400]);
});

Deno.test("LoginPenalties: one customer of a provider leaves the others of the wide network room", () => {
  const { table, clock } = penalties();
  for (let i = 0; i < 60; i++, clock.now += 1000) {
    for (let n = 0; n < 20; n++) {
      const guess = table.guess(`user${i} ${n}`, subnet(0));
      if (guess.ask() === "now") guess.failed();
    }
    const other = table.guess(`customer${i}`, subnet(1 + i));
    assert.equal(other.ask(), "now");
    other.withdraw();
  }
  assert.equal(table.guess("ann", subnet(999)).failed(), 2000);
  const unchecked = table.guess("bob", subnet(998));
  unchecked.ask();
  assert.equal(unchecked.unchecked(), 2000);
});

Deno.test("LoginPenalties: a wide network is listed when it may be full, and can be cleared", () => {
  const networks = () => table.list().filter(({ kind }) => kind === "network");
  const { table, fail, wait, succeed } = penalties();
  succeed("known", subnet(300));
  for (let i = 0; i < 200; i++) fail("known", subnet(300));
  const attack = (count: number) => {
    for (let i = 0; i < count; i++) {
      wait(`user${i}`, subnet(i));
      fail(`user${i}`, subnet(i));
    }
  };
  attack(99);
  assert.deepEqual(networks(), []);
  wait("user99", subnet(99));
  fail("user99", subnet(99));
  assert.deepEqual(networks().map(({ name, failures, pause }) => ({ name, failures, pause })), [
    { name: "2001:db8:0::/48", failures: 100, pause: 15_000 },
  ]);
  fail("ann", "192.0.2.1");
  assert.ok(wait("bob", subnet(200)) > 0);
  // An address, and what keeps it waiting.
  assert.equal(table.clear({ address: subnet(1) }), 2);
  assert.equal(wait("bob", subnet(200)), 0);
  attack(100);
  assert.equal(table.clear({ address: "2001:db8:0::/48" }), 102);
  assert.deepEqual(table.list().filter(({ kind }) => kind === "address").map(({ name }) => name), [
    "192.0.2.1",
  ]);
  attack(100);
  table.clear();
  assert.deepEqual(table.list(), []);
});

Deno.test("LoginPenalties: who has logged in makes room at once for those that wait", () => {
  const { table, wait, clock, fail } = penalties();
  fail("ann", "192.0.2.1");
  const first = table.guess("ann", "192.0.2.1");
  assert.equal(first.ask(), "now");
  const second = table.guess("ann", "192.0.2.1");
  const answer = second.ask();
  assert.ok(typeof answer === "object");
  let woken = 0;
  answer.wakers.add(() => woken++);
  clock.now += CHECK;
  first.withdraw();
  assert.equal(woken, 1);
  assert.equal(second.ask(), "now");
  assert.equal(wait("ann", "192.0.2.1"), 4000);
  second.succeeded();
  assert.equal(wait("ann", "192.0.2.1"), 0);
});

Deno.test("LoginPenalties: who could not be checked is told after a pause, and makes no room before", () => {
  const { table, wait, clock } = penalties();
  const guesses = Array.from({ length: 10 }, (_, i) => table.guess(`user${i}`, "192.0.2.1"));
  for (const guess of guesses) assert.equal(guess.ask(), "now");
  const late = table.guess("ann", "192.0.2.1");
  assert.deepEqual(milliseconds(late), 2000);
  assert.equal(late.unchecked(), 0, "who was not let in has waited already");
  clock.now += CHECK;
  for (const guess of guesses) assert.equal(guess.unchecked(), 2000 - CHECK);
  assert.equal(wait("ann", "192.0.2.1"), 2000 - CHECK);
  assert.deepEqual(table.list(), []);
  clock.now += 2000;
  assert.equal(wait("ann", "192.0.2.1"), 0);
  assert.equal(guesses[0].unchecked(), 0);
});

Deno.test("LoginPenalties: a whole office logs in at once, though one device has a wrong password", () => {
  const { table, fail } = penalties();
  for (let i = 0; i < 9; i++) fail("stale", "192.0.2.1");
  const waiting = Array.from({ length: 200 }, (_, i) => table.guess(`user${i % 50}`, "192.0.2.1"));
  while (waiting.length > 0) {
    const inside = waiting.splice(0, 10);
    for (const guess of inside) assert.equal(guess.ask(), "now");
    for (const guess of inside) guess.succeeded();
  }
});

Deno.test("LoginPenalties: the standing of an attempt tells whether they are known there", () => {
  const { table, succeed } = penalties({ trusted: "127.0.0.1" });
  const known = (name: string, place: string) => table.guess(name, place).standing.known;
  assert.equal(known("ann", "192.0.2.1"), false);
  succeed("ann", "192.0.2.1");
  assert.deepEqual(["ann", "bob"].map((name) => known(name, "192.0.2.1")), [true, false]);
  assert.equal(known("ann", "192.0.2.2"), false);
  assert.equal(known("bob", "127.0.0.1"), true);
});

Deno.test("LoginPenalties: failures are forgotten after a while", () => {
  const { table, clock, fail } = penalties();
  for (let i = 0; i < 9; i++) fail("ann", "192.0.2.1");
  clock.now += HOUR;
  assert.deepEqual(table.list(), []);
  assert.equal(fail("ann", "192.0.2.1"), 2000);
  assert.equal(table.list().length, 2);
});

Deno.test("LoginPenalties: a success takes back what its own user did there", () => {
  const { table, fail, succeed } = penalties();
  for (let i = 0; i < 3; i++) fail("ann", "192.0.2.1");
  succeed("ann", "192.0.2.1");
  assert.deepEqual(table.list(), []);
  assert.equal(fail("bob", "192.0.2.1"), 2000);
});

Deno.test("LoginPenalties: one good account does not make guessing at others faster", () => {
  const { wait, fail, succeed } = penalties();
  const pauses = [1, 2, 3, 4].map(() => {
    succeed("mallory", "192.0.2.1");
    return fail("ann", "192.0.2.1");
  });
  assert.deepEqual(pauses, [2000, 4000, 8000, 15_000]);
  assert.equal(wait("ann", "192.0.2.1"), 0);
  for (let i = 0; i < 20; i++) {
    assert.equal(wait("mallory", "192.0.2.1"), 0);
    succeed("mallory", "192.0.2.1");
    assert.equal(wait("ann", "192.0.2.1"), 15_000);
  }
});

Deno.test("LoginPenalties: nobody waits where they logged in lately, whatever others do", () => {
  const { wait, fail, succeed, clock } = penalties();
  const attack = () => {
    for (let i = 0; i < 50; i++) {
      fail("ann", `198.51.100.${i}`);
      fail(`user${i}`, "192.0.2.1");
    }
    for (let i = 0; i < 10; i++) {
      wait("ann", `198.51.100.${i}`);
      wait(`nobody${i}`, "192.0.2.1");
    }
  };
  succeed("ann", "192.0.2.1");
  clock.now += 7 * DAY;
  attack();
  assert.equal(wait("ann", "192.0.2.1"), 0);
  assert.equal(wait("ann", "192.0.2.2"), 15_000);
  assert.equal(wait("bob", "192.0.2.1"), 15_000);
  clock.now += DAY;
  attack();
  assert.ok(wait("ann", "192.0.2.1") > 0);
});

Deno.test("LoginPenalties: guessing is slow also where the user is known", () => {
  const { wait, fail, succeed } = penalties();
  succeed("ann", "192.0.2.1");
  for (const pause of [2000, 4000, 8000, 15_000]) assert.equal(fail("ann", "192.0.2.1"), pause);
  // Room for the right password beside a device that tries an old one on three connections.
  for (let i = 0; i < 4; i++) assert.equal(wait("ann", "192.0.2.1"), 0);
  assert.equal(wait("ann", "192.0.2.1"), 15_000);
});

Deno.test("LoginPenalties: where the user is known, the same wrong password takes the room of one guess", () => {
  const { table, wait, fail, succeed, clock } = penalties();
  succeed("ann", "192.0.2.1");
  for (let i = 0; i < 4; i++) fail("ann", "192.0.2.1");
  const enter = () => {
    const guess = table.guess("ann", "192.0.2.1");
    assert.equal(guess.ask(), "now");
    return guess;
  };
  const devices = [enter(), enter(), enter(), enter()];
  const waiting = table.guess("ann", "192.0.2.1");
  const answer = waiting.ask();
  assert.ok(typeof answer === "object");
  let woken = 0;
  answer.wakers.add(() => woken++);
  for (const device of devices) assert.equal(device.failed("old"), 15_000, "it is a failure");
  assert.equal(woken, 3);
  for (let i = 0; i < 20; i++) enter().failed("old");
  for (const secret of ["other", "another", "one more"]) enter().failed(secret);
  assert.equal(wait("ann", "192.0.2.1"), 15_000);
  clock.now += 15_000;
  for (let i = 0; i < 4; i++) enter().failed(`another ${i}`);
  assert.equal(wait("ann", "192.0.2.1"), 15_000, "a pause begins with what is wrong in it");
});

Deno.test("LoginPenalties: where nobody is known, each wrong password takes room", () => {
  const { table, wait } = penalties();
  for (let i = 0; i < 10; i++) {
    const guess = table.guess(`user${i}`, "192.0.2.1");
    assert.equal(guess.ask(), "now");
    guess.failed("old");
  }
  assert.equal(wait("ann", "192.0.2.1"), 2000);
});

Deno.test("LoginPenalties: who is known waits for their own failures only, and those are forgotten", () => {
  const { clock, fail, succeed } = penalties();
  succeed("ann", "192.0.2.1");
  for (let i = 0; i < 50; i++) fail("ann", `198.51.100.${i}`);
  for (let i = 0; i < 50; i++) fail(`user${i}`, "192.0.2.1");
  assert.equal(fail("ann", "192.0.2.1"), 2000);
  assert.equal(fail("ann", "192.0.2.1"), 4000);
  clock.now += HOUR;
  assert.equal(fail("ann", "192.0.2.1"), 2000);
  assert.equal(fail("bob", "192.0.2.1"), 4000, "for others it counts");
});

Deno.test("LoginPenalties: many addresses and names do not fill the memory", () => {
  const { table, wait, fail, succeed } = penalties();
  succeed("ann", "192.0.2.1");
  const network = (i: number) => `2001:db8:${i.toString(16)}:0::/64`;
  for (let i = 0; i < 12_000; i++) {
    const guess = table.guess(`${i}${"x".repeat(1000)}`, network(i));
    guess.ask();
    guess.failed();
  }
  for (let i = 0; i < 1000; i++) succeed("mallory", network(i));
  const rows = table.list();
  assert.equal(rows.length, 20_000);
  assert.ok(rows.every(({ name }) => name.length <= 128));
  fail("ann", "198.51.100.1");
  assert.equal(wait("ann", "192.0.2.1"), 0, "a flood makes no user unknown");
});

Deno.test("LoginPenalties: attempts that are never finished are not listed, and are forgotten", () => {
  const { table, wait } = penalties();
  for (let i = 0; i < 20; i++) wait("ann", "192.0.2.1");
  assert.deepEqual(table.list(), []);
  assert.equal(table.clear(), 0);
  assert.equal(wait("ann", "192.0.2.1"), 0);
});

Deno.test("LoginPenalties: trusted addresses are neither slowed down nor remembered", () => {
  const { table, wait, fail } = penalties({ trusted: "127.0.0.1" });
  for (let i = 0; i < 20; i++) assert.equal(fail("ann", "127.0.0.1"), 0);
  assert.equal(wait("ann", "127.0.0.1"), 0);
  assert.deepEqual(table.list(), []);
});

Deno.test("LoginPenalties.clear: forgets an address, a user, or all", () => {
  const { table, fail } = penalties();
  for (const name of ["ann", "bob"]) {
    for (const n of [1, 2]) fail(name, `192.0.2.${n}`);
  }
  assert.equal(table.clear({ address: "192.0.2.1" }), 1);
  assert.equal(table.clear({ user: "ann" }), 1);
  assert.equal(table.clear({ user: "nobody" }), 0);
  assert.deepEqual(table.list().map(({ name }) => name).sort(), ["192.0.2.2", "bob"]);
  assert.equal(table.clear(), 2);
  assert.deepEqual(table.list(), []);
});

Deno.test("LoginPenalties.clear: lets in who waits, also where they are known", () => {
  for (const known of [true, false]) {
    for (const which of [{ address: "192.0.2.1" }, { user: "ann" }, {}]) {
      const { table, fail, succeed } = penalties();
      if (known) succeed("ann", "192.0.2.1");
      fail("ann", "192.0.2.1");
      for (let i = 0; i < (known ? 4 : 1); i++) {
        assert.equal(table.guess("ann", "192.0.2.1").ask(), "now");
      }
      const waiting = table.guess("ann", "192.0.2.1");
      const answer = waiting.ask();
      assert.ok(typeof answer === "object");
      let woken = 0;
      answer.wakers.add(() => woken++);
      table.clear({ address: "192.0.2.2" });
      table.clear({ user: "bob" });
      assert.notEqual(waiting.ask(), "now");
      woken = 0;
      table.clear(which);
      assert.equal(woken, 1);
      assert.equal(waiting.ask(), "now");
    }
  }
});
