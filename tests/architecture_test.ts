import assert from "node:assert/strict";
import { violations } from "./architecture.ts";

const ROOT = new URL("..", import.meta.url);

/** `main.ts` and all of `src/`, by path from the project's folder. */
async function sources(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  async function add(path: string) {
    files.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  }
  async function walk(folder: string) {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
      if (isDirectory) await walk(`${folder}${name}/`);
      else if (name.endsWith(".ts")) await add(`${folder}${name}`);
    }
  }
  await walk("src/");
  await add("main.ts");
  return files;
}

Deno.test("violations: there are none in the source", async () => {
  const files = await sources();
  assert.ok(files.size > 10);
  assert.deepEqual(violations(files), []);
});

/** A small sound project, in which each case plants one fault. */
const SOUND: Readonly<Record<string, string>> = {
  "main.ts": 'import { serve } from "./src/app.ts";\nserve();',
  "src/app.ts": 'import { Maildir } from "./store/maildir/store.ts";\nexport function serve() {}',
  "src/log.ts": "export interface Log {}",
  "src/net/server.ts":
    'import type { Store } from "../store/store.ts";\nimport { run } from "../imap/dispatch.ts";\nexport class Server {}',
  "src/imap/dispatch.ts":
    'import { scan } from "../wire/scanner.ts";\nimport type { Log } from "../log.ts";\nexport function run() {}',
  "src/wire/scanner.ts": '/** Not an import: from "./gone.ts" */\nexport function scan() {}',
  "src/wire/mailbox_name.ts": "export function decode() {}",
  "src/store/store.ts": "export interface Store {}",
  "src/store/maildir/store.ts":
    'import type { Store } from "../store.ts";\nimport { decode } from "../../wire/mailbox_name.ts";\nexport class Maildir {}',
  "src/auth/auth.ts": "export interface Authenticator {}",
  "src/auth/sasl/plain.ts":
    'import type { Authenticator } from "../auth.ts";\nexport const plain = 1;',
  "src/tables/file.ts": "export class FileTable {}",
};

function planted(path: string, source: string): string[] {
  return violations(new Map(Object.entries({ ...SOUND, [path]: source })));
}

Deno.test("violations: there are none in a sound project", () => {
  assert.deepEqual(violations(new Map(Object.entries(SOUND))), []);
});

const PLANTED: readonly [string, string, RegExp][] = [
  ["src/wire/x.ts", 'import { run } from "../imap/dispatch.ts";', /wire\/x\.ts must not import/],
  ["src/wire/x.ts", 'import type { Log } from "../log.ts";', /wire\/x\.ts must not import/],
  ["src/message/x.ts", 'import { scan } from "../wire/scanner.ts";', /must not import/],
  ["src/auth/sasl/x.ts", 'import { x } from "../auth.ts";', /x\.ts must not import/],
  ["src/imap/x.ts", 'import { Server } from "../net/server.ts";', /imap\/x\.ts must not import/],
  ["src/imap/x.ts", 'import {\n  Maildir,\n} from "../store/maildir/store.ts";', /must not import/],
  ["src/imap/x.ts", 'await import("../net/server.ts");', /must not import/],
  ["src/imap/x.ts", 'export { Server } from "../net/server.ts"; const a = 1;', /must not import/],
  ["src/net/x.ts", 'import { x } from "../store/store.ts";', /net\/x\.ts must not import/],
  ["src/net/x.ts", 'import { x } from "../config/load.ts";', /net\/x\.ts must not import/],
  ["src/store/maildir/x.ts", 'import "../../wire/scanner.ts";', /must not import/],
  ["src/store/x.ts", 'import { M } from "./maildir/store.ts";', /names the driver/],
  ["src/cli/x.ts", 'import { M } from "../store/maildir/store.ts";', /names the driver/],
  ["src/auth/x.ts", 'import { FileTable } from "../tables/file.ts";', /names the driver/],
  ["src/net/gone.ts", 'import { x } from "./missing.ts";', /no such file/],
  ["src/elsewhere/x.ts", "export const x = 1;", /no row/],
  ["src/wire/utils.ts", "export const x = 1;", /name that says nothing/],
  ["src/wire/mod.ts", 'export * from "./scanner.ts";', /barrel/],
  ["src/wire/all.ts", 'export { scan } from "./scanner.ts";', /barrel/],
  ["src/wire/scanner.ts", 'import { scan } from "./scanner.ts";', /^cycle/],
  ["src/wire/mailbox_name.ts", 'import "./a.ts";\nexport const b = 1;', /no such file/],
];

for (const [path, source, fault] of PLANTED) {
  Deno.test(`violations: finds ${JSON.stringify(source)} in ${path}`, () => {
    assert.ok(planted(path, source).some((text) => fault.test(text)), planted(path, source).join());
  });
}

Deno.test("violations: finds a cycle of three files once", () => {
  const files = new Map(Object.entries({
    ...SOUND,
    "src/wire/a.ts": 'import "./b.ts";',
    "src/wire/b.ts": 'import { type C, c } from "./c.ts";',
    "src/wire/c.ts": 'import { a } from "./a.ts";',
  }));
  assert.deepEqual(violations(files), [
    "cycle: src/wire/a.ts → src/wire/b.ts → src/wire/c.ts → src/wire/a.ts",
  ]);
});

Deno.test("violations: types may refer to each other", () => {
  const files = new Map(Object.entries({
    ...SOUND,
    "src/wire/a.ts": 'import { b } from "./b.ts";',
    "src/wire/b.ts": 'import { type A, type B } from "./a.ts";',
  }));
  assert.deepEqual(violations(files), []);
});
