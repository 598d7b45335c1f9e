import assert from "node:assert/strict";
import { Echoes } from "../../src/store/maildir/echoes.ts";

Deno.test("Echoes.take: knows each event that was expected once, and no other", () => {
  const echoes = new Echoes();
  echoes.expect("cur/a:2,S");
  echoes.expect("cur/a:2,S");
  echoes.expect("new/a");
  const told = ["cur/a:2,S", "cur/a:2,F", "cur/a:2,S", "cur/a:2,S", "new/a"];
  assert.deepEqual(told.map((name) => echoes.take(name)), [true, false, true, false, true]);
});

Deno.test("Echoes.clear: forgets what was expected", () => {
  const echoes = new Echoes();
  echoes.expect("cur/a");
  echoes.clear();
  assert.equal(echoes.take("cur/a"), false);
});
