/** Runs a real slapd with a directory of its own, on loopback. */

import { createConnection } from "node:net";
import { makeSelfSigned } from "../../src/tls/x509.ts";
import { isInstalled, PATIENCE_MS, run } from "../clients/programs.ts";
import { freePorts } from "./free_ports.ts";

/** Where Debian puts it, which is not always in PATH. */
const SLAPD = "/usr/sbin/slapd";
const SLAPADD = "/usr/sbin/slapadd";

export const BASE = "dc=example,dc=org";
export const PEOPLE = `ou=people,${BASE}`;
export const MANAGER = `cn=manager,${BASE}`;
export const MANAGER_PASSWORD = "manager's own";

/** What is not there of what {@link startSlapd} needs. */
export function missingForSlapd(): string[] {
  return ["slapd", "slapadd"].filter((program) =>
    !isInstalled(program) && !exists(`/usr/sbin/${program}`)
  );
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

export interface Slapd extends AsyncDisposable {
  readonly dir: string;
  readonly ldap: string;
  readonly ldaps: string;
  readonly ldapi: string;
  /** PEM file of the authority to trust. */
  readonly ca: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface SlapdOptions {
  /** Lines of LDIF for more entries. */
  readonly ldif?: string;
  /** Lines of slapd.conf for the whole server. */
  readonly global?: string;
  /** Lines of slapd.conf for the database. */
  readonly database?: string;
}

/** An entry below {@link PEOPLE}; the DN is written as RFC 4514 wants it. */
export function person(rdn: string, uid: string, password: string): string {
  const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return [
    `dn:: ${base64(`${rdn},${PEOPLE}`)}`,
    "objectClass: inetOrgPerson",
    `uid:: ${base64(uid)}`,
    `cn:: ${base64(uid)}`,
    `sn:: ${base64(uid)}`,
    `userPassword:: ${base64(password)}`,
    "",
    "",
  ].join("\n");
}

export async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-slapd-" });
  const [plain, secure] = await freePorts(2);
  await Deno.mkdir(`${dir}/db`);
  const { cert, key } = makeSelfSigned({
    names: ["localhost", "127.0.0.1"],
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  });
  await Deno.writeTextFile(`${dir}/cert.pem`, cert);
  await Deno.writeTextFile(`${dir}/key.pem`, key);
  await Deno.writeTextFile(`${dir}/slapd.conf`, configText(dir, options));
  await Deno.writeTextFile(`${dir}/data.ldif`, DATA + (options.ldif ?? ""));
  const added = await run([SLAPADD, "-f", `${dir}/slapd.conf`, "-l", `${dir}/data.ldif`]);
  if (added.code !== 0) throw new Error(`slapadd failed: ${added.stderr}`);
  const socket = encodeURIComponent(`${dir}/ldapi`);
  const urls = {
    ldap: `ldap://127.0.0.1:${plain}`,
    ldaps: `ldaps://localhost:${secure}`,
    ldapi: `ldapi://${socket}`,
  };
  const listen = [urls.ldap, `ldaps://127.0.0.1:${secure}`, urls.ldapi].join(" ");
  let child: Deno.ChildProcess | undefined;
  const start = async () => {
    child = new Deno.Command(SLAPD, {
      args: ["-d", "0", "-f", `${dir}/slapd.conf`, "-h", listen],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await accepting(plain);
  };
  const stop = async () => {
    child?.kill("SIGTERM");
    await child?.status;
    child = undefined;
  };
  await start();
  return {
    dir,
    ...urls,
    ca: `${dir}/cert.pem`,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function configText(dir: string, { global, database }: SlapdOptions): string {
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile ${dir}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile ${dir}/cert.pem
TLSCertificateKeyFile ${dir}/key.pem
authz-regexp gidNumber=.* ${MANAGER}
${global ?? ""}
database mdb
suffix "${BASE}"
rootdn "${MANAGER}"
rootpw "${MANAGER_PASSWORD}"
directory ${dir}/db
maxsize 16777216
${database ?? ""}
`;
}

const DATA = `dn: ${BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ${PEOPLE}
objectClass: organizationalUnit
ou: people

${person("uid=ann", "ann", "Ann's own")}${person("uid=bob", "bob", "Bob's own")}`;

/** Waits until somebody listens. */
export async function accepting(port: number): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ host: "127.0.0.1", port });
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    if (Date.now() > deadline) throw new Error(`Nobody listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
