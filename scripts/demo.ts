/** Runs a server with a mailbox full of mail, its state under ./demo. */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openStorage } from "../src/app/storage.ts";
import { hashPassword } from "../src/auth/hashing.ts";
import { formatPasswordHash } from "../src/auth/password_hash.ts";
import { print, printError } from "../src/cli/output.ts";
import type { App } from "../src/app.ts";
import { serveConfig } from "../src/cli/serve.ts";
import { type Config, loadConfig } from "../src/config/load.ts";
import { createLog, type Log } from "../src/log.ts";
import { type InetAddress, ListenError } from "../src/net/listen_address.ts";
import type { Account } from "../src/store/store.ts";
import { FileTable } from "../src/tables/file_table.ts";
import { DEMO_MAILBOXES, type DemoMessage, demoMessages } from "./demo_mail.ts";

const USER = "demo";
/** Without letters and digits that look alike. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";

const PORTS: Ports = { tcp: 1143, tls: 1993 };

interface Ports {
  readonly tcp: number;
  readonly tls: number;
}

function configText({ tcp, tls }: Ports): string {
  return `# The config of the demo. Change it as you like: it is kept.
hostname = "localhost"
state_dir = "."
log = ["stderr"]

[tls]
loader = "self_signed"

[[imap]]
listen = ["tcp://127.0.0.1:${tcp}", "tls://127.0.0.1:${tls}"]
auth = "&local_authdb"
storage = "&local_mailboxes"

[auth.local_authdb]
module = "pass_table"
table = { module = "file", path = "users" }

[storage.local_mailboxes]
module = "maildir"
path = "{state_dir}/mail/{account}"
`;
}

/**
 * Makes what is missing in `dir`, serves, and returns the exit status.
 *
 * @param asked ports that stand in for those of the config, which an earlier start may have made
 */
async function demo(dir: string, asked: Partial<Ports>): Promise<number> {
  const ports = { tcp: asked.tcp ?? PORTS.tcp, tls: asked.tls ?? PORTS.tls };
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  const file = `${dir}/config.toml`;
  if (!await exists(file)) await Deno.writeTextFile(file, configText(ports));
  const config = withPorts(await loadConfig(file), asked);
  const log = createLog(["stderr"], false);
  const password = await ensureUser(dir, log);
  if (!await exists(`${dir}/seeded`)) {
    // What an interrupted first start left.
    await Deno.remove(`${dir}/mail/${USER}`, { recursive: true }).catch(() => {});
    await seed(config, log);
    await Deno.writeTextFile(`${dir}/seeded`, "");
  }
  const started = ({ listening }: App) => {
    const inet = listening.filter((each): each is InetAddress => each.kind === "inet");
    const port = inet.find(({ tls }) => tls)?.port ?? ports.tls;
    const plain = inet.find(({ tls }) => !tls)?.port ?? ports.tcp;
    print(howToConnect(dir, password, plain, port));
  };
  const failed = (reason: unknown) => {
    if (!(reason instanceof ListenError)) return;
    printError("Choose other ports with --port NUMBER and --tls-port NUMBER (0 takes a free one)");
  };
  return await serveConfig(config, { started, failed });
}

function withPorts(config: Config, { tcp, tls }: Partial<Ports>): Config {
  const imap = config.imap.map((endpoint) => ({
    ...endpoint,
    listen: endpoint.listen.map((address) =>
      address.kind === "inet"
        ? { ...address, port: (address.tls ? tls : tcp) ?? address.port }
        : address
    ),
  }));
  return { ...config, imap };
}

/** @throws {RangeError} when `text` is not a port */
function portOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new RangeError(`Expected a port from 0 to 65535 for --${name}, got ${text}`);
}

/** The password is kept beside the hash, so that a second start can print it again. */
async function ensureUser(dir: string, log: Log): Promise<string> {
  const file = `${dir}/password`;
  const users = `${dir}/users`;
  if (!await exists(users)) await Deno.writeTextFile(users, "", { mode: 0o600 });
  const table = await FileTable.open({ path: users, log });
  if (await exists(file) && (await table.keys()).includes(USER)) {
    return (await Deno.readTextFile(file)).trim();
  }
  const password = randomPassword();
  await Deno.writeTextFile(file, `${password}\n`, { mode: 0o600 });
  await table.set(USER, formatPasswordHash(await hashPassword("argon2", password)));
  return password;
}

function randomPassword(): string {
  const octets = crypto.getRandomValues(new Uint8Array(16));
  return [...octets].map((octet) => LETTERS[octet % LETTERS.length]).join("");
}

/** Fills the account through the same store as the server's. */
async function seed(config: Config, log: Log): Promise<void> {
  const store = openStorage(config.imap[0].storage, log);
  try {
    const account = await store.account(USER);
    for (const mailbox of DEMO_MAILBOXES) {
      await account.create(mailbox);
      await account.subscribe(mailbox);
    }
    for (const message of demoMessages(new Date())) await put(account, message);
  } finally {
    await store.close();
  }
}

async function put(account: Account, message: DemoMessage): Promise<void> {
  const incoming = await account.receive(message.mailbox);
  try {
    await incoming.write(message.text);
    await account.append(message.mailbox, [{
      incoming,
      flags: { system: message.flags, keywords: message.keywords },
      date: { seconds: Math.floor(message.date.getTime() / 1000), zone: 0 },
    }]);
  } catch (error) {
    await incoming.abort();
    throw error;
  }
}

function howToConnect(dir: string, password: string, plain: number, tls: number): string {
  const mutt = [
    `set imap_pass=${password}`,
    `set folder=imaps://${USER}@127.0.0.1:${tls}/`,
    `set certificate_file=${dir}/tls/self_signed.cert.pem`,
    "set ssl_force_tls=yes",
  ];
  return `
imapd is ready. User ${USER}, password ${password}

  IMAP with STARTTLS   127.0.0.1:${plain}
  IMAP over TLS        127.0.0.1:${tls}   (the certificate is self-signed)

Try, in another terminal:

  curl -k --user ${USER}:${password} imaps://127.0.0.1:${tls}/
  curl -k --user ${USER}:${password} 'imaps://127.0.0.1:${tls}/INBOX;MAILINDEX=1'
  neomutt -n -F /dev/null ${mutt.map((line) => `-e '${line}'`).join(" ")} \\
    -f imaps://${USER}@127.0.0.1:${tls}/INBOX

All state is in ${dir}; remove it to start afresh. Ctrl-C stops the server.
`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      dir: { type: "string", default: fileURLToPath(new URL("../demo", import.meta.url)) },
      port: { type: "string" },
      "tls-port": { type: "string" },
    },
  });
  try {
    const [tcp, tls] = [portOf("port", values.port), portOf("tls-port", values["tls-port"])];
    Deno.exit(await demo(values.dir, { tcp, tls }));
  } catch (error) {
    printError(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
