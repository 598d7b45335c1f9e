/** Dovecot's programs on a Maildir that is not theirs alone, without its master process. */

import type { TestServer } from "../harness.ts";

/** Who owns the mail: Dovecot gives none to root. */
const OWNER = 5000;

/** How to run Dovecot's programs for one user. */
export interface DovecotConfig {
  readonly path: string;
  readonly home: string;
  /** Runs the LDA. */
  deliver(message: string): Promise<void>;
}

/** Gives the Maildir to a user that Dovecot accepts, and writes a config. */
export async function prepareDovecot(server: TestServer, user: string): Promise<DovecotConfig> {
  const home = `${server.dir}/dovecot`;
  const path = `${home}/dovecot.conf`;
  await Deno.mkdir(home);
  await Deno.writeTextFile(path, configText(home, server.maildir(user), owner()));
  if (Deno.uid() === 0) {
    for (const each of [server.dir, `${server.dir}/mail`]) await Deno.chmod(each, 0o755);
    for (const each of [home, server.maildir(user)]) await giveAway(each);
  }
  const deliver = async (message: string) => {
    const child = new Deno.Command("/usr/lib/dovecot/dovecot-lda", {
      args: ["-c", path, "-f", "soak@example.org"],
      ...options(user, home),
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(message));
    await writer.close();
    const { code, stderr } = await child.output();
    if (code !== 0) throw new Error(`dovecot-lda: ${code} ${new TextDecoder().decode(stderr)}`);
  };
  return { path, home, deliver };
}

function owner(): number {
  return Deno.uid() === 0 ? OWNER : Deno.uid() ?? OWNER;
}

function options(user: string, home: string) {
  const env = { USER: user, HOME: home };
  return Deno.uid() === 0 ? { env, uid: OWNER, gid: OWNER } : { env };
}

async function giveAway(path: string): Promise<void> {
  await Deno.chown(path, OWNER, OWNER);
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) await giveAway(`${path}/${name}`);
    else await Deno.chown(`${path}/${name}`, OWNER, OWNER);
  }
}

function configText(dir: string, mail: string, uid: number): string {
  return `base_dir = ${dir}/run
log_path = ${dir}/log
mail_location = maildir:${mail}
mail_home = ${dir}
mail_uid = ${uid}
mail_gid = ${uid}
first_valid_uid = ${uid}
first_valid_gid = ${uid}
ssl = no
protocols =
postmaster_address = postmaster@example.org
namespace inbox {
  inbox = yes
  separator = /
}
`;
}

/** An imap process, which is spoken to by its standard input and output. */
export class DovecotProcess {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  #tags = 0;
  #ended: Promise<void> | undefined;

  constructor({ path, home }: DovecotConfig, user: string) {
    this.#child = new Deno.Command("/usr/lib/dovecot/imap", {
      args: ["-c", path],
      ...options(user, home),
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }

  /** The lines up to the tagged reply, which is the last one. */
  async command(command: string): Promise<string[]> {
    const tag = `d${++this.#tags}`;
    await this.#writer.write(new TextEncoder().encode(`${tag} ${command}\r\n`));
    const lines: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`Expected a reply to ${command}: got the end of Dovecot`);
      lines.push(value);
      if (value.startsWith(`${tag} `)) return lines;
    }
  }

  end(): Promise<void> {
    this.#ended ??= (async () => {
      await this.#writer.close();
      while (!(await this.#lines.next()).done);
      await this.#child.status;
    })();
    return this.#ended;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\r\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
