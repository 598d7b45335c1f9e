import { deepStrictEqual } from "node:assert/strict";
import { type AddressInfo, connect, createServer as createPlainServer } from "node:net";
import { connect as connectTls, createServer, TLSSocket } from "node:tls";
import {
  certificateRequest,
  clientCertificate,
  requireCertificate,
} from "../../src/net/client_certificate.ts";
import type { TlsContext } from "../../src/net/endpoint.ts";
import { tlsContext } from "../../src/tls/context.ts";
import { fileCertificates } from "../../src/tls/files.ts";
import { makeSelfSigned } from "../../src/tls/x509.ts";
import { clientTest, run } from "../clients/programs.ts";
import { BOTH, DAY, folder } from "../tls/fixture.ts";

/** Clients with these certificates, signed by "ca" or by another authority of the same name. */
const CLIENTS: Readonly<Record<string, { days: number; use: string; ca: string }>> = {
  good: { days: 10, use: "clientAuth", ca: "ca" },
  expired: { days: -1, use: "clientAuth", ca: "ca" },
  server: { days: 10, use: "serverAuth", ca: "ca" },
  forged: { days: 10, use: "clientAuth", ca: "other" },
};

async function openssl(dir: string, words: string): Promise<void> {
  const { code, stderr } = await run(["openssl", ...words.split(" ")], { cwd: dir });
  if (code !== 0) throw new Error(stderr);
}

const KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

async function makeClients(dir: string): Promise<void> {
  for (const ca of ["ca", "other"]) {
    await openssl(dir, `req -x509 ${KEY} -days 9 -subj /CN=CA -keyout ${ca}.key -out ${ca}.pem`);
  }
  for (const [name, { days, use, ca }] of Object.entries(CLIENTS)) {
    await openssl(dir, `req ${KEY} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`);
    await Deno.writeTextFile(`${dir}/ext`, `extendedKeyUsage=${use}\n`);
    const signing = `-CA ${ca}.pem -CAkey ${ca}.key -CAcreateserial -days ${days} -extfile ext`;
    await openssl(dir, `x509 -req -in ${name}.csr ${signing} -out ${name}.pem`);
  }
  const dates = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) };
  const own = makeSelfSigned({ names: ["own"], ...dates });
  await Deno.writeTextFile(`${dir}/own.pem`, own.cert);
  await Deno.writeTextFile(`${dir}/own.key`, own.key);
}

/** Whom a server saw: the subject, or "nobody" without a certificate that counts. */
type Seen = Readonly<Record<string, string>>;

/** Shows the certificate of each client to a server with implicit TLS, or with STARTTLS. */
async function seenBy(tls: TlsContext, dir: string, starttls: boolean): Promise<Seen> {
  let serve = (_subject: string) => {};
  const greet = (socket: TLSSocket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      serve(clientCertificate(socket)?.subject ?? "nobody");
      socket.end();
    });
  };
  const server = starttls
    ? createPlainServer((plain) => {
      const secureContext = tls.context();
      const options = { isServer: true, secureContext, ...certificateRequest(tls) };
      const socket = new TLSSocket(plain, options);
      requireCertificate(socket, tls);
      greet(socket);
    })
    : createServer({ ...tls.options(), ...certificateRequest(tls) }, greet);
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const { port } = server.address() as AddressInfo;
  const seen: Record<string, string> = {};
  for (const name of [...Object.keys(CLIENTS), "own", "none"]) {
    const pair = name === "none" ? {} : {
      cert: await Deno.readTextFile(`${dir}/${name}.pem`),
      key: await Deno.readTextFile(`${dir}/${name}.key`),
    };
    seen[name] = await new Promise<string>((resolve) => {
      serve = resolve;
      const socket = connect(port, "127.0.0.1");
      const client = connectTls({ socket, rejectUnauthorized: false, ...pair });
      client.on("secureConnect", () => client.write("x"));
      client.on("error", () => {});
      client.on("close", () => resolve("turned away"));
      client.resume();
    });
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return seen;
}

for (const starttls of [false, true]) {
  for (const required of [false, true]) {
    const how = `${required ? "required" : "optional"}, ${starttls ? "STARTTLS" : "implicit TLS"}`;
    const name = `clientCertificate() is only what an authority vouches for (${how})`;
    clientTest(["openssl"], name, async () => {
      await using at = await folder();
      await makeClients(at.dir);
      const certificates = fileCertificates([at.write("a", ["a.example"])], at.options);
      const authorities = [await Deno.readTextFile(`${at.dir}/ca.pem`)];
      const tls = tlsContext(certificates, { ...BOTH, clients: { authorities, required } });
      const other = required ? "turned away" : "nobody";
      deepStrictEqual(await seenBy(tls, at.dir, starttls), {
        good: "CN=good",
        expired: other,
        server: other,
        forged: other,
        own: other,
        none: other,
      });
    });
  }
}
