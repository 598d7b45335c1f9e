import * as assert from "node:assert/strict";
import { mendAccess } from "../../src/store/maildir/access_repairs.ts";
import type { Finding } from "../../src/store/maildir/problem.ts";
import { silentLog } from "./maildir_fixture.ts";

function finding(code: string, path: string): Finding {
  return { level: "warning", code, subject: "ann", text: "", mender: "access", paths: [path] };
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test("mendAccess: changes what is in the Maildir, and nothing that a link on the way leads to", () => {
  const dir = Deno.makeTempDirSync();
  const root = `${dir}/ann`;
  for (const path of ["ann/.A/cur", "other/cur", "annex"]) {
    Deno.mkdirSync(`${dir}/${path}`, { recursive: true });
  }
  for (const path of ["ann/.A/cur/x", "other/cur/x", "annex/x"]) {
    Deno.writeTextFileSync(`${dir}/${path}`, "x", { mode: 0o400 });
  }
  Deno.symlinkSync(`${dir}/other`, `${root}/.B`);
  Deno.symlinkSync(`${dir}/annex`, `${root}/.C`);
  const paths = [".A/cur/x", ".B/cur/x", ".C/x"].map((path) => `${root}/${path}`);
  const log = silentLog();
  mendAccess(root, paths.map((path) => finding("file-unreadable", path)), log);
  assert.deepEqual(paths.map(modeOf), [0o600, 0o400, 0o400]);
  assert.deepEqual(log.lines.map(({ fields }) => fields.path), paths.slice(1));
  if (Deno.uid() === 0) {
    Deno.chownSync(root, 12345, 12345);
    mendAccess(root, paths.map((path) => finding("owner-foreign", path)), log);
    assert.deepEqual(paths.map((path) => Deno.statSync(path).uid), [12345, 0, 0]);
  }
  Deno.removeSync(dir, { recursive: true });
});

Deno.test("mendAccess: takes no rights from a file of the index that has a name elsewhere", () => {
  const dir = Deno.makeTempDirSync();
  const [own, foreign] = [`${dir}/ann/imapd.index`, `${dir}/ann/imapd.index-wal`];
  Deno.mkdirSync(`${dir}/ann`);
  Deno.writeTextFileSync(own, "x", { mode: 0o644 });
  Deno.writeTextFileSync(`${dir}/victim`, "x", { mode: 0o644 });
  Deno.linkSync(`${dir}/victim`, foreign);
  mendAccess(`${dir}/ann`, [own, foreign].map((path) => finding("index-open", path)), silentLog());
  assert.deepEqual([own, foreign].map(modeOf), [0o600, 0o644]);
  Deno.removeSync(dir, { recursive: true });
});
