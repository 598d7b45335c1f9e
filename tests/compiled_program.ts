/** The program as `deno compile` makes it, for tests. */

import { compile, isDownloadFailure } from "../scripts/compile.ts";

export interface Compiled {
  /** The executable, in a temporary folder of its own, or why there is none. */
  readonly path?: string;
  readonly skipped?: string;
}

/**
 * Compiles with the Deno at `DENO_COMPILE`, which has to be of the version of `DENORT_BIN` where
 * that is set.
 *
 * @param main another program, which gets the same permissions
 */
export async function compileHere(main?: string): Promise<Compiled> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-compile-" });
  const path = `${dir}/imapd`;
  const deno = Deno.env.get("DENO_COMPILE") ?? Deno.execPath();
  const { ok, errors } = await compile(deno, path, undefined, main);
  if (ok) return { path };
  await Deno.remove(dir, { recursive: true });
  if (Deno.env.get("DENORT_BIN") === undefined && isDownloadFailure(errors)) {
    return { skipped: "no runtime: set DENORT_BIN" };
  }
  throw new Error(`deno compile failed:\n${errors}`);
}
