/** TOML as values that know where they stand in the file. */

import { ParseError, parseTOML } from "toml-eslint-parser";
import type { AST } from "toml-eslint-parser";

/** Line and column, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

interface Located {
  readonly at: Position;
  /** The value as it is written in the file. */
  readonly source: string;
}

export type TomlValue = TomlScalar | TomlList | TomlTable;

export type TomlScalar =
  & Located
  & (
    | { readonly type: "string"; readonly value: string }
    | { readonly type: "integer"; readonly value: number }
    | { readonly type: "float"; readonly value: number }
    | { readonly type: "boolean"; readonly value: boolean }
    | { readonly type: "datetime" }
  );

export interface TomlList extends Located {
  readonly type: "list";
  readonly items: TomlValue[];
}

export interface TomlTable extends Located {
  readonly type: "table";
  readonly entries: Map<string, TomlEntry>;
}

export interface TomlEntry {
  readonly keyAt: Position;
  readonly value: TomlValue;
}

/** The text is not TOML, or defines a key twice. */
export class TomlFault extends Error {
  constructor(readonly at: Position, message: string) {
    super(message);
    this.name = "TomlFault";
  }
}

/** @throws {TomlFault} for the first thing in `text` that is not TOML */
export function readToml(text: string): TomlTable {
  const root = emptyTable({ line: 1, column: 1 });
  for (const node of parse(text)) {
    if (node.type === "TOMLKeyValue") {
      putKeyValue(root, node, text);
      continue;
    }
    const table = openTable(root, node);
    for (const pair of node.body) putKeyValue(table, pair, text);
  }
  return root;
}

function parse(text: string): readonly (AST.TOMLKeyValue | AST.TOMLTable)[] {
  try {
    return parseTOML(text).body[0].body;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const message = error.message.startsWith("Defining a key multiple times")
      ? `key ${keyAt(text, error.index)} is defined twice`
      : `invalid TOML: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
    throw new TomlFault(positionOfFault(error, text), message);
  }
}

/** A value that is missing at the end of a line is reported there, and not at the start of the next one. */
function positionOfFault({ lineNumber, column, message }: ParseError, text: string): Position {
  if (column > 0 || lineNumber === 1 || !message.startsWith("Unspecified")) {
    return { line: lineNumber, column: column + 1 };
  }
  const before = text.split("\n")[lineNumber - 2].replace(/\r$/, "");
  return { line: lineNumber - 1, column: before.length + 1 };
}

function keyAt(text: string, index: number): string {
  return text.slice(index).match(/^(?:"[^"\n]*"|'[^'\n]*'|[\w-]+)/)?.[0] ?? "";
}

function emptyTable(at: Position, source = ""): TomlTable {
  return { type: "table", entries: new Map(), at, source };
}

function positionOf(node: { loc: AST.SourceLocation }): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === "TOMLBare" ? key.name : key.value;
}

/** Finds or makes the table of a header; the numbers in its resolved key count list items. */
function openTable(root: TomlTable, header: AST.TOMLTable): TomlTable {
  let at: TomlTable | TomlList = root;
  let name = 0;
  const { resolvedKey } = header;
  for (let i = 0; i < resolvedKey.length; i++) {
    const step = resolvedKey[i];
    const position = positionOf(header.key.keys[typeof step === "string" ? name++ : name - 1]);
    const isList: boolean = typeof resolvedKey[i + 1] === "number";
    at = typeof step === "number"
      ? itemAt(at, step, position)
      : childOf(at, step, position, isList);
  }
  if (at.type === "list") throw new TypeError("Expected a table header to end in a table");
  return at;
}

function itemAt(list: TomlTable | TomlList, index: number, at: Position): TomlTable {
  if (list.type !== "list") throw new TypeError("Expected a list of tables");
  const item = list.items[index] ??= emptyTable(at);
  if (item.type !== "table") throw new TypeError("Expected a list of tables");
  return item;
}

function childOf(
  parent: TomlTable | TomlList,
  key: string,
  at: Position,
  isList: boolean,
): TomlTable | TomlList {
  if (parent.type !== "table") throw new TypeError("Expected a table");
  const found = parent.entries.get(key)?.value;
  if (found !== undefined) {
    if (found.type === "table" || found.type === "list") return found;
    throw new TypeError("Expected a table or a list");
  }
  const value: TomlTable | TomlList = isList
    ? { type: "list", items: [], at, source: "" }
    : emptyTable(at);
  parent.entries.set(key, { keyAt: at, value });
  return value;
}

function putKeyValue(table: TomlTable, pair: AST.TOMLKeyValue, text: string): void {
  const keys = pair.key.keys;
  let into = table;
  for (const key of keys.slice(0, -1)) {
    const child = childOf(into, nameOf(key), positionOf(key), false);
    if (child.type !== "table") throw new TypeError("Expected a table");
    into = child;
  }
  const last = keys[keys.length - 1];
  into.entries.set(nameOf(last), { keyAt: positionOf(last), value: valueOf(pair.value, text) });
}

function valueOf(node: AST.TOMLContentNode, text: string): TomlValue {
  const at = positionOf(node);
  const source = text.slice(node.range[0], node.range[1]);
  if (node.type === "TOMLArray") {
    return { type: "list", items: node.elements.map((item) => valueOf(item, text)), at, source };
  }
  if (node.type === "TOMLInlineTable") {
    const table = emptyTable(at, source);
    for (const pair of node.body) putKeyValue(table, pair, text);
    return table;
  }
  switch (node.kind) {
    case "string":
      return { type: "string", value: node.value, at, source };
    case "integer":
      return { type: "integer", value: node.value, at, source };
    case "float":
      return { type: "float", value: node.value, at, source };
    case "boolean":
      return { type: "boolean", value: node.value, at, source };
    default:
      return { type: "datetime", at, source };
  }
}
