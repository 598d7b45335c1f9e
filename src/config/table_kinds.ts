/** Kinds of values that tables are set up with. */

import { domainToASCII } from "node:url";
import { RE2JS, RE2JSException } from "re2js";
import { list } from "./kinds.ts";
import { type Check, keyOf, type Kind, wrong } from "./setting.ts";
import type { TomlTable, TomlValue } from "./toml.ts";

/** Any string, also an empty one. */
export function text(): Kind<string> {
  const expected = "a string";
  return {
    name: "string",
    expected,
    read: (value, key, reading) =>
      value.type === "string" ? value.value : wrong(reading, value, key, expected),
  };
}

/** One value, or a list of at least one. */
export function oneOrMore<T>(item: Kind<T>): Kind<readonly T[]> {
  const items = list(item, 1);
  const expected = `${item.expected}, or ${items.expected}`;
  return {
    name: `${item.name} or list`,
    expected,
    read(value, key, reading) {
      if (value.type === "list") return items.read(value, key, reading);
      const one = item.read(value, key, reading);
      return one === undefined ? undefined : [one];
    },
  };
}

/** A regular expression. @see https://github.com/google/re2/wiki/Syntax */
export function pattern(): Kind<string> {
  const expected = "a pattern in the syntax of RE2";
  return {
    name: "pattern",
    expected,
    read(value, key, reading) {
      if (value.type !== "string") return wrong(reading, value, key, expected);
      const compiled = compile(value.value);
      if (compiled instanceof RE2JS) return value.value;
      return void reading.fault(
        value.at,
        `${key} must be ${expected}: got ${value.source} (${compiled})`,
      );
    },
  };
}

/** The pattern, or what is wrong with it. */
function compile(pattern: string): RE2JS | string {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return error.message.replace(/^error parsing regexp: /, "");
  }
}

/** The placeholders of `replacement` must stand for groups that `pattern` has. */
export const placeholdersHaveGroups: Check = (table, key, reading) => {
  const written = stringIn(table, "pattern");
  const expand = table.entries.get("expand_placeholders")?.value;
  if (written === undefined || expand?.type === "boolean" && !expand.value) return;
  const compiled = compile(written);
  if (typeof compiled === "string") return;
  for (const value of stringsIn(table.entries.get("replacement")?.value)) {
    for (const [placeholder, braced, bare] of value.value.matchAll(PLACEHOLDER)) {
      const name = braced ?? bare;
      if (name === undefined || hasGroup(compiled, name)) continue;
      reading.fault(
        value.at,
        `${keyOf(key, "replacement")} must have placeholders for groups of the pattern only: got ` +
          placeholder,
      );
    }
  }
};

const PLACEHOLDER = /\$\$|\$\{(\w+)\}|\$(\w+)/g;

function hasGroup(pattern: RE2JS, name: string): boolean {
  return /^\d+$/.test(name)
    ? Number(name) <= pattern.groupCount()
    : Object.hasOwn(pattern.namedGroups(), name);
}

function stringIn(table: TomlTable, name: string): string | undefined {
  return stringsIn(table.entries.get(name)?.value).at(0)?.value;
}

function stringsIn(value: TomlValue | undefined) {
  const values = value?.type === "list" ? value.items : [value];
  return values.filter((each) => each?.type === "string");
}

/** A domain, also one with other letters than ASCII's. */
export function domain(): Kind<string> {
  const expected = 'a domain such as "example.org"';
  const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
  return {
    name: "domain",
    expected,
    read: (value, key, reading) =>
      value.type === "string" &&
        domainToASCII(value.value).split(".").every((part) => label.test(part))
        ? value.value
        : wrong(reading, value, key, expected),
  };
}

/** Which database: for SQLite the path of a file, made absolute. Parts of a list are joined. */
export function dsn(): Kind<string> {
  const expected = "the path of a database's file";
  return {
    name: "database",
    expected,
    read(value, key, reading) {
      const parts = stringsIn(value);
      const joined = parts.map((part) => part.value).join(" ");
      const whole = value.type !== "list" || parts.length === value.items.length;
      if (!whole || joined === "" || joined.includes("\0")) {
        return wrong(reading, value, key, expected);
      }
      return reading.resolve(joined);
    },
  };
}
