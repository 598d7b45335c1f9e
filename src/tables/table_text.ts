/** The text of a file table: `name: value` a line. Edits keep comments and order. */

/** The text is not a table; `line` counts from 1. The message holds no value: it may be secret. */
export class TableSyntaxError extends Error {
  constructor(readonly line: number, message: string) {
    super(message);
    this.name = "TableSyntaxError";
  }
}

/**
 * Reads a table. A line is split at its first colon, and both sides are trimmed; of equal names
 * the first counts. Empty lines, and lines with `#` in the first column, are skipped.
 *
 * @throws {TableSyntaxError}
 */
export function parseTable(text: string): Map<string, string> {
  const table = new Map<string, string>();
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    const name = nameIn(line);
    if (name === undefined) throw new TableSyntaxError(i + 1, "Expected name: value, got no colon");
    if (name === "") {
      throw new TableSyntaxError(i + 1, "Expected a name before the colon, got none");
    }
    if (!table.has(name)) table.set(name, line.slice(line.indexOf(":") + 1).trim());
  });
  return table;
}

function nameIn(line: string): string | undefined {
  const colon = line.indexOf(":");
  return colon < 0 ? undefined : line.slice(0, colon).trim();
}

/** `text` with the line of `name` replaced, or added at the end. @throws {RangeError} for what a line cannot hold */
export function withEntry(text: string, name: string, value: string): string {
  if (!fitsName(name)) {
    throw new RangeError(
      `Expected a name without colon, line end, leading "#" or spaces around it, got ${
        JSON.stringify(name)
      }`,
    );
  }
  if (/[\r\n]/.test(value)) throw new RangeError("Expected a value of one line");
  const lines = linesOf(text);
  const entry = `${name}: ${value}`;
  const at = lines.findIndex((line) => isEntryOf(line, name));
  if (at >= 0) lines[at] = entry;
  else lines.push(entry);
  return joined(lines);
}

function fitsName(name: string): boolean {
  return name !== "" && name === name.trim() && !/[:\r\n]/.test(name) && !name.startsWith("#");
}

/** `text` without any line of `name`. */
export function withoutEntry(text: string, name: string): string {
  return joined(linesOf(text).filter((line) => !isEntryOf(line, name)));
}

function isEntryOf(line: string, name: string): boolean {
  return !line.startsWith("#") && nameIn(line) === name;
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
