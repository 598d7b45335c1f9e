import { deepStrictEqual, notStrictEqual } from "node:assert/strict";
import { exampleConfig } from "../../src/config/document.ts";
import { parseConfig } from "../../src/config/load.ts";
import { namespaces, top } from "../../src/config/schema/top.ts";
import { defaultOf, type Reading, type Section } from "../../src/config/setting.ts";

/** All settings below `section`, with their keys. */
function* allSettings(section: Section, path: string): Generator<[string, Section[string]]> {
  for (const [name, setting] of Object.entries(section)) {
    yield [`${path}${name}`, setting];
    for (const [variant, inner] of Object.entries(setting.kind.sections ?? {})) {
      yield* allSettings(inner, `${path}${name}(${variant}).`);
    }
  }
}

function* everySetting(): Generator<[string, Section[string]]> {
  yield* allSettings(top, "");
  for (const [namespace, modules] of Object.entries(namespaces)) {
    for (const [module, section] of Object.entries(modules)) {
      yield* allSettings(section, `${namespace}(${module}).`);
    }
  }
}

for (const [key, setting] of everySetting()) {
  if (setting.default === undefined) continue;
  Deno.test(`the default of ${key} is valid`, () => {
    const faults: string[] = [];
    const reading: Reading = {
      fault: (_at, message) => void faults.push(message),
      resolve: (path) => path,
      resolveRuntime: (path) => path,
      stateDir: "/state",
      block: () => undefined,
      blockNames: () => [],
      namespacesOf: () => [],
    };
    const value = defaultOf(setting);
    notStrictEqual(value && setting.kind.read(value, key, reading), undefined);
    deepStrictEqual(faults, []);
  });
}

Deno.test("every setting that has a value shows one in the reference", () => {
  const bare = [...everySetting()].filter(([, { kind, default: fallback, example, sample }]) =>
    (fallback ?? example ?? sample) === undefined && !["nothing", "tables"].includes(kind.name)
  );
  deepStrictEqual(bare.map(([key]) => key), []);
});

Deno.test("exampleConfig() is a config without faults, also with all its comments taken off", () => {
  parseConfig(exampleConfig(), "example.toml");
  const open = exampleConfig().replace(/^# (\w+ = .*)$/gm, "$1");
  notStrictEqual(open, exampleConfig());
  parseConfig(open, "example.toml");
});
