/** Kinds of values that hold settings of their own: tables, variants, and references to modules. */

import {
  type Check,
  type Kind,
  type NamedBlock,
  type Reading,
  readSection,
  type Section,
  type Values,
  wrong,
} from "./setting.ts";
import { didYouMean } from "./suggest.ts";
import type { TomlScalar, TomlTable, TomlValue } from "./toml.ts";

/** Sections by the word that chooses one of them. */
export type Variants = Readonly<Record<string, Section>>;

/**
 * The values of the variant that was chosen, with the choosing word under `D`; `blockName` is
 * the name of the named block that it was read from.
 */
export type Chosen<D extends string, V extends Variants> = {
  [N in keyof V & string]:
    & { readonly [key in D]: N }
    & { readonly blockName?: string }
    & Values<V[N]>;
}[keyof V & string];

type Checks = Readonly<Record<string, Check>>;

/** A table with settings of its own. */
export function table<S extends Section>(section: S): Kind<Values<S>> {
  const expected = "a table";
  return {
    name: "table",
    expected,
    sections: { "": section },
    read: (value, key, reading) =>
      value.type === "table"
        ? readSection(value, section, key, reading)
        : wrong(reading, value, key, expected),
  };
}

/** A table with settings of its own, or a list that stands for its key `list` alone. */
export function tableOrList<S extends Section>(
  section: S,
  list: keyof S & string,
  listed: string,
): Kind<Values<S>> {
  const expected = `${listed}; or a table with ${list}`;
  return {
    name: "table or list",
    expected,
    sections: { "": section },
    read(value, key, reading) {
      if (value.type === "table") return readSection(value, section, key, reading);
      if (value.type !== "list") return wrong(reading, value, key, expected);
      const { at, source } = value;
      const entries = new Map([[list, { keyAt: at, value }]]);
      return readSection({ type: "table", entries, at, source }, section, key, reading);
    },
  };
}

/** One or more tables of the same section: `[[key]]`. */
export function tables<S extends Section>(section: S): Kind<readonly Values<S>[]> {
  const expected = "one or more [[…]] tables";
  return {
    name: "tables",
    expected,
    sections: { "": section },
    read(value, key, reading) {
      if (value.type !== "list" || value.items.length === 0) {
        return wrong(reading, value, key, expected);
      }
      const read = value.items.map((item) =>
        item.type === "table"
          ? readSection(item, section, key, reading)
          : wrong(reading, item, key, expected)
      );
      return read.every((each) => each !== undefined) ? read as Values<S>[] : undefined;
    },
  };
}

/**
 * A module: `"&name"` of a `[namespace.name]` block, a module's name, a list of a module's name
 * and its inline arguments, or a table with `module`.
 *
 * @param modules given late, because modules may refer to modules of their own namespace
 * @param checks by module
 */
export function moduleReference<V extends Variants>(
  namespace: string,
  modules: () => V,
  checks: Checks = {},
): Kind<Chosen<"module", V>> {
  const expected = `"&NAME" of a [${namespace}.NAME] block, "MODULE", ["MODULE", "ARGUMENT", …] ` +
    "or a table with a module";
  return {
    name: `${namespace} module`,
    expected,
    read(value, key, reading) {
      const variants = modules();
      if (value.type === "table") {
        return readVariant(value, "module", variants, key, reading, checks);
      }
      const [name, ...args] = value.type === "list" ? value.items : [value];
      if (name?.type !== "string") return wrong(reading, value, key, expected);
      if (Object.hasOwn(variants, name.value)) {
        const table = inlineTable(value, name, args, variants[name.value], key, reading);
        return table && readVariant(table, "module", variants, key, reading, checks);
      }
      if (value.type === "list" || !/^&./.test(name.value)) {
        return wrong(reading, name, key, expected, Object.keys(variants));
      }
      return referred(name, namespace, variants, key, reading, checks);
    },
  };
}

/**
 * One module or several: a list is one of references, unless it begins with a module's name, whose
 * arguments then follow.
 *
 * @param modules those that `one` knows
 */
export function moduleReferences<T>(one: Kind<T>, modules: () => Variants): Kind<readonly T[]> {
  const expected = `${one.expected}, or a list of such`;
  return {
    name: `list of ${one.name}`,
    expected,
    read(value, key, reading) {
      const [first] = value.type === "list" ? value.items : [];
      const isList = value.type === "list" &&
        (first?.type !== "string" || first.value.startsWith("&"));
      if (!isList) {
        if (hasModuleAsArgument(value, modules(), key, reading)) return undefined;
        const read = one.read(value, key, reading);
        return read && [read];
      }
      if (first === undefined) return wrong(reading, value, key, expected);
      const read = value.items.map((item, i) => one.read(item, `${key}[${i}]`, reading));
      return read.every((each) => each !== undefined) ? read as T[] : undefined;
    },
  };
}

