/** Kinds of values that hold settings of their own: tables, variants, and references to modules. */

import {
  type Kind,
  type NamedBlock,
  type Reading,
  readSection,
  type Section,
  type Values,
  wrong,
} from "./setting.ts";
import { didYouMean } from "./suggest.ts";
import type { TomlTable } from "./toml.ts";

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

/** Finds faults between the settings of one variant. */
export type Check = (table: TomlTable, key: string, reading: Reading) => void;

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

/** `[tls]`: a table whose `loader` chooses its other keys, or "off". */
export function tlsTable<V extends Variants>(
  variants: V,
  checks: { readonly [N in keyof V]?: Check },
): Kind<Chosen<"loader", V> | "off"> {
  const expected = '"off" or a table with a loader';
  return {
    name: 'table or "off"',
    expected,
    sections: variants,
    read(value, key, reading) {
      if (value.type === "string" && value.value === "off") return "off";
      if (value.type !== "table") return wrong(reading, value, key, expected);
      const read = readVariant(value, "loader", variants, key, reading);
      const loader = value.entries.get("loader")?.value;
      if (loader?.type === "string") checks[loader.value]?.(value, key, reading);
      return read;
    },
  };
}

/** `"&name"` of a `[namespace.name]` block, or an inline table with `module`. */
export function moduleReference<V extends Variants>(
  namespace: string,
  variants: V,
): Kind<Chosen<"module", V>> {
  const expected = `"&NAME" of a [${namespace}.NAME] block, or a table with a module`;
  return {
    name: `${namespace} module`,
    expected,
    sections: variants,
    read(value, key, reading) {
      if (value.type === "table") return readVariant(value, "module", variants, key, reading);
      if (value.type !== "string" || !/^&./.test(value.value)) {
        return wrong(reading, value, key, expected);
      }
      const name = value.value.slice(1);
      const block = reading.block(namespace, name);
      if (block === undefined) {
        const near = didYouMean(name, reading.blockNames(namespace));
        return void reading.fault(
          value.at,
          `${key} refers to [${namespace}.${name}], which does not exist${near}`,
        );
      }
      if (block.state === "reading") {
        return void reading.fault(value.at, `${key} refers to itself by "&${name}"`);
      }
      readBlock(block, namespace, name, variants, reading);
      return block.result as Chosen<"module", V> | undefined;
    },
  };
}

/** Reads a named block, unless that was done before. */
export function readBlock(
  block: NamedBlock,
  namespace: string,
  name: string,
  variants: Variants,
  reading: Reading,
): void {
  if (block.state !== "unread") return;
  block.state = "reading";
  const read = readVariant(block.table, "module", variants, `${namespace}.${name}`, reading);
  block.result = read && { ...read, blockName: name };
  block.state = "read";
}

function readVariant<D extends string, V extends Variants>(
  value: TomlTable,
  discriminator: D,
  variants: V,
  key: string,
  reading: Reading,
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
  if (values === undefined) return undefined;
  return { [discriminator]: word, ...values } as unknown as Chosen<D, V>;
}
