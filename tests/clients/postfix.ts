/** Runs a real Postfix from folders of its own. */

import { freePorts } from "../auth/free_ports.ts";
import { accepting } from "../auth/slapd.ts";
import { until } from "../until.ts";
import { isInstalled, run } from "./programs.ts";

/** What is not there of what {@link startPostfix} needs. */
export function missingForPostfix(): string[] {
  const missing = isInstalled("postfix") ? [] : ["postfix"];
  return Deno.uid() === 0 ? missing : [...missing, "right to start postfix"];
}

export interface Postfix extends AsyncDisposable {
  readonly dir: string;
  /** Where it takes mail by SMTP, on 127.0.0.1. */
  readonly port: number;
  log(): Promise<string>;
}

/**
 * @param main more lines of main.cf
 * @param master more lines of master.cf
 */
export async function startPostfix(main: string, master = ""): Promise<Postfix> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-postfix-" });
  await Deno.chmod(dir, 0o755);
  const [port] = await freePorts(1);
  await Deno.mkdir(`${dir}/config`);
  await Deno.mkdir(`${dir}/queue`);
  await Deno.mkdir(`${dir}/data`);
  await Deno.writeTextFile(`${dir}/config/main.cf`, mainText(dir) + main);
  await Deno.writeTextFile(`${dir}/config/master.cf`, masterText(port) + master);
  const { code: owner } = await run(["chown", "postfix", `${dir}/data`]);
  const { code, stdout, stderr } = await run(["postfix", "-c", `${dir}/config`, "start"]);
  const log = () => Deno.readTextFile(`${dir}/mail.log`).catch(() => "");
  if (owner !== 0 || code !== 0) {
    throw new Error(`postfix did not start: ${stdout}${stderr}${await log()}`);
  }
  await accepting(port);
  const pid = Number(await Deno.readTextFile(`${dir}/queue/pid/master.pid`));
  return {
    dir,
    port,
    log,
    async [Symbol.asyncDispose]() {
      await run(["postfix", "-c", `${dir}/config`, "stop"]);
      await until(() => Deno.stat(`/proc/${pid}`).then(() => false, () => true), "postfix's end");
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function mainText(dir: string): string {
  return `compatibility_level = 3.6
queue_directory = ${dir}/queue
data_directory = ${dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${dir}/mail.log
maillog_file_prefixes = ${dir}
myhostname = mx.example.org
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
minimal_backoff_time = 1s
queue_run_delay = 1s
`;
}

function masterText(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}
