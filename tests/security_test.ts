import { deepStrictEqual, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "../scripts/compile.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

Deno.test("SECURITY.md names tests that there are, and each permission", async () => {
  const text = await Deno.readTextFile(`${ROOT}SECURITY.md`);
  const named = [...new Set(text.match(/\btests\/[\w./]+[\w/]/g) ?? [])];
  ok(named.length > 20);
  const missing = named.filter((path) => {
    try {
      Deno.statSync(ROOT + path);
      return false;
    } catch {
      return true;
    }
  });
  deepStrictEqual(missing, []);
  for (const permission of PERMISSIONS) ok(text.includes(permission.split("=")[0]), permission);
});
