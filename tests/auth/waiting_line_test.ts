import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { WaitingLine } from "../../src/auth/waiting_line.ts";

/** A line of items that are called after their places: "a1" waits at "a", "A1" is known there. */
function lineOf(most: number, ...items: string[]) {
  const line = new WaitingLine<string>(most);
  const join = (item: string) => {
    const place = item[0].toLowerCase();
    return line.join(item, { place, known: item[0] !== place });
  };
  const dropped = items.map(join).filter((item) => item !== undefined);
  return { line, join, dropped };
}

function rest(line: WaitingLine<string>): string {
  const taken: string[] = [];
  for (let item = line.next(); item !== undefined; item = line.next()) taken.push(item);
  strictEqual(line.size, 0);
  return taken.join(" ");
}

Deno.test("WaitingLine.next: gives a turn to each place, however many wait there", () => {
  const { line } = lineOf(100, "a1", "a2", "a3", "a4", "b1", "c1", "c2");
  strictEqual(rest(line), "a1 b1 c1 a2 c2 a3 a4");
});

Deno.test("WaitingLine.next: every other turn is of who is known", () => {
  const { line, join } = lineOf(100, "a1", "a2", "b1", "A1", "A2", "D1");
  strictEqual(rest(line), "A1 a1 D1 b1 A2 a2");
  join("b2");
  join("B3");
  strictEqual(line.next(), "B3");
});

Deno.test("WaitingLine.join: has the last one go of the place with most, and of the known none before", () => {
  const { line, join, dropped } = lineOf(4, "a1", "a2", "b1", "b2", "c1");
  deepStrictEqual(dropped, ["b2"]);
  strictEqual(line.size, 4);
  strictEqual(join("a3"), "a3");
  strictEqual(join("d1"), "a2");
  strictEqual(join("e1"), "e1", "who comes last where all are alone");
  strictEqual(join("A1"), "d1");
  for (const item of ["E1", "B1", "E2"]) join(item);
  strictEqual(join("E3"), "E3");
  strictEqual(join("z1"), "z1");
  strictEqual(rest(line), "A1 E1 B1 E2");
});

Deno.test("WaitingLine.empty: takes out all", () => {
  const { line } = lineOf(4, "a1", "A1", "b1");
  deepStrictEqual(line.empty(), ["A1", "a1", "b1"]);
  strictEqual(line.size, 0);
  strictEqual(line.next(), undefined);
});
