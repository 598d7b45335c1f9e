/** Runs the program's commands as a user does. */

import { fileURLToPath } from "node:url";

/** The program's source. */
export const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** What came of a command. */
export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program with `input` on its standard input. */
export async function imapd(
  args: readonly string[],
  input: string | Uint8Array = "",
): Promise<Result> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input).catch(
    () => {},
  );
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}
