/** The text of a file table: `name: value` a line. Edits keep comments and order. */

/** The text is not a table; `line` counts from 1. The message holds no value: it may be secret. */
export class TableSyntaxError extends Error {
  constructor(readonly line: number, message: string) {
    super(message);
    this.name = "TableSyntaxError";
  }
}

/**
 * Reads a table. A line is split at its first colon, and both sides are trimmed; without a colon
 * the value is empty. A comma with a blank behind it separates values (hashes of passwords have
 * commas without one), and a name that stands on several lines has the values of all. Empty lines,
 * and lines with `#` in the first column, are skipped.
 *
 * @throws {TableSyntaxError}
 */
export function parseTable(text: string): Map<string, string[]> {
  const table = new Map<string, string[]>();
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    const { name, value } = entryIn(line);
    if (name === "") {
      throw new TableSyntaxError(i + 1, "Expected a name before the colon, got none");
    }
    table.set(name, [...table.get(name) ?? [], ...value.split(/,\s+/)]);
  });
  return table;
}

function entryIn(line: string): { name: string; value: string } {
  const colon = line.indexOf(":");
  if (colon < 0) return { name: line.trim(), value: "" };
  return { name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() };
}

/**
 * `text` with `value` as the one value of `name`: in the place of its first line, or at the end.
 *
 * @throws {RangeError} for what a line cannot hold
 */
export function withEntry(text: string, name: string, value: string): string {
  if (!fitsName(name)) {
    throw new RangeError(
      `Expected a name without colon, line end, leading "#" or spaces around it, got ${
        JSON.stringify(name)
      }`,
    );
  }
  if (/[\r\n]|,\s/.test(value)) {
    throw new RangeError("Expected a value of one line without a comma and a blank");
  }
  const lines = linesOf(text);
  const entry = `${name}: ${value}`;
  const at = lines.findIndex((line) => isEntryOf(line, name));
  if (at < 0) return joined([...lines, entry]);
  lines[at] = entry;
  return joined(lines.filter((line, i) => i <= at || !isEntryOf(line, name)));
}

function fitsName(name: string): boolean {
  return name !== "" && name === name.trim() && !/[:\r\n]/.test(name) && !name.startsWith("#");
}

/** `text` without any line of `name`. */
export function withoutEntry(text: string, name: string): string {
  return joined(linesOf(text).filter((line) => !isEntryOf(line, name)));
}

function isEntryOf(line: string, name: string): boolean {
  return !line.startsWith("#") && entryIn(line).name === name;
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
