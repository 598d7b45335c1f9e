import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import plugin from "../scripts/lint_plugin.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The ids of the rules that fire on `source` when it stands in the file `path`. */
function fired(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, `${ROOT}${path}`, source).map(({ id }) => id);
}

interface Fixture {
  readonly rule: string;
  readonly path: string;
  readonly fires: readonly string[];
  readonly quiet: readonly string[];
}

const fixtures: readonly Fixture[] = [
  {
    rule: "imapd/no-command-name-branching",
    path: "src/imap/dispatch.ts",
    fires: [
      `if (name === "FETCH") stop();`,
      `if ("UID STORE" !== frame.command) stop();`,
      "if (name == `IDLE`) stop();",
      `switch (x) { case "UID STORE": stop(); }`,
      `switch (row.name) { case "XYZZY": stop(); }`,
      `if (row.name === "anything") stop();`,
      `if (frame.command.name !== "anything") stop();`,
      `if (row.name.toLowerCase() === "fetch") stop();`,
      `if (text.startsWith("UID ")) stop();`,
      `if (row.name.startsWith("U")) stop();`,
      `if (["FETCH", "STORE"].includes(name)) stop();`,
      `const quiet = new Set(["FETCH", "STORE", "SEARCH"]);`,
    ],
    quiet: [
      `if (row.usesSequenceNumbers) stop();`,
      `switch (item.name) { case "FLAGS": case "UID": case "ENVELOPE": stop(); }`,
      `switch (key.name) { case "ALL": case "OR": case "MODSEQ": stop(); }`,
      `if (state.name === "selected") stop();`,
      `if (option === "CHILDREN") stop();`,
      `const row = { name: "FETCH", state: "selected" };`,
      `const words = new Set(["FETCH", "anything"]);`,
    ],
  },
  {
    rule: "imapd/no-command-name-branching",
    path: "src/imap/commands/list.ts",
    fires: [`if (row.name === "LSUB") stop();`, `switch (command.name) { case "LIST": stop(); }`],
    quiet: [`if (option.name === "STATUS") stop();`, `if (option === "STATUS") stop();`],
  },
  {
    rule: "imapd/no-command-name-branching",
    path: "src/net/connection.ts",
    fires: [`if (frame.name === "STARTTLS") stop();`],
    quiet: [`if (frame.type === "literal") stop();`],
  },
  {
    rule: "imapd/no-command-name-branching",
    path: "src/wire/command_grammar.ts",
    fires: [],
    quiet: [`if (name === "FETCH") stop();`],
  },
  {
    rule: "imapd/no-console",
    path: "src/net/server.ts",
    fires: [`console.log("x");`, `console["error"]("x");`, `const print = console.log;`],
    quiet: [`log.info("listening");`, `// console.log("x")\n`],
  },
  {
    rule: "imapd/no-console",
    path: "src/cli/user.ts",
    fires: [],
    quiet: [`console.log("x");`],
  },
  {
    rule: "imapd/no-console",
    path: "scripts/demo.ts",
    fires: [],
    quiet: [`console.log("x");`],
  },
  {
    rule: "imapd/pure-folders",
    path: "src/wire/framer.ts",
    fires: [
      `Deno.readFileSync("x");`,
      `globalThis.Deno;`,
      `import { Buffer } from "node:buffer";`,
      `import type { Socket } from "node:net";`,
      `export * from "node:path";`,
      `export { join } from "node:path";`,
      `await import("node:fs");`,
      `Date.now();`,
      `performance.now();`,
      `new Date();`,
      `Date();`,
      `Math.random();`,
      `crypto.getRandomValues(bytes);`,
      `crypto.randomUUID();`,
      `process.env;`,
      `setTimeout(stop, 1);`,
    ],
    quiet: [
      `new Date(0);`,
      `Date.UTC(2026, 0, 1);`,
      `Math.floor(1.5);`,
      `import { Scanner } from "./scanner.ts";`,
      `limits.Deno;`,
    ],
  },
  { rule: "imapd/pure-folders", path: "src/message/mime.ts", fires: [`Date.now();`], quiet: [] },
  {
    rule: "imapd/pure-folders",
    path: "src/auth/sasl/plain.ts",
    fires: [`Math.random();`],
    quiet: [],
  },
  {
    rule: "imapd/pure-folders",
    path: "src/auth/pass_table.ts",
    fires: [],
    quiet: [`Date.now();`, `import { Buffer } from "node:buffer";`],
  },
  {
    rule: "imapd/bound-normal-form",
    path: "src/message/search_text.ts",
    fires: [`text.normalize("NFC");`, `text["normalize"]();`, `name?.normalize("NFC");`],
    quiet: [`normalForm(text, "NFC");`, `normalize(name);`],
  },
  {
    rule: "imapd/bound-normal-form",
    path: "src/normal_form.ts",
    fires: [],
    quiet: [`text.normalize("NFC");`],
  },
  {
    rule: "imapd/no-default-export",
    path: "src/app.ts",
    fires: [
      `export default function build() {}`,
      `export default 1;`,
      `const x = 1; export { x as default };`,
    ],
    quiet: [`export function build() {}`, `const x = 1; export { x };`],
  },
  {
    rule: "imapd/no-default-export",
    path: "scripts/lint_plugin.ts",
    fires: [],
    quiet: [`export default {};`],
  },
  {
    rule: "imapd/no-module-state",
    path: "src/net/server.ts",
    fires: [
      `let count = 0;`,
      `export let count = 0;`,
      `var count = 0;`,
      `const open = new Map();`,
      `export const seen = new Set<string>();`,
      `const cache = new WeakMap();`,
      `const open: Map<string, number> = new Map();`,
    ],
    quiet: [
      `const limit = 3;`,
      `const names = new Set(["a"]);`,
      `const none: ReadonlySet<number> = new Set<number>();`,
      `function f() { let count = 0; return count; }`,
      `class A { #open = new Map(); }`,
      `declare let x: number;`,
    ],
  },
  {
    rule: "imapd/no-module-state",
    path: "tests/harness.ts",
    fires: [],
    quiet: [`let count = 0;`],
  },
];

for (const { rule, path, fires, quiet } of fixtures) {
  Deno.test(`${rule} in ${path}: fires ${fires.length} times of ${fires.length + quiet.length}`, () => {
    for (const source of fires) assert.ok(fired(path, source).includes(rule), source);
    for (const source of quiet) assert.deepEqual(fired(path, source), [], source);
  });
}

Deno.test("lint plugin: every rule is shown firing", () => {
  const shown = new Set(fixtures.filter(({ fires }) => fires.length).map(({ rule }) => rule));
  assert.deepEqual([...shown].sort(), Object.keys(plugin.rules).map((id) => `imapd/${id}`).sort());
});
