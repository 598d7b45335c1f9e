/** Starts the real program on free ports, with its state in a temporary folder. */

import { fileURLToPath } from "node:url";

/** bcrypt (cost 4, so that tests are fast) of {@link PASSWORD}. */
const HASH = "$2a$04$p9YIi8TXWWDhzmsLRraC.OqTYO05Xe1pTcHzxt11Y6HHRLWpjbwvq";
export const PASSWORD = "secret";
/** Users "u1" to "u400" exist in every test server; each starts with an empty account. */
const USERS = 400;

export interface TestServer {
  /** IMAP with STARTTLS on 127.0.0.1. */
  readonly port: number;
  /** IMAP over TLS on 127.0.0.1, with a self-signed certificate. */
  readonly tlsPort: number;
  readonly dir: string;
  readonly pid: number;
  /** A user that nobody has used yet; the password is {@link PASSWORD}. */
  freshUser(): string;
  /** The user's Maildir; it is there after the first login. */
  maildir(user: string): string;
  /** All that the server logged so far. */
  log(): string;
  /** Stops the server by `signal` and returns its exit status. The folder stays until `dispose`. */
  stop(signal?: Deno.Signal): Promise<number>;
  /** Starts it again on the same state (new ports). */
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestServerOptions {
  /** Lines of TOML put at the end of `[[imap]]`. */
  readonly imap?: string;
  /** Lines of TOML put at the end of `[storage.local_mailboxes]`. */
  readonly storage?: string;
  /** Lines of TOML put at the end of `[auth.local_authdb]`. */
  readonly auth?: string;
  /** Lines put at the end of the users file, such as `ann: {PLAIN}secret`. */
  readonly users?: string;
  /** The value of `auth`, instead of `"&local_authdb"`. */
  readonly authReference?: string;
  /** False: passwords are taken over TLS only. */
  readonly insecureAuth?: boolean;
  /** More files in the folder of the config, by their names. */
  readonly files?: Readonly<Record<string, string>>;
  /** Lines of TOML put before the first table. */
  readonly top?: string;
  /** A duration; "0s" unless given, because many tests start a server. */
  readonly warmUp?: string;
  /** The command that serves, for example a compiled program; the config is added to it. */
  readonly command?: readonly string[];
}

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-test-" });
  let users = "";
  for (let i = 1; i <= USERS; i++) users += `u${i}: bcrypt:${HASH}\n`;
  await Deno.writeTextFile(`${dir}/users`, users + (options.users ?? ""));
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await Deno.writeTextFile(`${dir}/${name}`, text);
  }
  await Deno.writeTextFile(`${dir}/config.toml`, config(dir, options));
  const command = options.command ??
    [Deno.execPath(), "run", "-A", fileURLToPath(new URL("../main.ts", import.meta.url))];
  let next = 1;
  let running = await run(command, dir);
  return {
    get port() {
      return running.port;
    },
    get tlsPort() {
      return running.tlsPort;
    },
    get pid() {
      return running.pid;
    },
    dir,
    freshUser: () => `u${next++}`,
    maildir: (user) => `${dir}/mail/${user}`,
    log: () => running.log(),
    stop: (signal) => running.stop(signal),
    async restart() {
      await running.stop();
      running = await run(command, dir);
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function config(dir: string, options: TestServerOptions): string {
  return `hostname = "mail.example.org"
state_dir = "${dir}"
runtime_dir = "${dir}"
log = ["stderr"]
warm_up = "${options.warmUp ?? "0s"}"
${options.top ?? ""}
[tls]
loader = "self_signed"

[[imap]]
listen = ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"]
insecure_auth = ${options.insecureAuth ?? true}
auth = ${options.authReference ?? '"&local_authdb"'}
storage = "&local_mailboxes"
${options.imap ?? ""}

${
    /&local_authdb/.test(options.authReference ?? "&local_authdb")
      ? usersBlock(dir, options.auth)
      : ""
  }

[storage.local_mailboxes]
module = "maildir"
path = "${dir}/mail/{account}"
${options.storage ?? ""}
`;
}

function usersBlock(dir: string, more = ""): string {
  return `[auth.local_authdb]
module = "pass_table"
table = { module = "file", path = "${dir}/users" }
${more}`;
}

interface Running {
  readonly port: number;
  readonly tlsPort: number;
  readonly pid: number;
  log(): string;
  stop(signal?: Deno.Signal): Promise<number>;
}

/** Starts the program and waits until it serves; its two "listening" lines tell the ports. */
async function run(command: readonly string[], dir: string): Promise<Running> {
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args: [...args, "--config", `${dir}/config.toml`],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  const ready = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (/server started/.test(text)) ready.resolve();
    }
    ready.reject(new Error(`imapd did not start:\n${text}`));
  })();
  reading.catch(() => {});
  await ready.promise;
  let status: Promise<number> | undefined;
  return {
    port: portOf(text, "tcp"),
    tlsPort: portOf(text, "tls"),
    pid: child.pid,
    log: () => text,
    stop(signal = "SIGTERM") {
      status ??= (async () => {
        child.kill(signal);
        const { code } = await child.status;
        await reading.catch(() => {});
        return code;
      })();
      return status;
    },
  };
}

/** The log line `listening on tcp://127.0.0.1:PORT` is part of the program's interface. */
export function portOf(log: string, scheme: "tcp" | "tls"): number {
  return Number(log.match(new RegExp(`listening on ${scheme}://127\\.0\\.0\\.1:(\\d+)`))?.[1] ?? 0);
}
