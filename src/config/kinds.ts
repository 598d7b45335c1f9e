/** Kinds of plain values: how each is written in TOML, and how it is refused. */

import { isAbsolute } from "node:path";
import { type Kind, wrong } from "./setting.ts";

/** true or false. */
export function boolean(): Kind<boolean> {
  const expected = "true or false";
  return {
    name: "boolean",
    expected,
    read: (value, key, reading) =>
      value.type === "boolean" ? value.value : wrong(reading, value, key, expected),
  };
}

/** A whole number within bounds. */
export function integer(bounds: { atLeast: number; atMost: number }): Kind<number> {
  const expected = `a whole number from ${bounds.atLeast} to ${bounds.atMost}`;
  return {
    name: "integer",
    expected,
    read: (value, key, reading) =>
      value.type === "integer" && value.value >= bounds.atLeast && value.value <= bounds.atMost
        ? value.value
        : wrong(reading, value, key, expected),
  };
}

/** A string that `fits`, described by `expected`. */
export function string(
  expected = "a string",
  fits: (text: string) => boolean = (text) => text !== "",
): Kind<string> {
  return {
    name: "string",
    expected,
    read: (value, key, reading) =>
      value.type === "string" && fits(value.value)
        ? value.value
        : wrong(reading, value, key, expected),
  };
}

/** A string that {@link string} takes, too; but no fault shows it. */
export function secret(
  expected = "a string that is not empty",
  fits: (text: string) => boolean = (text) => text !== "",
): Kind<string> {
  return {
    name: "string",
    expected,
    read(value, key, reading) {
      if (value.type === "string" && fits(value.value)) return value.value;
      reading.fault(value.at, `${key} must be ${expected}: got something else`);
      return undefined;
    },
  };
}

/** A DNS name, such as a server tells clients. */
export function hostname(): Kind<string> {
  return { ...string('a host name such as "mail.example.org"', isHostname), name: "host name" };
}

/** Whether `text` can be a DNS name. */
export function isHostname(text: string): boolean {
  const label = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;
  return text.length <= 253 && text.split(".").every((part) => label.test(part));
}

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["kB", 1e3],
  ["KiB", 2 ** 10],
  ["MB", 1e6],
  ["MiB", 2 ** 20],
  ["GB", 1e9],
  ["GiB", 2 ** 30],
]);

/** A number of octets, such as "64 MiB". */
export function size(bounds: { atLeast: string; atMost: string }): Kind<number> {
  const expected = `a size from "${bounds.atLeast}" to "${bounds.atMost}"`;
  const least = octetsOf(bounds.atLeast) ?? 0;
  const most = octetsOf(bounds.atMost) ?? Infinity;
  return {
    name: "size",
    expected,
    read(value, key, reading) {
      const octets = value.type === "string" ? octetsOf(value.value) : undefined;
      if (octets === undefined || octets < least || octets > most) {
        return wrong(reading, value, key, expected);
      }
      return octets;
    },
  };
}

/** Octets of a size such as "64 MiB"; undefined for anything else. */
export function octetsOf(text: string): number | undefined {
  const match = text.match(/^(\d{1,12}) ?([A-Za-z]+)$/);
  const unit = match && SIZE_UNITS.get(match[2]);
  return unit ? Number(match[1]) * unit : undefined;
}

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1e3],
  ["m", 60e3],
  ["h", 3600e3],
  ["d", 86400e3],
]);

/** Milliseconds, written such as "90s", "30m" or "1h 30m". */
export function duration(bounds: { atLeast: string; atMost: string }): Kind<number> {
  const expected = `a duration from "${bounds.atLeast}" to "${bounds.atMost}"`;
  const least = durationOf(bounds.atLeast) ?? 0;
  const most = durationOf(bounds.atMost) ?? Infinity;
  return {
    name: "duration",
    expected,
    read(value, key, reading) {
      const ms = value.type === "string" ? durationOf(value.value) : undefined;
      if (ms === undefined || ms < least || ms > most) return wrong(reading, value, key, expected);
      return ms;
    },
  };
}

function durationOf(text: string): number | undefined {
  if (!/^\d{1,9} ?(?:ms|[smhd])(?: ?\d{1,9} ?(?:ms|[smhd]))*$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+) ?(ms|[smhd])/g)) {
    sum += Number(count) * (DURATION_UNITS.get(unit) ?? 0);
  }
  return sum;
}

/** One of some words. */
export function choice<const W extends string>(words: readonly W[]): Kind<W> {
  const quoted = words.map((word) => `"${word}"`);
  const expected = quoted.length === 1
    ? quoted[0]
    : `${quoted.slice(0, -1).join(", ")} or ${quoted[quoted.length - 1]}`;
  return {
    name: "word",
    expected,
    read(value, key, reading) {
      const found = words.find((word) => value.type === "string" && value.value === word);
      return found ?? wrong(reading, value, key, expected, words);
    },
  };
}

/** A word that stands for something special, or a value of another kind. */
export function wordOr<const W extends string, T>(word: W, other: Kind<T>): Kind<W | T> {
  const expected = `"${word}" or ${other.expected}`;
  return {
    name: `"${word}" or ${other.name}`,
    expected,
    read(value, key, reading) {
      if (value.type !== "string") return other.read(value, key, reading);
      return value.value === word ? word : wrong(reading, value, key, expected, [word]);
    },
  };
}

