/**
 * Makes ./imapd, one executable, with no more permissions than it needs:
 * `deno run -A scripts/compile.ts [--target TARGET] [--output FILE]`.
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { print, printError } from "../src/cli/output.ts";
import { VERSION } from "../src/version.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Environment variables that libraries look at when they are loaded or used. */
const LIBRARY_ENVIRONMENT = ["TMPDIR", "TMP", "TEMP", "NODE_V8_COVERAGE"];

/** Environment variables by which a service manager hands over sockets. */
const HANDOVER_ENVIRONMENT = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/** Environment variables by which a service manager says how to tell it of the state. */
const NOTIFY_ENVIRONMENT = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/**
 * All that the program may do. Without `--allow-run` and `--allow-import` it starts no other program
 * and loads no code that is not in it; what libraries can do that it calls, the operating system
 * has to forbid: see the unit.
 */
export const PERMISSIONS = [
  // Addresses of clients and servers, and what is listened on, come from the config.
  "--allow-net",
  // So do the places of mail, users, certificates and logs. Both are wide also because a permission
  // of the whole cannot be narrowed once the config is read: Deno only takes back what it gave.
  "--allow-read",
  "--allow-write",
  // The name in greetings and files; whose files are made as root; whether a disk has room.
  "--allow-sys=hostname,uid,gid,statfs",
  `--allow-env=${[...LIBRARY_ENVIRONMENT, ...HANDOVER_ENVIRONMENT, ...NOTIFY_ENVIRONMENT].join()}`,
  // As a whole: with a list of libraries there are no callbacks, which libpam needs. A list would
  // have libc in it, so it would keep nobody from anything.
  "--allow-ffi",
] as const;

/** What there are releases for, as `deno compile --target` calls it. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
] as const;
export type Target = typeof TARGETS[number];

/**
 * Arguments of `deno` that compile the program into `output`, for this machine or for `target`.
 *
 * @param main another program that is to have the same permissions
 */
export function compileArguments(output: string, target?: Target, main = "main.ts"): string[] {
  return [
    "compile",
    ...target === undefined ? [] : ["--target", target],
    "--quiet",
    // The gate has checked the types, with the newest Deno.
    "--no-check",
    "--no-prompt",
    ...PERMISSIONS,
    "--include",
    "src/auth/hash_worker.ts",
    "--include",
    "src/store/maildir/search_worker.ts",
    "--include",
    "src/monitoring/status.html",
    "--include",
    "src/monitoring/login.html",
    "--output",
    output,
    main,
  ];
}

/**
 * Runs `deno compile`. The runtime that it embeds comes from `DENORT_BIN` if that is set, else it
 * is downloaded.
 *
 * @param deno path of a Deno executable
 */
export async function compile(
  deno: string,
  output: string,
  target?: Target,
  main?: string,
): Promise<{ ok: boolean; errors: string }> {
  const { success, stderr } = await new Deno.Command(deno, {
    args: compileArguments(output, target, main),
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { ok: success, errors: new TextDecoder().decode(stderr) };
}

/** Whether `errors` of `deno compile` say that the runtime could not be had. */
export function isDownloadFailure(errors: string): boolean {
  return /dl\.deno\.land|denort|[Ff]ailed downloading/.test(errors);
}

/** Why `runtime`, the value of `DENORT_BIN`, cannot be embedded; undefined if it may. */
export async function runtimeFault(runtime: string | undefined): Promise<string | undefined> {
  if (runtime === undefined) return undefined;
  const info = await Deno.stat(runtime).catch(() => undefined);
  if (info?.isFile) return undefined;
  return `Expected DENORT_BIN to be the path of a denort, got "${runtime}", which is no file`;
}

/** Why the executable does not run; undefined if it does. */
export async function executableFault(path: string): Promise<string | undefined> {
  try {
    const { success, code, stdout, stderr } = await new Deno.Command(path, {
      args: ["--version"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    if (success && decoder.decode(stdout) === `imapd ${VERSION}\n`) return undefined;
    return `exit status ${code}: ${decoder.decode(stderr).trim() || "it printed no version"}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The target that is called so. @throws {Error} for another one */
export function targetNamed(name: string): Target {
  const found = TARGETS.find((each) => each === name);
  if (found !== undefined) return found;
  throw new Error(`Expected one of ${TARGETS.join(", ")} for --target, got ${name}`);
}

/** Makes `output` and returns a sentence about what went wrong, if anything did. */
async function makeProgram(
  output: string,
  target: Target | undefined,
): Promise<string | undefined> {
  const runtime = Deno.env.get("DENORT_BIN");
  const fault = await runtimeFault(runtime);
  if (fault !== undefined) return fault;
  const deno = Deno.env.get("DENO_COMPILE") ?? Deno.execPath();
  const { ok, errors } = await compile(deno, output, target);
  if (!ok && (runtime !== undefined || !isDownloadFailure(errors))) return errors;
  if (!ok) {
    return "Deno's runtime for executables could not be downloaded from dl.deno.land: set " +
      `DENORT_BIN to the path of a denort of version ${Deno.version.deno} and try again`;
  }
  // What is made for another machine cannot be tried here.
  if (target !== undefined && target !== Deno.build.target) return undefined;
  const broken = await executableFault(output);
  if (broken === undefined) return undefined;
  return `Made ${output}, but it does not run (is the runtime of another version?): ${broken}`;
}

async function main(): Promise<string | undefined> {
  try {
    const { values: { target, output } } = parseArgs({
      args: Deno.args,
      options: { target: { type: "string" }, output: { type: "string" } },
    });
    const path = output === undefined ? `${ROOT}imapd` : resolve(output);
    const fault = await makeProgram(path, target === undefined ? undefined : targetNamed(target));
    if (fault === undefined) print(`Made ${output ?? "./imapd"}`);
    return fault;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

if (import.meta.main) {
  const fault = await main();
  if (fault !== undefined) printError(fault);
  Deno.exit(fault === undefined ? 0 : 1);
}
