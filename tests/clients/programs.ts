/** Runs the programs that the client tests need; what is not installed is skipped by name. */

import { type TestServer } from "../harness.ts";
import { certificateOf } from "./certificate.ts";

/** How long a program may take before it is stopped; never what decides a test that passes. */
export const PATIENCE_MS = 60_000;

/** What a run of a program left. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Finished> {
  const [program, ...args] = command;
  const output = await new Deno.Command(program, {
    args,
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

/** Whether a program is in PATH. */
export function isInstalled(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

/** A folder for the client's files, and the server's certificate to trust. */
export interface Workplace extends AsyncDisposable {
  readonly dir: string;
  /** PEM file of the server's certificate. */
  readonly certificate: string;
}

/** Makes a {@link Workplace} for `server`. */
export async function workplace(server: TestServer): Promise<Workplace> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-client-" });
  const certificate = `${dir}/certificate.pem`;
  await Deno.writeTextFile(certificate, await certificateOf(server.tlsPort));
  return {
    dir,
    certificate,
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

/** A test that needs programs; where one is missing it is ignored and its name says which. */
export function clientTest(
  programs: readonly string[],
  name: string,
  fn: () => Promise<void>,
): void {
  const missing = programs.filter((program) => !isInstalled(program));
  const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";
  Deno.test({ name: `${name}${reason}`, ignore: missing.length > 0, fn });
}
