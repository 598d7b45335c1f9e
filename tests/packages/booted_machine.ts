/** systemd as the first process of namespaces of its own, over the files of this machine. */

import { strictEqual } from "node:assert/strict";
import { type Finished, PATIENCE_MS, run } from "../clients/programs.ts";

/** What is written goes to memory; nothing but what a test asks for is started. */
const PREPARE = `
set -e
mount -t tmpfs machine "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind -o ro /proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount --rbind /dev dev
mount -t tmpfs run run
mount -t tmpfs cgroup sys/fs/cgroup
mkdir sys/fs/cgroup/unified sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd systemd sys/fs/cgroup/systemd
rm -rf etc/systemd/system/*.wants lib/systemd/system/*.wants usr/sbin/policy-rc.d
printf '[Unit]\\nDefaultDependencies=no\\n' >etc/systemd/system/nothing.target
`;
const BOOT = `${PREPARE}
exec chroot . env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  /lib/systemd/systemd --system --unit=nothing.target --show-status=no --log-level=warning
`;
const NAMESPACES = ["--pid", "--mount", "--fork", "--uts", "--net", "--ipc", "--kill-child"];

/** Why there can be no such machine here; undefined if there can. */
export async function noMachine(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "not root of a Linux";
  const dir = await Deno.makeTempDir();
  try {
    const { code, stderr } = await run(
      ["unshare", ...NAMESPACES, "--mount-proc", "sh", "-c", PREPARE, "sh", dir],
    );
    return code === 0 ? undefined : `no namespaces: ${stderr.trim().split("\n")[0]}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

export class BootedMachine implements AsyncDisposable {
  private constructor(
    readonly dir: string,
    readonly process: Deno.ChildProcess,
    readonly init: string,
  ) {}

  static async boot(): Promise<BootedMachine> {
    const dir = await Deno.makeTempDir({ prefix: "imapd-machine-" });
    const process = new Deno.Command("unshare", {
      args: [...NAMESPACES, "--mount-proc", "sh", "-c", BOOT, "sh", dir],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const path = `/proc/${process.pid}/task/${process.pid}/children`;
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
      const init = (await Deno.readTextFile(path).catch(() => "")).trim();
      const machine = new BootedMachine(dir, process, init);
      if (init !== "" && await machine.isUp()) return machine;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    process.kill("SIGKILL");
    throw new Error("systemd did not come up");
  }

  async isUp(): Promise<boolean> {
    const command = await Deno.readTextFile(`/proc/${this.init}/cmdline`).catch(() => "");
    if (!command.includes("--unit=nothing.target")) return false;
    return (await this.run("systemctl is-system-running --wait")).code === 0;
  }

  /** Runs a shell command in it. */
  async run(command: string): Promise<Finished> {
    return await run([
      ...["nsenter", "-t", this.init, "-m", "-p", "-u", "-i", "-n", "-r", "-w", "env", "-i"],
      ...["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive"],
      ...["sh", "-c", command],
    ]);
  }

  /** Runs a shell command that must succeed, and returns what it printed. */
  async does(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    strictEqual(code, 0, `${command}: ${stdout}${stderr}`);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.status;
    await Deno.remove(this.dir, { recursive: true });
  }
}
