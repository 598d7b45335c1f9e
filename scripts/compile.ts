/** Makes ./imapd, one executable, with no more permissions than it needs. */

import { fileURLToPath } from "node:url";
import { print, printError } from "../src/cli/output.ts";

/** Environment variables that libraries look at when they are loaded or used. */
const ENVIRONMENT = ["TMPDIR", "TMP", "TEMP"];

/** Where the C library may be; of it only inotify is used. */
const C_LIBRARIES = [
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "/lib64/libc.so.6",
  "/usr/lib/libc.so.6",
];

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
    "--allow-sys=hostname",
    `--allow-ffi=${C_LIBRARIES.join()}`,
    `--allow-env=${ENVIRONMENT.join()}`,
    "--include",
    "src/auth/hash_worker.ts",
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
    cwd: fileURLToPath(new URL("..", import.meta.url)),
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

if (import.meta.main) {
  const { ok, errors } = await compile(Deno.env.get("DENO_COMPILE") ?? Deno.execPath(), "imapd");
  if (ok) print("Made ./imapd");
  else if (!isDownloadFailure(errors)) printError(errors);
  else {
    printError(
      "Deno's runtime for executables could not be downloaded from dl.deno.land: set DENORT_BIN to " +
        `the path of a denort of version ${Deno.version.deno} and try again`,
    );
  }
  Deno.exit(ok ? 0 : 1);
}
