import { strictEqual } from "node:assert/strict";
import { GENERATED } from "../scripts/generate.ts";

for (const { path, text } of GENERATED) {
  Deno.test(`${path} is what the source makes it (else: deno task generate)`, async () => {
    strictEqual(await Deno.readTextFile(new URL(`../${path}`, import.meta.url)), text());
  });
}
