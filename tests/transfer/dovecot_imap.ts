/** Runs a real Dovecot that serves Maildirs over IMAP. */

import { existsSync } from "node:fs";
import { isInstalled, PATIENCE_MS, run } from "../clients/programs.ts";
import { freePorts } from "../auth/free_ports.ts";
import { accepting } from "../auth/slapd.ts";

const DOVECOT = "/usr/sbin/dovecot";
/** Who owns the mail: Dovecot gives none to root. */
const OWNER = 5000;

/** What is not there of what {@link startDovecotImap} needs. */
export function missingForDovecotImap(): string[] {
  const missing = ["doveadm", "mbsync", "openssl"].filter((program) => !isInstalled(program));
  if (!existsSync("/usr/lib/dovecot/imap")) missing.push("dovecot-imapd");
  return Deno.uid() === 0 ? missing : [...missing, "right to start dovecot"];
}

export interface DovecotImap extends AsyncDisposable {
  readonly port: number;
  /** With a self-signed certificate. */
  readonly tlsPort: number;
  stop(): Promise<void>;
}

/** @param mail the Maildir of every user; the password of all is "secret" */
export async function startDovecotImap(dir: string, mail: string): Promise<DovecotImap> {
  const [port, tlsPort] = await freePorts(2);
  await Deno.mkdir(`${dir}/dovecot`, { recursive: true });
  await Deno.writeTextFile(
    `${dir}/dovecot.conf`,
    configText(`${dir}/dovecot`, mail, port, tlsPort),
  );
  await makeCertificate(`${dir}/dovecot`);
  await giveAway(mail);
  const child = new Deno.Command(DOVECOT, {
    args: ["-F", "-c", `${dir}/dovecot.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(2 * PATIENCE_MS),
  }).spawn();
  await accepting(port);
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      child.kill("SIGTERM");
      await child.status;
    })();
  return { port, tlsPort, stop, [Symbol.asyncDispose]: stop };
}

async function makeCertificate(dir: string): Promise<void> {
  const files = ["-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`];
  const about = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  await run(["openssl", "req", "-x509", ...about, ...files]);
}

async function giveAway(path: string): Promise<void> {
  await Deno.chown(path, OWNER, OWNER);
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) await giveAway(`${path}/${name}`);
    else await Deno.chown(`${path}/${name}`, OWNER, OWNER);
  }
}

function configText(dir: string, mail: string, port: number, tlsPort: number): string {
  return `protocols = imap
listen = 127.0.0.1
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
ssl = yes
ssl_cert = <${dir}/cert.pem
ssl_key = <${dir}/key.pem
disable_plaintext_auth = no
mail_location = maildir:${mail}
mail_uid = ${OWNER}
mail_gid = ${OWNER}
first_valid_uid = ${OWNER}
last_valid_uid = ${OWNER}
first_valid_gid = ${OWNER}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${OWNER} gid=${OWNER} home=${dir}
}
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`;
}
