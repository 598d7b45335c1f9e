import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { warmUp } from "../../src/app/warm_up.ts";
import { parseConfig } from "../../src/config/load.ts";
import { silentLog } from "../store/maildir_fixture.ts";

const { limits } = parseConfig(
  'tls = "off"\n[[imap]]\nlisten = ["tcp://127.0.0.1:0"]\nauth = ["pass_table", ["file", "u"]]\n' +
    'storage = "maildir"\n',
  "c.toml",
).imap[0];

Deno.test("warmUp() plays its whole session without a fault and leaves nothing behind", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-test-" });
  try {
    const log = silentLog();
    await Deno.mkdir(`${dir}/warm-up/left`, { recursive: true });
    await warmUp(1, dir, limits, log);
    deepStrictEqual(log.lines, []);
    deepStrictEqual([...Deno.readDirSync(dir)], []);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("warmUp() that fails is logged and stops nothing", async () => {
  const log = silentLog();
  await warmUp(1, "/dev/null", limits, log);
  strictEqual(log.lines.length, 1);
  ok(log.lines[0].event.includes("warming up failed"));
});
