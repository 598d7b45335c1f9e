/** Pebble, the test server of Let's Encrypt, with a name server that knows every name. */

import { makeSelfSigned } from "../../src/tls/x509.ts";
import { freePort } from "./free_port.ts";

export interface Pebble extends AsyncDisposable {
  readonly directory: string;
  /** PEM file and text of the root of Pebble's own certificate. */
  readonly caRootFile: string;
  readonly caRoot: string;
  /** Where Pebble asks for HTTP-01, and for TLS-ALPN-01. */
  readonly httpPort: number;
  readonly tlsPort: number;
}

/** Programs that Pebble needs, as Debian calls them. */
export const PEBBLE_PROGRAMS = ["pebble", "pebble-challtestsrv"];

const DAY = 86_400_000;

/**
 * Starts it with a fifth of all nonces refused: ten refusals in a row then never happen by chance.
 *
 * @param external kid and key (base64url) that new accounts must be bound to
 */
export async function startPebble(external?: Record<string, string>): Promise<Pebble> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-pebble-" });
  const names = ["localhost", "127.0.0.1"];
  const [notBefore, notAfter] = [-1, 1].map((days) => new Date(Date.now() + days * DAY));
  const own = makeSelfSigned({ names, notBefore, notAfter });
  await Deno.writeTextFile(`${dir}/cert.pem`, own.cert);
  await Deno.writeTextFile(`${dir}/key.pem`, own.key);
  const [port, httpPort, tlsPort, dns, management] = Array.from({ length: 5 }, freePort);
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    certificate: `${dir}/cert.pem`,
    privateKey: `${dir}/key.pem`,
    httpPort,
    tlsPort,
    ...external && {
      externalAccountBindingRequired: true,
      externalAccountMACKeys: external,
    },
  };
  await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify({ pebble: config }));
  const nameServer = start("pebble-challtestsrv", [
    ...["-dns01", `127.0.0.1:${dns}`, "-management", `127.0.0.1:${management}`],
    ...["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""],
  ]);
  const pebble = start(
    "pebble",
    ["-config", `${dir}/config.json`, "-strict", "-dnsserver", `127.0.0.1:${dns}`],
    { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "20" },
  );
  const directory = `https://127.0.0.1:${port}/dir`;
  await reachable(directory, own.cert);
  return {
    directory,
    caRoot: own.cert,
    caRootFile: `${dir}/cert.pem`,
    httpPort,
    tlsPort,
    async [Symbol.asyncDispose]() {
      for (const child of [pebble, nameServer]) {
        child.kill();
        await child.status;
      }
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function start(program: string, args: string[], env: Record<string, string> = {}) {
  const io = { stdin: "null", stdout: "null", stderr: "null" } as const;
  return new Deno.Command(program, { args, env, ...io }).spawn();
}

/** Waits until the directory can be read, at most half a minute. */
async function reachable(directory: string, caRoot: string): Promise<void> {
  using client = Deno.createHttpClient({ caCerts: [caRoot] });
  for (let tries = 1;; tries++) {
    try {
      const response = await fetch(directory, { client });
      await response.body?.cancel();
      return;
    } catch (error) {
      if (tries === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
