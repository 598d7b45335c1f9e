import * as assert from "node:assert/strict";
import { Reserve, RESERVE_FILE } from "../../src/store/maildir/reserve.ts";
import { silentLog } from "./maildir_fixture.ts";

const WHOLE = 256 * 1024;

Deno.test("Reserve.release: gives back what fill took, piece by piece", () => {
  const root = Deno.makeTempDirSync();
  const path = `${root}/${RESERVE_FILE}`;
  const reserve = new Reserve(root, silentLog());
  assert.ok(!reserve.release());
  reserve.fill();
  assert.equal(Deno.statSync(path).size, WHOLE);
  assert.ok(reserve.release());
  assert.equal(Deno.statSync(path).size, WHOLE - 32 * 1024);
  reserve.fill();
  assert.equal(Deno.statSync(path).size, WHOLE);
  Deno.removeSync(root, { recursive: true });
});

Deno.test("Reserve.fill: says once that something else has the place of its file", () => {
  const root = Deno.makeTempDirSync();
  Deno.mkdirSync(`${root}/${RESERVE_FILE}`);
  const log = silentLog();
  const reserve = new Reserve(root, log);
  reserve.fill();
  reserve.fill();
  assert.deepEqual(log.lines.map(({ level }) => level), ["warn"]);
  Deno.removeSync(root, { recursive: true });
});

for (const link of [Deno.symlinkSync, Deno.linkSync]) {
  Deno.test(`Reserve: cuts nothing off and adds nothing where ${link.name} made its file`, () => {
    const root = Deno.makeTempDirSync();
    const victim = `${root}/victim`;
    Deno.writeTextFileSync(victim, "kept");
    link(victim, `${root}/${RESERVE_FILE}`);
    const reserve = new Reserve(root, silentLog());
    reserve.fill();
    assert.ok(!reserve.release());
    assert.equal(Deno.readTextFileSync(victim), "kept");
    Deno.removeSync(root, { recursive: true });
  });
}
