/** Rows for people as a table, for scripts as JSON. */

import { type Arguments, isOn } from "./command.ts";
import { print, printError } from "./output.ts";

/** A column: what stands above it, and what stands in it. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string | number | undefined;
  /** Numbers stand at the right. */
  readonly right?: boolean;
}

/**
 * Prints `rows`: with `--json` each as one line of JSON as soon as it is there, else as a table.
 *
 * @param none what to tell, on standard error, when there are none
 * @returns how many there were
 */
export async function printRows<Row extends object>(
  args: Arguments,
  rows: AsyncIterable<Row>,
  columns: readonly Column<Row>[],
  none: string,
): Promise<number> {
  if (isOn(args, "json")) {
    let count = 0;
    for await (const row of rows) {
      print(JSON.stringify(row));
      count++;
    }
    return count;
  }
  const all = await Array.fromAsync(rows);
  if (all.length === 0) printError(none);
  else print(tableOf(all, columns));
  return all.length;
}

function tableOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ text }) => shown(String(text(row) ?? "")))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => widthOf(line[i]))));
  return cells.map((line) =>
    line.map((cell, i) => {
      const space = " ".repeat(widths[i] - widthOf(cell));
      return columns[i].right ? space + cell : cell + space;
    }).join("  ").trimEnd()
  ).join("\n");
}

/** What came by mail must not steer the terminal. */
function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "�");
}

/** Columns on a terminal: letters of East Asia take two, combining marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const char of text) {
    if (/\p{Mn}|\p{Me}/u.test(char)) continue;
    width += WIDE.test(char) ? 2 : 1;
  }
  return width;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
