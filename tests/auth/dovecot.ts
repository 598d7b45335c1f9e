/** Runs the auth service of a real Dovecot, with users of its own. */

import { isInstalled, PATIENCE_MS } from "../clients/programs.ts";
import { freePorts } from "./free_ports.ts";
import { accepting } from "./slapd.ts";
import { until } from "../until.ts";

const DOVECOT = "/usr/sbin/dovecot";

/** What is not there of what {@link startDovecot} needs. */
export function missingForDovecot(): string[] {
  const missing = isInstalled("doveadm") ? [] : ["dovecot"];
  return Deno.uid() === 0 ? missing : [...missing, "right to start dovecot"];
}

export interface DovecotAuth extends AsyncDisposable {
  readonly dir: string;
  /** Path of the socket for clients. */
  readonly path: string;
  /** Port of 127.0.0.1. */
  readonly port: number;
  /** Waits until `count` places of the log fit `pattern`, and gives what its groups took. */
  logged(pattern: RegExp, count: number): Promise<string[]>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/**
 * @param users lines of a passwd-file
 * @param more lines of dovecot.conf
 */
export async function startDovecot(users: string, more = ""): Promise<DovecotAuth> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-dovecot-" });
  const [port] = await freePorts(1);
  const path = `${dir}/auth-client`;
  const config = `${dir}/dovecot.conf`;
  await Deno.writeTextFile(config, configText(dir, port) + more);
  await Deno.writeTextFile(`${dir}/users`, users);
  let child: Deno.ChildProcess | undefined;
  const start = async () => {
    child = new Deno.Command(DOVECOT, {
      args: ["-F", "-c", config],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      signal: AbortSignal.timeout(2 * PATIENCE_MS),
    }).spawn();
    const early = child.status.then(({ code }) => {
      throw new Error(`dovecot ended with status ${code}`);
    });
    await Promise.race([accepting(port), early]);
    early.catch(() => {});
  };
  const stop = async () => {
    if (child === undefined) return;
    // Its auth process would stay for as long as it has clients.
    const services = await childrenOf(child.pid);
    for (const pid of [child.pid, ...services]) kill(pid);
    await child.status;
    // They hold its port.
    for (const pid of services) await ended(pid);
    child = undefined;
  };
  await start();
  return {
    dir,
    path,
    port,
    logged: (pattern, count) => logged(`${dir}/log`, pattern, count),
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      // A service that is just ending may still make a file.
      const remove = () => Deno.remove(dir, { recursive: true }).then(() => true, () => false);
      await until(remove, `the end of ${dir}`);
    },
  };
}

async function logged(path: string, pattern: RegExp, count: number): Promise<string[]> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const text = await Deno.readTextFile(path);
    const found = [...text.matchAll(pattern)].map(([, ...groups]) => groups.join(""));
    if (found.length >= count) return found;
    if (Date.now() > deadline) throw new Error(`Expected ${count} times ${pattern} in:\n${text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter((each) => each.trim() !== "").map(Number);
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Waits until a process is gone, or only waits to be asked how it ended. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => ") Z");
    if (/\) [ZX]/.test(stat)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Without the delays for failures, which would only make the tests slow. */
function configText(dir: string, port: number): string {
  return `base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
protocols =
ssl = no
auth_mechanisms = plain
auth_debug = yes
auth_failure_delay = 0
default_internal_user = root
default_internal_group = root
default_login_user = nobody
passdb {
  driver = passwd-file
  args = username_format=%Lu ${dir}/users
}
service auth {
  unix_listener ${dir}/auth-client {
    mode = 0600
  }
  inet_listener {
    address = 127.0.0.1
    port = ${port}
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
`;
}
