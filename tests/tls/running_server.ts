/** The real program with any config, and what clients see of its TLS. */

import { X509Certificate } from "node:crypto";
import { fileURLToPath } from "node:url";
import { run as runProgram } from "../clients/programs.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const IMAPD = [Deno.execPath(), "run", "-A", MAIN];

/** The settings of an endpoint without those of TLS. */
export const ENDPOINT = `[[imap]]
listen = ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"]
insecure_auth = true
auth = ["pass_table", ["file", "users"]]
storage = "maildir"
`;

export interface RunningServer extends AsyncDisposable {
  /** Ports of "tcp" and of "tls", in the order of the config. */
  ports(scheme: "tcp" | "tls"): readonly number[];
  log(): string;
  /** Resolves once the log has `text`; rejects when the server has ended before. */
  logged(text: string): Promise<void>;
}

/**
 * Starts it in `dir`, which is also its state_dir, and waits until it is up.
 *
 * @param tls lines before the first table
 */
export async function startWith(
  dir: string,
  tls: string,
  endpoints = ENDPOINT,
): Promise<RunningServer> {
  await writeConfig(dir, tls, endpoints);
  return await startConfig(`${dir}/config.toml`);
}

/** Starts it with a config that is there, and waits until it is up. */
export async function startConfig(config: string): Promise<RunningServer> {
  const [program, ...args] = [...IMAPD, "--config", config];
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" })
    .spawn();
  let text = "";
  let ended = false;
  const waiting = new Set<() => void>();
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (const look of waiting) look();
    }
    ended = true;
    for (const look of waiting) look();
  })();
  const logged = (wanted: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!text.includes(wanted) && !ended) return void waiting.add(look);
        waiting.delete(look);
        if (text.includes(wanted)) resolve();
        else reject(new Error(`The log never had "${wanted}":\n${text}`));
      };
      look();
    });
  await logged("server started");
  return {
    ports: (scheme) =>
      [...text.matchAll(new RegExp(`listening on ${scheme}://127\\.0\\.0\\.1:(\\d+)`, "g"))]
        .map(([, port]) => Number(port)),
    log: () => text,
    logged,
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill();
      await child.status;
      await reading;
    },
  };
}

async function writeConfig(dir: string, tls: string, endpoints: string): Promise<void> {
  const top = `hostname = "mail.example.org"\nstate_dir = "."\n${tls}\n`;
  await Deno.writeTextFile(`${dir}/users`, "");
  await Deno.writeTextFile(`${dir}/config.toml`, top + endpoints);
}

/** What `imapd check` says about the config, without its path, and its exit status. */
export async function checkWith(
  dir: string,
  tls: string,
  endpoints = ENDPOINT,
): Promise<{ code: number; faults: string[] }> {
  await writeConfig(dir, tls, endpoints);
  const { code, stderr } = await runProgram([...IMAPD, "check", "--config", `${dir}/config.toml`]);
  const faults = stderr.trim().split("\n").map((line) => line.replace(`${dir}/config.toml:`, ""));
  return { code, faults: faults.filter((fault) => !fault.startsWith("warning:")) };
}

/** The certificate that openssl is shown; undefined when there is no handshake. */
export async function shown(
  port: number,
  options: { name?: string; starttls?: boolean; args?: readonly string[] } = {},
): Promise<X509Certificate | undefined> {
  const { name, starttls, args = [] } = options;
  const { stdout } = await runProgram([
    ...["openssl", "s_client", "-connect", `127.0.0.1:${port}`],
    ...name === undefined ? ["-noservername"] : ["-servername", name],
    ...starttls ? ["-starttls", "imap"] : [],
    ...args,
  ]);
  const [pem] = stdout.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/) ?? [];
  return pem === undefined ? undefined : new X509Certificate(pem);
}
