/** What a setting is, and how a table of settings is read. */

import { didYouMean } from "./suggest.ts";
import { type Position, readToml, type TomlTable, type TomlValue } from "./toml.ts";

/** What the kinds need while a file is read. */
export interface Reading {
  fault(at: Position, message: string): void;
  /** An absolute path for one that may be relative to the config file. */
  resolve(path: string): string;
  /** An absolute path for one that may be relative to `runtime_dir`. */
  resolveRuntime(path: string): string;
  readonly stateDir: string;
  /** Finds `[namespace.name]` and marks it as used. */
  block(namespace: string, name: string): NamedBlock | undefined;
  blockNames(namespace: string): readonly string[];
  /** Namespaces that have a block of this name. */
  namespacesOf(name: string): readonly string[];
}

/** A `[namespace.name]` table; `result` keeps what it was read as, so that all references share it. */
export interface NamedBlock {
  readonly table: TomlTable;
  readonly at: Position;
  state: "unread" | "reading" | "read";
  result?: unknown;
}

/** How a value is read, and how it is described. */
export interface Kind<T> {
  /** One or two words for the reference, such as "size". */
  readonly name: string;
  /** Ends the sentence "key must be …". */
  readonly expected: string;
  /** Undefined after at least one fault was reported. */
  readonly read: (value: TomlValue, key: string, reading: Reading) => T | undefined;
  /**
   * Settings within such a value, by the name of the variant ("" if there is only one). Those of
   * named modules are in `namespaces`.
   */
  readonly sections?: Readonly<Record<string, Section>>;
}

export interface Setting<T> {
  readonly kind: Kind<T>;
  readonly required: boolean;
  /** TOML text. */
  readonly default?: string;
  /** Sentences in Markdown. */
  readonly doc: string;
  /** TOML text that the example config shows instead of the default. */
  readonly example?: string;
  /** TOML text that only the reference shows. */
  readonly sample?: string;
  /**
   * An argument where a module is written as `["module", argument, …]`; arguments have the order
   * of the section. "rest" is a list of all that are left.
   */
  readonly inline?: boolean | "rest";
  /** Finds faults between this and other settings of its table; also called where it is absent. */
  readonly check?: Check;
}

/** Finds faults between the settings of one table. @param key of the table */
export type Check = (table: TomlTable, key: string, reading: Reading) => void;

export type Section = Readonly<Record<string, Setting<unknown>>>;

type Camel<K> = K extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : K;

/** The values of a section, with `snake_case` keys turned into `camelCase`. */
export type Values<S extends Section> = {
  readonly [K in keyof S as Camel<K> & string]: S[K] extends Setting<infer T> ? T : never;
};

type SettingText = Pick<Setting<unknown>, "doc" | "example" | "sample" | "inline" | "check">;

/** A setting with a default, given as TOML text. */
export function setting<T>(kind: Kind<T>, text: SettingText & { default: string }): Setting<T> {
  return { kind, required: false, ...text };
}

/** A setting that must be there. */
export function required<T>(kind: Kind<T>, text: SettingText): Setting<T> {
  return { kind, required: true, ...text };
}

/** A setting that may be absent and has no default value. */
export function optional<T>(kind: Kind<T>, text: SettingText): Setting<T | undefined> {
  return { kind, required: false, ...text };
}

/** Reports that `value` is not what `expected` says; `names` are those it may be a slip of. */
export function wrong(
  reading: Reading,
  value: TomlValue,
  key: string,
  expected: string,
  names: readonly string[] = [],
): undefined {
  const near = value.type === "string" ? didYouMean(value.value, names) : "";
  reading.fault(value.at, `${key} must be ${expected}: got ${written(value)}${near}`);
  return undefined;
}

function written(value: TomlValue): string {
  if (value.type === "table") return "a table";
  // Some write a password into a URL, whether or not it may have one.
  const line = value.source.replace(/\s+/g, " ").replace(/(\/\/[^\s/:@]*):[^\s/@]*@/g, "$1:***@");
  if (line === "") return "a list of tables";
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** The key of an entry of the table at `path` ("" is the top). */
export function keyOf(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/**
 * Reads a table by its section. Every key that is unknown, missing or wrong is a fault; then the
 * result is undefined.
 *
 * @param others keys that the table may have beside the section's
 */
export function readSection<S extends Section>(
  table: TomlTable,
  section: S,
  path: string,
  reading: Reading,
  others: readonly string[] = [],
): Values<S> | undefined {
  const known = [...Object.keys(section), ...others];
  let good = true;
  for (const [name, entry] of table.entries) {
    if (known.includes(name)) continue;
    reading.fault(entry.keyAt, `unknown key ${name}${didYouMean(name, known)}`);
    good = false;
  }
  const values: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(section)) {
    entry.check?.(table, path, reading);
    const value = table.entries.get(name)?.value ?? defaultOf(entry);
    if (value === undefined) {
      if (!entry.required) continue;
      reading.fault(table.at, `${keyOf(path, name)} is missing: it must be ${entry.kind.expected}`);
      good = false;
      continue;
    }
    const read = entry.kind.read(value, keyOf(path, name), reading);
    if (read === undefined) good = false;
    values[camelCase(name)] = read;
  }
  return good ? values as Values<S> : undefined;
}

/** The default of a setting as a TOML value. */
export function defaultOf(entry: Setting<unknown>): TomlValue | undefined {
  if (entry.default === undefined) return undefined;
  return readToml(`value = ${entry.default}`).entries.get("value")?.value;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
