import assert from "node:assert/strict";
import { KnownPlaces } from "../../src/auth/known_places.ts";

const SECRET = new Uint8Array(32).fill(1);

/** On a calendar that is turned by hand. */
function places(secret = SECRET) {
  const calendar = { today: 20_000 };
  const known = new KnownPlaces(secret, () => calendar.today);
  return {
    calendar,
    known,
    is: (name: string, place: string) => known.of(name, place).known,
    renew: (name: string, place: string) => known.of(name, place).renew(),
  };
}

Deno.test("KnownPlaces: a user is known where they logged in, for a week", () => {
  const { calendar, known, is, renew } = places();
  renew("ann", "192.0.2.1");
  for (const [name, place] of [["bob", "192.0.2.1"], ["ann", "192.0.2.2"], ["", "192.0.2.1"]]) {
    assert.equal(is(name, place), false);
  }
  calendar.today += 7;
  assert.equal(is("ann", "192.0.2.1"), true);
  assert.equal([...known.lines()].length, 1);
  calendar.today++;
  assert.equal(is("ann", "192.0.2.1"), false);
  assert.deepEqual([...known.lines()], []);
});

Deno.test("KnownPlaces: a clock that was wrong by years makes nobody known for good", () => {
  const { calendar, is, renew } = places();
  calendar.today += 3000;
  renew("ann", "192.0.2.1");
  calendar.today -= 3000;
  assert.equal(is("ann", "192.0.2.1"), false);
  renew("bob", "192.0.2.1");
  calendar.today--;
  assert.equal(is("bob", "192.0.2.1"), true, "one that was set back a little does no harm");
});

Deno.test("KnownPlaces.take: knows what lines tell, under the same secret only", () => {
  const before = places();
  before.renew("ann", "192.0.2.1");
  before.renew("ann", "2001:db8:0:7::/64");
  before.renew("bob", "192.0.2.1");
  const lines = [...before.known.lines()];
  assert.equal(lines.length, 2);
  assert.doesNotMatch(lines.join("\n"), /ann|bob|192|2001|db8/);
  const after = places();
  for (const line of lines) assert.equal(after.known.take(line), true);
  assert.equal(after.is("ann", "192.0.2.1"), true);
  assert.equal(after.is("ann", "2001:db8:0:7::/64"), true);
  assert.equal(after.is("bob", "192.0.2.1"), true);
  assert.equal(after.is("bob", "2001:db8:0:7::/64"), false);
  assert.deepEqual([...after.known.lines()], lines);
  const other = places(new Uint8Array(32).fill(2));
  for (const line of lines) other.known.take(line);
  assert.equal(other.is("ann", "192.0.2.1"), false);
});

Deno.test("KnownPlaces.take: refuses what is no line of it", () => {
  const { known, renew } = places();
  renew("ann", "192.0.2.1");
  const [line] = known.lines();
  const fresh = places().known;
  for (const damaged of ["", "x", line.slice(1), line.replace("=", " "), `${line} x`, `${line}0`]) {
    // A day of six digits is far off, but one.
    assert.equal(fresh.take(damaged), damaged === `${line}0`, JSON.stringify(damaged));
  }
  assert.deepEqual([...fresh.lines()], []);
});

Deno.test("KnownPlaces.changes: grows with what is new on a day", () => {
  const { calendar, known, renew } = places();
  for (let i = 0; i < 3; i++) renew("ann", "192.0.2.1");
  assert.equal(known.changes, 1);
  renew("ann", "192.0.2.2");
  assert.equal(known.changes, 2);
  calendar.today++;
  for (let i = 0; i < 3; i++) renew("ann", "192.0.2.2");
  assert.equal(known.changes, 3);
});

Deno.test("KnownPlaces: many users and places fill neither the memory nor the file", () => {
  const { known, is, renew } = places();
  for (let i = 0; i < 100; i++) renew("ann", `192.0.2.${i}`);
  assert.deepEqual([83, 84, 99].map((i) => is("ann", `192.0.2.${i}`)), [false, true, true]);
  for (let i = 0; i < 20_000; i++) renew(`user${i}`, "192.0.2.1");
  assert.equal(is("ann", "192.0.2.99"), false, "the one who was away for the longest goes");
  const lines = [...known.lines()];
  assert.equal(lines.length, 20_000);
  const after = places();
  for (const line of [...lines, lines[0]]) after.known.take(line);
  assert.equal([...after.known.lines()].length, 20_000);
});