/** A path, made absolute; relative ones start at the config file's folder. */
export function path(): Kind<string> {
  const expected = "a path";
  return {
    name: "path",
    expected,
    read: (value, key, reading) =>
      value.type === "string" && isPath(value.value)
        ? reading.resolve(value.value)
        : wrong(reading, value, key, expected),
  };
}

function isPath(text: string): boolean {
  return text !== "" && !text.includes("\0");
}

/**
 * A path with `{state_dir}` (filled in here) and the names in `fields` (left for later), of which
 * at least one of `distinct` must be used.
 */
export function pathTemplate(
  fields: readonly string[],
  distinct: readonly string[],
): Kind<string> {
  const names = ["state_dir", ...fields];
  const expected = `a path with ${distinct.map((name) => `{${name}}`).join(" or ")} and no other ` +
    `braces than ${names.map((name) => `{${name}}`).join(", ")}`;
  return {
    name: "path template",
    expected,
    read(value, key, reading) {
      if (value.type !== "string" || !isPath(value.value)) {
        return wrong(reading, value, key, expected);
      }
      const used = [...value.value.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1]);
      const rest = value.value.replace(/\{[^{}]*\}/g, "");
      if (
        /[{}]/.test(rest) || used.some((name) => !names.includes(name)) ||
        !distinct.some((name) => used.includes(name))
      ) return wrong(reading, value, key, expected);
      // A function, so that "$&" in the folder's name stays what it is.
      return reading.resolve(value.value.replaceAll("{state_dir}", () => reading.stateDir));
    },
  };
}

/** A lowest and a highest one of `words`, which are in rising order; a single one is both. */
export function range<const W extends string>(
  words: readonly W[],
): Kind<{ readonly lowest: W; readonly highest: W }> {
  const word = choice(words);
  const expected = `a list of one or two, lowest first, of ${word.expected}`;
  return {
    name: "range of words",
    expected,
    read(value, key, reading) {
      if (value.type !== "list" || value.items.length < 1 || value.items.length > 2) {
        return wrong(reading, value, key, expected);
      }
      const ends = value.items.map((item, i) => word.read(item, `${key}[${i}]`, reading));
      const [lowest, highest = lowest] = ends;
      if (lowest === undefined || highest === undefined || ends.includes(undefined)) return;
      if (words.indexOf(lowest) > words.indexOf(highest)) {
        return wrong(reading, value, key, expected);
      }
      return { lowest, highest };
    },
  };
}

/** A list of at least `atLeast` values of one kind. */
export function list<T>(item: Kind<T>, atLeast = 0): Kind<readonly T[]> {
  const expected = `a list${atLeast > 0 ? ` of at least ${atLeast}` : ""}, each ${item.expected}`;
  return {
    name: `list of ${item.name}`,
    expected,
    read(value, key, reading) {
      if (value.type !== "list" || value.items.length < atLeast) {
        return wrong(reading, value, key, expected);
      }
      const read = value.items.map((each, i) => item.read(each, `${key}[${i}]`, reading));
      return read.every((each) => each !== undefined) ? read as T[] : undefined;
    },
  };
}

/** A table from `names`, which are those that `fits` takes, to values of one kind. */
export function mapOf<T>(
  names: string,
  fits: (name: string) => boolean,
  item: Kind<T>,
): Kind<ReadonlyMap<string, T>> {
  const expected = `a table from ${names} to ${item.expected}`;
  return {
    name: "table",
    expected,
    read(value, key, reading) {
      if (value.type !== "table") return wrong(reading, value, key, expected);
      const map = new Map<string, T>();
      let good = true;
      for (const [name, entry] of value.entries) {
        const read = item.read(entry.value, `${key}.${name}`, reading);
        if (!fits(name)) {
          reading.fault(entry.keyAt, `${key} must be ${expected}: got the name "${name}"`);
        }
        if (read === undefined || !fits(name)) good = false;
        else map.set(name, read);
      }
      return good ? map : undefined;
    },
  };
}

const LOG_WORDS = ["stderr", "stderr_ts", "syslog", "off"];

/** Where log lines go: one of some words, or a file's path (which has a "/"). */
export function logTargets(): Kind<readonly string[]> {
  const expected = 'a list of "stderr", "stderr_ts", "syslog" and paths of files with a "/", ' +
    'or ["off"]';
  return {
    name: "list of log targets",
    expected,
    read(value, key, reading) {
      if (value.type !== "list" || value.items.length === 0) {
        return wrong(reading, value, key, expected);
      }
      const targets: string[] = [];
      for (const item of value.items) {
        if (item.type !== "string" || !isLogTarget(item.value)) wrong(reading, item, key, expected);
        else if (LOG_WORDS.includes(item.value)) targets.push(item.value);
        else targets.push(reading.resolve(item.value));
      }
      if (targets.includes("off") && value.items.length > 1) {
        return wrong(reading, value, key, expected);
      }
      return targets.length === value.items.length ? targets : undefined;
    },
  };
}

function isLogTarget(text: string): boolean {
  return LOG_WORDS.includes(text) || (isPath(text) && (isAbsolute(text) || text.includes("/")));
}
