import { deepStrictEqual, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { isInstalled, run } from "../clients/programs.ts";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

/** What is not switched off, and has its reason in docs/running.md. */
const LEFT = [
  "AmbientCapabilities=",
  "CapabilityBoundingSet=~CAP_NET_(BIND_SERVICE|BROADCAST|RAW)",
  // What ProtectClock brings with it.
  "DeviceAllow=",
  "IPAddressDeny=",
  "MemoryDenyWriteExecute=",
  "PrivateNetwork=",
  "PrivateUsers=",
  "RestrictAddressFamilies=~AF_(INET|INET6)",
  "RestrictAddressFamilies=~AF_UNIX",
  "RootDirectory=/RootImage=",
  "SystemCallFilter=~@privileged",
];

const OFFLINE = ["systemd-analyze", "security", "--offline=true", "--no-pager"];

async function obstacle(): Promise<string | undefined> {
  if (!isInstalled("systemd-analyze")) return "no systemd-analyze here";
  const { stderr } = await run([...OFFLINE, "/nonexistent.service"]);
  return /unrecognized option/.test(stderr) ? "systemd-analyze knows no --offline" : undefined;
}

const reason = await obstacle();

/** The drop-in of docs/running.md for sockets that systemd opens. */
async function dropIn(): Promise<string> {
  const text = await Deno.readTextFile(`${DIST}../docs/running.md`);
  const [, lines] = /^ {4}(\[Service\]\n {4}Sockets=(?:.+\n)+)/m.exec(text) ?? [];
  return lines.replaceAll(/^ +/gm, "");
}

function scoreOf(output: string): number {
  return Number(/exposure level for imapd\.service: (\d+\.\d+)/.exec(output)?.[1]);
}

Deno.test({
  name: "imapd.service: is confined as docs/running.md says, and scores no worse than 1.5" +
    (reason === undefined ? "" : ` (skipped: ${reason})`),
  ignore: reason !== undefined,
  async fn() {
    const { stdout } = await run([...OFFLINE, `${DIST}imapd.service`]);
    const score = scoreOf(stdout);
    ok(score <= 1.5, stdout);
    const left = stdout.split("\n").filter((line) => line.startsWith("✗"))
      .map((line) => line.slice(2).split(" ")[0]);
    // Newer versions look at more.
    deepStrictEqual(LEFT.filter((each) => !left.includes(each)), []);
    const known = new Set(LEFT);
    const more = left.filter((each) => !known.has(each));
    ok(more.length === 0 || score < 1.5, more.join());
  },
});

Deno.test({
  name: "imapd.service: scores no worse than 1.2 with sockets that systemd opens" +
    (reason === undefined ? "" : ` (skipped: ${reason})`),
  ignore: reason !== undefined,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "imapd-unit-" });
    await Deno.copyFile(`${DIST}imapd.service`, `${dir}/imapd.service`);
    await Deno.mkdir(`${dir}/imapd.service.d`);
    await Deno.writeTextFile(`${dir}/imapd.service.d/sockets.conf`, await dropIn());
    const { stdout } = await run([...OFFLINE, `${dir}/imapd.service`]);
    ok(scoreOf(stdout) <= 1.2, stdout);
    await Deno.remove(dir, { recursive: true });
  },
});
