/** A server in this process, for tests of how connections come in. */

import { type App, startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { memoryLog } from "../../src/log.ts";
import type { ListenAddress } from "../../src/net/listen_address.ts";

/** bcrypt (cost 4) of "secret". */
const HASH = "$2a$04$p9YIi8TXWWDhzmsLRraC.OqTYO05Xe1pTcHzxt11Y6HHRLWpjbwvq";
export const USER = "u1";
export const PASSWORD = "secret";

export interface Serving extends AsyncDisposable {
  readonly dir: string;
  readonly listening: readonly ListenAddress[];
  /** Ports in the order of the config. */
  readonly ports: readonly number[];
  /** Lines of the log so far. */
  readonly lines: readonly string[];
  /** Waits for a line of the log. */
  logged(pattern: RegExp): Promise<string>;
  close(): Promise<void>;
}

/** How long a test waits for a line; never what decides a test that passes. */
const PATIENCE_MS = 20_000;

/** A config with `imap` in each of its `[[imap]]` blocks; `{dir}` is a fresh folder. */
function configText(imap: readonly string[], top = "", scram = false): string {
  const more = scram ? ', scram = ["SHA-256"]' : "";
  const blocks = imap.map((text) =>
    `[[imap]]\nauth = { module = "pass_table", table = ["file", "{dir}/users"]${more} }\n` +
    `storage = "&mail"\n${text}\n`
  );
  return `hostname = "mail.example.org"\nstate_dir = "{dir}"\nruntime_dir = "{dir}"\nwarm_up = "0s"\ndebug = true\n${top}\n` +
    `${top.includes("tls") ? "" : '[tls]\nloader = "self_signed"\n'}${blocks.join("")}` +
    '[storage.mail]\nmodule = "maildir"\n';
}

/** A folder with a config and the table of users. */
export async function writeConfig(
  imap: readonly string[],
  top = "",
  scram = false,
  parent?: string,
): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-net-", dir: parent });
  await Deno.writeTextFile(`${dir}/users`, `${USER}: bcrypt:${HASH}\n`);
  await Deno.writeTextFile(`${dir}/c.toml`, configText(imap, top, scram).replaceAll("{dir}", dir));
  return dir;
}

/** Starts a server. */
export async function serving(
  imap: readonly string[],
  options: {
    readonly top?: string;
    /** SCRAM is offered. */
    readonly scram?: boolean;
    /** Where its folder is made. */
    readonly parent?: string;
  } = {},
): Promise<Serving> {
  const dir = await writeConfig(imap, options.top, options.scram, options.parent);
  const lines: string[] = [];
  let app: App;
  try {
    app = await startApp(await loadConfig(`${dir}/c.toml`), memoryLog(lines));
  } catch (error) {
    await Deno.remove(dir, { recursive: true });
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = () => closing ??= app.close(5000);
  return {
    dir,
    listening: app.listening,
    ports: app.listening.map((each) => each.kind === "inet" ? each.port : 0),
    lines,
    logged: (pattern) => lineOf(lines, pattern),
    close,
    async [Symbol.asyncDispose]() {
      await close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function lineOf(lines: readonly string[], pattern: RegExp): Promise<string> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = lines.find((line) => pattern.test(line));
    if (found !== undefined) return found;
    if (Date.now() > deadline) {
      throw new Error(`Expected a line like ${pattern} in the log, got:\n${lines.join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
