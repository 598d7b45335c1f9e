/** Has system calls of a running program fail, by strace. */

import { until } from "../until.ts";

/** What {@link refusing} does with system calls. */
export interface Refusal {
  /** Names of system calls, with commas between. */
  readonly calls: string;
  /** "EIO"; absent: they do not fail, but are recorded. */
  readonly error?: string;
  /** Only the first of each fails. */
  readonly once?: boolean;
  /** Only calls about these paths fail and are recorded. */
  readonly paths?: readonly string[];
}

/** A program some of whose calls fail. */
export interface Refused {
  /** The calls so far, a line each, as strace writes them. */
  record(): string;
  /** All works again. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Lets calls of a process fail until what is returned is disposed of. */
export async function refusing(
  pid: number,
  { calls, error, once = false, paths = [] }: Refusal,
): Promise<Refused> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-strace-" });
  const output = `${dir}/record`;
  const child = new Deno.Command("strace", {
    args: [
      ...["-f", "-y", "-s", "16", "-o", output, "-p", String(pid)],
      ...["-e", `trace=${calls}`],
      ...error === undefined
        ? []
        : ["-e", `inject=${calls}:error=${error}${once ? ":when=1" : ""}`],
      ...paths.flatMap((path) => ["-P", path]),
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let told = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) told += text;
  })();
  let ended = false;
  child.status.then(() => ended = true);
  await until(() => /attached/.test(told) || ended, "strace to attach");
  if (ended) throw new Error(`Expected strace to attach to the program: got ${told}`);
  return {
    record: () => Deno.readTextFileSync(output),
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGINT");
      await child.status;
      await reading;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** A test that needs strace, and the right to trace other processes. */
export function tracedTest(name: string, fn: () => Promise<void>): void {
  const missing = traces() ? "" : " (skipped: strace cannot trace processes here)";
  Deno.test({ name: `${name}${missing}`, ignore: missing !== "", fn });
}

function traces(): boolean {
  try {
    const sleeping = new Deno.Command("sleep", { args: ["20"] }).spawn();
    try {
      const { stderr } = new Deno.Command("timeout", {
        args: ["-s", "INT", "0.2", "strace", "-p", String(sleeping.pid)],
        stdout: "null",
        stderr: "piped",
      }).outputSync();
      return /attached/.test(new TextDecoder().decode(stderr));
    } finally {
      sleeping.kill();
      sleeping.unref();
    }
  } catch {
    return false;
  }
}
