/** The real program, which is killed and started again on the same state. */

import { portOf } from "../harness.ts";
import { startLmtpServer } from "../lmtp/serving.ts";
import { fileURLToPath } from "node:url";

/** So much of the log is kept. */
const LONGEST_LOG = 200_000;

/** One server, of which at most one process runs. */
export class SoakedProgram implements AsyncDisposable {
  #child: Deno.ChildProcess | undefined;
  #reading: Promise<void> = Promise.resolve();
  #log = "";
  #started = Promise.withResolvers<boolean>();
  #port = 0;
  #tlsPort = 0;
  /** Most memory that a process had, in MB. */
  peakMemory = 0;
  /** Leave its state on the disk at the end, for who looks for a bug. */
  keep = false;

  private constructor(
    private readonly command: readonly string[],
    readonly dir: string,
    readonly lmtp: string,
    private readonly remove: () => Promise<void>,
  ) {}

  /** Makes the state of a server with users u1, u2, …; none runs yet. */
  static async make(command?: readonly string[]): Promise<SoakedProgram> {
    const server = await startLmtpServer(command === undefined ? {} : { command });
    await server.stop();
    const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
    return new SoakedProgram(
      command ?? [Deno.execPath(), "run", "-A", main],
      server.dir,
      server.lmtp.path,
      () => server[Symbol.asyncDispose](),
    );
  }

  get port(): number {
    return this.#port;
  }

  get tlsPort(): number {
    return this.#tlsPort;
  }

  get log(): string {
    return this.#log;
  }

  maildir(user: string): string {
    return `${this.dir}/mail/${user}`;
  }

  /** Starts a process, and does not wait until it serves. */
  spawn(): void {
    const [program, ...args] = this.command;
    this.#log = "";
    this.#started = Promise.withResolvers();
    this.#child = new Deno.Command(program, {
      args: [...args, "--config", `${this.dir}/config.toml`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read(this.#child.stderr, this.#started.resolve);
  }

  /** Waits until it serves. @throws {Error} with its log if it does not */
  async serving(): Promise<void> {
    if (!await this.#started.promise) throw new Error(`imapd did not start:\n${this.#log}`);
    this.#port = portOf(this.#log, "tcp");
    this.#tlsPort = portOf(this.#log, "tls");
  }

  signal(signal: Deno.Signal): void {
    this.#measure();
    try {
      this.#child?.kill(signal);
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Waits until the process has ended. */
  async ended(): Promise<Deno.CommandStatus | undefined> {
    const status = await this.#child?.status;
    await this.#reading;
    this.#child = undefined;
    return status;
  }

  /** Lines of its log that tell of a bug. */
  get bugs(): string[] {
    return this.#log.split("\n").filter((line) => /^error|SERVERBUG|panicked/i.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
    if (!this.keep) await this.remove();
  }

  async #read(stderr: ReadableStream<Uint8Array>, started: (serves: boolean) => void) {
    for await (const chunk of stderr.pipeThrough(new TextDecoderStream())) {
      this.#log = (this.#log + chunk).slice(-LONGEST_LOG);
      if (this.#log.includes("server started")) started(true);
    }
    started(false);
  }

  #measure(): void {
    if (this.#child === undefined) return;
    try {
      const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
      const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
      this.peakMemory = Math.max(this.peakMemory, Math.round(peak / 1024));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
