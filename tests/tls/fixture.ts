/** A folder with certificates, a clock that is moved by hand, and real handshakes. */

import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { memoryLog } from "../../src/log.ts";
import { serverNameChoice } from "../../src/net/secured.ts";
import type { TlsContext } from "../../src/net/endpoint.ts";
import type { CertificateOptions, Certificates } from "../../src/tls/certificate_set.ts";
import { tlsContext, type TlsRules } from "../../src/tls/context.ts";
import type { CertificateFiles } from "../../src/tls/pair.ts";
import { makeSelfSigned } from "../../src/tls/x509.ts";

/** In ms. */
export const DAY = 86_400_000;

export interface Folder extends AsyncDisposable {
  readonly dir: string;
  /** What was logged. */
  readonly lines: string[];
  readonly options: CertificateOptions;
  pass(ms: number): void;
  /** Writes NAME.cert and NAME.key. */
  write(name: string, names: readonly string[], days?: number): CertificateFiles;
}

export async function folder(): Promise<Folder> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-tls-" });
  const lines: string[] = [];
  let now = Date.now();
  return {
    dir,
    lines,
    options: { log: memoryLog(lines), clock: () => now },
    pass: (ms) => void (now += ms),
    write(name, names, days = 90) {
      const files = { cert: `${dir}/${name}.cert`, key: `${dir}/${name}.key` };
      const made = makeSelfSigned({
        names,
        notBefore: new Date(now - DAY),
        notAfter: new Date(now + days * DAY),
      });
      Deno.writeTextFileSync(files.cert, made.cert);
      Deno.writeTextFileSync(files.key, made.key);
      return files;
    },
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

export interface Handshake {
  /** Common name of the server's certificate. */
  readonly name: string;
  readonly protocol: string | null;
}

/** TLS 1.2 and 1.3. */
export const BOTH: TlsRules = { protocols: { lowest: "tls1.2", highest: "tls1.3" } };

/** Real handshakes, one for each server name, with a server that asks `context` as ours does. */
export async function handshakes(
  context: TlsContext,
  names: readonly (string | undefined)[],
): Promise<Handshake[]> {
  const server = createServer(
    { ...context.options(), ...serverNameChoice(context) },
    (socket) => socket.end(),
  );
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const { port } = server.address() as AddressInfo;
  const results: Handshake[] = [];
  try {
    for (const servername of names) results.push(await handshake(port, servername));
  } finally {
    server.close();
  }
  return results;
}

function handshake(port: number, servername: string | undefined): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", servername, rejectUnauthorized: false };
    const socket = connect(options, () => {
      const name = String(socket.getPeerCertificate().subject.CN);
      resolve({ name, protocol: socket.getProtocol() });
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

/** Common names of the certificates that clients get who ask for `names`. */
export async function namesServed(
  certificates: Certificates,
  names: readonly (string | undefined)[],
): Promise<string[]> {
  const context = tlsContext(certificates, BOTH);
  context.context();
  return (await handshakes(context, names)).map(({ name }) => name);
}
