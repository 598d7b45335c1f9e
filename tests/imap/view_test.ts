import assert from "node:assert/strict";
import type { Output } from "../../src/imap/command.ts";
import { Session } from "../../src/imap/session.ts";
import type { View } from "../../src/imap/view.ts";
import { Columns, open as openFor } from "./columns.ts";

const SESSION = new Session("1", "127.0.0.1", true);

function open(columns: Columns): View {
  return openFor(columns, SESSION);
}

function drained(view: View, expunges: boolean, session = SESSION): string[] {
  let text = "";
  const out: Output = {
    text: (more) => text += more,
    bytes: () => {},
    full: false,
    flush: () => Promise.resolve(),
  };
  view.drain(out, { session, expunges, withUid: false });
  return text.split("\r\n").slice(0, -1);
}

Deno.test("View.drain() numbers each EXPUNGE after those before it", () => {
  const columns = new Columns([1, 2, 3, 4]);
  const view = open(columns);
  columns.expunge(2, 3);
  assert.deepEqual(drained(view, true), ["* 2 EXPUNGE", "* 2 EXPUNGE"]);
  assert.equal(view.uidOf(2), 4);
});

Deno.test("View.drain() holds new messages back behind an EXPUNGE that may not be sent", () => {
  const columns = new Columns([1, 2, 3]);
  const view = open(columns);
  columns.expunge(1);
  columns.arrive(4);
  assert.deepEqual(drained(view, false), []);
  assert.equal(view.count, 3);
  assert.equal(view.seqOf(3), 3);
  assert.deepEqual(drained(view, true), ["* 1 EXPUNGE", "* 3 EXISTS", "* 1 RECENT"]);
});

Deno.test("View.drain() tells changed flags in the client's numbers while an EXPUNGE waits", () => {
  const columns = new Columns([1, 2, 3]);
  const view = open(columns);
  columns.expunge(1);
  columns.flag(3, 1);
  assert.deepEqual(drained(view, false), ["* 3 FETCH (FLAGS (\\Seen))"]);
  assert.deepEqual(drained(view, true), ["* 1 EXPUNGE"]);
});

Deno.test("View.silence() hides only the change that this client made", () => {
  const columns = new Columns([1, 2]);
  const view = open(columns);
  columns.flag(1, 4);
  view.silence(columns.highestModseq, []);
  columns.flag(2, 1);
  assert.deepEqual(drained(view, true), ["* 2 FETCH (FLAGS (\\Seen))"]);
  columns.flag(1, 5);
  assert.deepEqual(drained(view, true), ["* 1 FETCH (FLAGS (\\Seen \\Flagged))"]);
});

Deno.test("View.resolve() refuses numbers beyond the mailbox and ignores unknown UIDs", () => {
  const view = open(new Columns([5, 7]));
  assert.throws(() => view.resolve({ ranges: [[1, 3]] }, false), /from 1 to 2/);
  assert.deepEqual(view.resolve({ ranges: [[1, 4294967295]] }, true), [5, 7]);
});

Deno.test("View.isRecent() is true for the first session that hears of a message only", () => {
  const columns = new Columns([1]);
  const first = open(columns);
  const second = open(columns);
  columns.arrive(2);
  assert.deepEqual(drained(first, true), ["* 2 EXISTS", "* 1 RECENT"]);
  assert.deepEqual(drained(second, true), ["* 2 EXISTS", "* 0 RECENT"]);
  assert.deepEqual([first.isRecent(2), second.isRecent(2)], [true, false]);
});

Deno.test("View.drain() names UIDs by VANISHED to who enabled QRESYNC or UIDONLY", () => {
  for (const enabled of ["QRESYNC", "UIDONLY"] as const) {
    const session = new Session("1", "127.0.0.1", true);
    session.enabled.add(enabled);
    const columns = new Columns([2, 3, 5, 8, 9]);
    const view = open(columns);
    columns.expunge(2, 3, 8);
    assert.deepEqual(drained(view, false, session), []);
    assert.deepEqual(drained(view, true, session), ["* VANISHED 2:3,8"]);
    assert.equal(view.uidOf(2), 9);
  }
});

Deno.test("View.toldModseq stays below an expunge that waits to be told", () => {
  const columns = new Columns([1, 2]);
  const view = open(columns);
  const before = columns.highestModseq;
  columns.expunge(1);
  columns.flag(2, 1);
  assert.deepEqual(drained(view, false), ["* 2 FETCH (FLAGS (\\Seen))"]);
  assert.equal(view.toldModseq, before);
  assert.deepEqual(drained(view, true), ["* 1 EXPUNGE"]);
  assert.equal(view.toldModseq, columns.highestModseq);
});
