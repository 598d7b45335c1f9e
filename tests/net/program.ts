/** Runs the server, or a program that starts it, in a process of its own. */

import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
/** How long a test waits for a line; never what decides a test that passes. */
const PATIENCE_MS = 60_000;

export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** All that it wrote to standard error so far. */
  log(): string;
  /** Waits for a text in the log. */
  logged(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends it and returns its exit status. */
  stop(signal?: Deno.Signal): Promise<number>;
}

/** The command that serves by `config`. */
export function serveCommand(config: string): string[] {
  return [Deno.execPath(), "run", "-A", MAIN, "--config", config];
}

/** Starts a program. */
export function startProgram(command: readonly string[]): Program {
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  let wake = () => {};
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      wake();
    }
  })();
  let status: Promise<number> | undefined;
  const stop = (signal: Deno.Signal = "SIGTERM") =>
    status ??= (async () => {
      try {
        child.kill(signal);
      } catch {
        // It has ended by itself.
      }
      const { code } = await child.status;
      await reading;
      return code;
    })();
  return {
    pid: child.pid,
    log: () => text,
    async logged(pattern) {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const found = pattern.exec(text);
        if (found !== null) return found;
        const left = deadline - Date.now();
        if (left <= 0) throw new Error(`Expected ${pattern} in the log, got:\n${text}`);
        const more = Promise.withResolvers<void>();
        wake = more.resolve;
        const timer = setTimeout(more.resolve, left);
        await more.promise;
        clearTimeout(timer);
      }
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
