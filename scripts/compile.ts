/** Makes ./imapd, one executable, with no more permissions than it needs. */

import { fileURLToPath } from "node:url";
import { print, printError } from "../src/cli/output.ts";
import { VERSION } from "../src/version.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Environment variables that libraries look at when they are loaded or used. */
const LIBRARY_ENVIRONMENT = ["TMPDIR", "TMP", "TEMP"];

/** Environment variables by which a service manager hands over sockets. */
const HANDOVER_ENVIRONMENT = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/** Environment variables by which a service manager says how to tell it of the state. */
const NOTIFY_ENVIRONMENT = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/** Arguments of `deno` that compile the program into `output`. */
export function compileArguments(output: string): string[] {
  return [
    "compile",
    "--quiet",
    // The gate has checked the types, with the newest Deno.
    "--no-check",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    // Whether a folder can be written to, and its disk has room.
    "--allow-sys=hostname,uid,gid,statfs",
    `--allow-env=${
      [
        ...LIBRARY_ENVIRONMENT,
        ...HANDOVER_ENVIRONMENT,
        ...NOTIFY_ENVIRONMENT,
      ].join()
    }`,
    // As a whole: with a list of libraries there are no callbacks, which libpam needs. A list would
    // have libc in it, so it would keep nobody from anything.
    "--allow-ffi",
    "--include",
    "src/auth/hash_worker.ts",
    "--include",
    "src/monitoring/status.html",
    "--include",
    "src/monitoring/login.html",
    "--output",
    output,
    "main.ts",
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
): Promise<{ ok: boolean; errors: string }> {
  const { success, stderr } = await new Deno.Command(deno, {
    args: compileArguments(output),
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

/** Makes `./imapd` and returns a sentence about what went wrong, if anything did. */
async function makeProgram(): Promise<string | undefined> {
  const runtime = Deno.env.get("DENORT_BIN");
  const fault = await runtimeFault(runtime);
  if (fault !== undefined) return fault;
  const { ok, errors } = await compile(Deno.env.get("DENO_COMPILE") ?? Deno.execPath(), "imapd");
  if (!ok && (runtime !== undefined || !isDownloadFailure(errors))) return errors;
  if (!ok) {
    return "Deno's runtime for executables could not be downloaded from dl.deno.land: set " +
      `DENORT_BIN to the path of a denort of version ${Deno.version.deno} and try again`;
  }
  const broken = await executableFault(`${ROOT}imapd`);
  if (broken === undefined) return undefined;
  return `Made ./imapd, but it does not run (is the runtime of another version?): ${broken}`;
}

if (import.meta.main) {
  const fault = await makeProgram();
  if (fault === undefined) print("Made ./imapd");
  else printError(fault);
  Deno.exit(fault === undefined ? 0 : 1);
}
