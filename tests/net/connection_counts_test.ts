import assert from "node:assert/strict";
import { Admission, ConnectionCounts } from "../../src/net/connection_counts.ts";
import { Networks } from "../../src/net/ip_address.ts";

function counts() {
  const trusted = new Networks(["127.0.0.0/8", "unix"]);
  return new ConnectionCounts({ all: 10, address: 3, user: 2, trusted });
}

function admitted(counts: ConnectionCounts, remote: string | undefined): Admission {
  const admission = counts.admit(remote);
  if (!(admission instanceof Admission)) throw new Error(`Expected room, got ${admission}`);
  return admission;
}

Deno.test("ConnectionCounts: so many from one address, so many in all", () => {
  const table = counts();
  const first = [1, 2, 3].map(() => admitted(table, "2001:db8::1"));
  for (const each of first) each.loggedIn(true);
  assert.equal(table.admit("2001:db8::ffff"), "address");
  const refused = admitted(table, undefined);
  assert.equal(refused.identify("2001:db8::2"), false);
  refused.leave();
  for (let i = 0; i < 7; i++) admitted(table, "127.0.0.1");
  assert.equal(table.all, 10);
  assert.equal(table.admit("192.0.2.1"), "all");
  first[0].leave();
  first[0].leave();
  admitted(table, "2001:db8::9").loggedIn(true);
  assert.equal(table.admit("192.0.2.1"), "all");
});

Deno.test("ConnectionCounts: who is turned away after a PROXY header counts no more", () => {
  const table = counts();
  const kept = [1, 2, 3].map(() => admitted(table, "192.0.2.1"));
  const late = admitted(table, undefined);
  assert.equal(late.identify("192.0.2.1"), false);
  late.leave();
  for (const each of kept) each.leave();
  assert.deepEqual([table.all, table.keys], [0, 0]);
});

Deno.test("ConnectionCounts: so many of one user from one address", () => {
  const table = counts();
  const leave = [1, 2].map(() => table.logIn("ann", "192.0.2.1"));
  assert.equal(table.logIn("ann", "192.0.2.1"), undefined);
  assert.ok(table.logIn("ann", "192.0.2.2"));
  assert.ok(table.logIn("bob", "192.0.2.1"));
  for (let i = 0; i < 9; i++) assert.ok(table.logIn("ann", "127.0.0.1"));
  leave[0]?.();
  assert.ok(table.logIn("ann", "192.0.2.1"));
});

Deno.test("ConnectionCounts: what was counted as trusted is counted rightly after a reload", () => {
  const table = counts();
  const kept = [1, 2, 3, 4].map(() => admitted(table, "127.0.0.1"));
  table.use({ all: 10, address: 3, user: 2, trusted: new Networks([]) });
  assert.equal(table.admit("127.0.0.1"), "address");
  for (const each of kept) each.leave();
  assert.deepEqual([table.all, table.keys], [0, 0]);
});

Deno.test("ConnectionCounts: without a login the oldest from where most are makes room, never a trusted one", () => {
  const table = counts();
  const ended: number[] = [];
  const remotes = ["192.0.2.1", "127.0.0.1", "192.0.2.2", "192.0.2.2", ...Array(6).fill("unix")];
  const all = remotes.map((remote, i) => {
    const admission = admitted(table, remote);
    admission.onEnd = () => ended.push(i);
    return admission;
  });
  all[0].loggedIn(true);
  admitted(table, "192.0.2.3").loggedIn(true);
  assert.deepEqual([ended, table.all], [[2], 10]);
  all[0].loggedIn(false);
  all[3].leave();
  admitted(table, "192.0.2.3").loggedIn(true);
  assert.deepEqual(ended, [2]);
  admitted(table, "192.0.2.3").loggedIn(true);
  assert.deepEqual(ended, [2, 0]);
  assert.equal(table.admit("192.0.2.9"), "all");
});

Deno.test("ConnectionCounts: where most wait for a PROXY header the oldest of them makes room", () => {
  const table = counts();
  const ended: number[] = [];
  const remotes = [...Array(4).fill(undefined), "192.0.2.1", "192.0.2.1", ...Array(4).fill("unix")];
  const all = remotes.map((remote, i) => {
    const admission = admitted(table, remote);
    admission.onEnd = () => ended.push(i);
    return admission;
  });
  assert.equal(all[0].identify("192.0.2.2"), true);
  all.push(admitted(table, undefined));
  assert.deepEqual([ended, table.all], [[1], 10]);
  // Its header came when it had made room.
  assert.equal(all[1].identify("192.0.2.1"), true);
  for (const each of all) each.leave();
  assert.deepEqual([table.all, table.keys], [0, 0]);
});