/** `["pam", "shadow"]` is most probably meant as two modules, and would be one with an argument. */
function hasModuleAsArgument(
  value: TomlValue,
  modules: Variants,
  key: string,
  reading: Reading,
): boolean {
  const [first, ...args] = value.type === "list" ? value.items : [];
  const other = args.find((each) => each.type === "string" && Object.hasOwn(modules, each.value));
  if (first?.type !== "string" || other === undefined) return false;
  reading.fault(
    other.at,
    `${key} must have each of several modules in a list of its own, such as [[${first.source}], ` +
      `[${other.source}]]: got ${other.source} as an argument of ${first.source}`,
  );
  return true;
}

/** The table that stands for a module's name and its arguments. */
function inlineTable(
  value: TomlValue,
  name: TomlValue,
  args: readonly TomlValue[],
  section: Section,
  key: string,
  reading: Reading,
): TomlTable | undefined {
  const { at, source } = value;
  const entries = new Map([["module", { keyAt: name.at, value: name }]]);
  const left = [...args];
  for (const [setting, { inline }] of Object.entries(section)) {
    if (inline === undefined || inline === false || left.length === 0) continue;
    const items = left.splice(0, inline === "rest" ? left.length : 1);
    const [first] = items;
    const argument: TomlValue = inline === "rest"
      ? { type: "list", items, at: first.at, source }
      : first;
    entries.set(setting, { keyAt: first.at, value: argument });
  }
  if (left.length === 0) return { type: "table", entries, at, source };
  const most = args.length - left.length;
  const allowed = most === 0 ? "no arguments" : `at most ${most} argument${most === 1 ? "" : "s"}`;
  reading.fault(left[0].at, `${key} must have ${allowed}: got ${args.length}`);
  return undefined;
}

function referred<V extends Variants>(
  reference: TomlScalar & { readonly type: "string" },
  namespace: string,
  variants: V,
  key: string,
  reading: Reading,
  checks: Checks,
): Chosen<"module", V> | undefined {
  const name = reference.value.slice(1);
  const block = reading.block(namespace, name);
  if (block === undefined) {
    const others = reading.namespacesOf(name).map((other) => `[${other}.${name}]`);
    const hint = others.length > 0
      ? `: ${others.join(" and ")} cannot stand here`
      : didYouMean(name, reading.blockNames(namespace));
    reading.fault(
      reference.at,
      `${key} refers to [${namespace}.${name}], which does not exist${hint}`,
    );
    return undefined;
  }
  if (block.state === "reading") {
    return void reading.fault(reference.at, `${key} refers to itself by "&${name}"`);
  }
  readBlock(block, namespace, name, variants, reading, checks);
  return block.result as Chosen<"module", V> | undefined;
}

/** Reads a named block, unless that was done before. */
export function readBlock(
  block: NamedBlock,
  namespace: string,
  name: string,
  variants: Variants,
  reading: Reading,
  checks: Checks = {},
): void {
  if (block.state !== "unread") return;
  block.state = "reading";
  const key = `${namespace}.${name}`;
  const read = readVariant(block.table, "module", variants, key, reading, checks);
  block.result = read && { ...read, blockName: name };
  block.state = "read";
}

function readVariant<D extends string, V extends Variants>(
  value: TomlTable,
  discriminator: D,
  variants: V,
  key: string,
  reading: Reading,
  checks: Checks,
): Chosen<D, V> | undefined {
  const words = Object.keys(variants);
  const expected = words.map((word) => `"${word}"`).join(" or ");
  const chosen = value.entries.get(discriminator)?.value;
  if (chosen === undefined) {
    reading.fault(value.at, `${key}.${discriminator} is missing: it must be ${expected}`);
    return undefined;
  }
  const word = chosen.type === "string" ? chosen.value : undefined;
  if (word === undefined || !words.includes(word)) {
    return wrong(reading, chosen, `${key}.${discriminator}`, expected, words);
  }
  const values = readSection(value, variants[word], key, reading, [discriminator]);
  checks[word]?.(value, key, reading);
  if (values === undefined) return undefined;
  return { [discriminator]: word, ...values } as unknown as Chosen<D, V>;
}
