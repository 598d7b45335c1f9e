/** Tries, with the permissions of the compiled program, what it must not be able to do. */

import * as child from "node:child_process";
import { Worker as NodeWorker } from "node:worker_threads";

const SHELL = ["-c", "touch /tmp/imapd-was-here"];

/** Whatever comes of a child process of Node's, which tells failures by events. */
function outcome(started: () => child.ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const process = started();
    process.on("error", reject);
    process.on("exit", (code) => resolve(`exit ${code}`));
  });
}

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "Deno.Command": () => new Deno.Command("/bin/sh", { args: SHELL }).output(),
  "Deno.Command.outputSync": () => new Deno.Command("/bin/sh", { args: SHELL }).outputSync(),
  "Deno.Command by name": () => new Deno.Command("sh", { args: SHELL }).spawn().status,
  "Deno.kill": () => Deno.kill(1, "SIGCONT"),
  spawn: () => outcome(() => child.spawn("/bin/sh", SHELL, { env: {} })),
  execSync: () => child.execSync(SHELL[1], { env: {} }),
  fork: () => outcome(() => child.fork("/bin/sh", [], { env: {} })),
  "import from the network": () => import(["https://deno.land", "std/version.ts"].join("/")),
  "a worker with more permissions": () =>
    new Promise((resolve, reject) => {
      const worker = new NodeWorker(
        `require("node:child_process").execSync(${JSON.stringify(SHELL[1])}, { env: {} })`,
        { eval: true },
      );
      worker.on("error", reject);
      worker.on("exit", resolve);
    }),
};

const told: Record<string, string> = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  try {
    told[name] = `done: ${await attempt()}`;
  } catch (error) {
    told[name] = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(told)));
Deno.exit(0);
