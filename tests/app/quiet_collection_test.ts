import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

// A process of its own: what other tests do beside it in this one is no quiet.
Deno.test("collectWhenQuiet: gives back what is dead while nothing happens", async () => {
  const script = fileURLToPath(new URL("./quiet_process.ts", import.meta.url));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(text.trim(), "collected", new TextDecoder().decode(stderr));
});
