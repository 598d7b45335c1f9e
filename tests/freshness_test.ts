import { strictEqual } from "node:assert/strict";
import { GENERATED } from "../scripts/generate.ts";
import { VERSION } from "../src/version.ts";

for (const { path, text } of GENERATED) {
  Deno.test(`${path} is what the source makes it (else: deno task generate)`, async () => {
    strictEqual(await Deno.readTextFile(new URL(`../${path}`, import.meta.url)), text());
  });
}

Deno.test("VERSION is the manifest's", async () => {
  const manifest = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  strictEqual(VERSION, manifest.version);
});
