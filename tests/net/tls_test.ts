import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { memoryLog } from "../../src/log.ts";
import type { TlsContext } from "../../src/net/endpoint.ts";
import { makeSelfSigned } from "../../src/net/self_signed.ts";
import {
  fileCertificates,
  type ProtocolRange,
  selfSignedCertificate,
  type TlsOptions,
} from "../../src/net/tls.ts";

const DAY = 86_400_000;
const BOTH: ProtocolRange = { lowest: "tls1.2", highest: "tls1.3" };

interface Folder extends AsyncDisposable {
  readonly dir: string;
  readonly lines: string[];
  readonly options: TlsOptions;
  pass(ms: number): void;
  /** Writes NAME.cert and NAME.key. */
  write(name: string, names: readonly string[], days?: number): { cert: string; key: string };
}

async function folder(protocols = BOTH): Promise<Folder> {
  const dir = await Deno.makeTempDir();
  const lines: string[] = [];
  let now = Date.now();
  return {
    dir,
    lines,
    options: { protocols, log: memoryLog(lines), clock: () => now },
    pass: (ms) => void (now += ms),
    write(name, names, days = 90) {
      const pair = { cert: `${dir}/${name}.cert`, key: `${dir}/${name}.key` };
      const made = makeSelfSigned({
        names,
        notBefore: new Date(now - DAY),
        notAfter: new Date(now + days * DAY),
      });
      Deno.writeTextFileSync(pair.cert, made.cert);
      Deno.writeTextFileSync(pair.key, made.key);
      return pair;
    },
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

interface Handshake {
  /** Common name of the server's certificate. */
  readonly name: string;
  readonly protocol: string | null;
}

/** Real handshakes with a server that asks `context` as ours does. */
async function handshakes(
  context: TlsContext,
  names: readonly (string | undefined)[],
): Promise<Handshake[]> {
  const server = createServer({
    ...context.options(),
    SNICallback: (name, done) => done(null, context.context(name)),
  }, (socket) => socket.end());
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

async function namesServed(context: TlsContext, names: readonly (string | undefined)[]) {
  return (await handshakes(context, names)).map(({ name }) => name);
}

Deno.test("fileCertificates() chooses by the name that the client asks for", async () => {
  await using at = await folder();
  const context = fileCertificates([
    at.write("a", ["a.example"]),
    at.write("wild", ["*.b.example"]),
    at.write("b", ["x.b.example", "B.example"]),
  ], at.options);
  deepStrictEqual(
    await namesServed(context, [
      "a.example",
      "y.b.example",
      "x.b.example",
      "b.example",
      "z.y.b.example",
      "other.example",
      undefined,
    ]),
    [
      "a.example",
      "*.b.example",
      "x.b.example",
      "x.b.example",
      "a.example",
      "a.example",
      "a.example",
    ],
  );
});

for (const version of ["tls1.2", "tls1.3"] as const) {
  Deno.test(`fileCertificates() can offer ${version} only`, async () => {
    await using at = await folder({ lowest: version, highest: version });
    const context = fileCertificates([at.write("a", ["a.example"])], at.options);
    const [{ protocol }] = await handshakes(context, ["a.example"]);
    strictEqual(protocol, version.toUpperCase().replace("TLS", "TLSv"));
  });
}

Deno.test("fileCertificates() loads changed files within a minute", async () => {
  await using at = await folder();
  const context = fileCertificates([at.write("a", ["old.example"])], at.options);
  at.write("a", ["new.example"]);
  at.pass(59_000);
  deepStrictEqual(await namesServed(context, ["x"]), ["old.example"]);
  at.pass(1000);
  deepStrictEqual(await namesServed(context, ["x"]), ["new.example"]);
  deepStrictEqual(at.lines, ["info: certificates loaded again"]);
});

Deno.test("fileCertificates() tells who watches, so that clients without a name are served too", async () => {
  await using at = await folder();
  const context = fileCertificates([at.write("a", ["old.example"])], at.options);
  let changes = 0;
  const unwatch = context.watch(() => changes++);
  at.write("a", ["new.example"]);
  at.pass(60_000);
  context.context();
  strictEqual(changes, 1);
  deepStrictEqual(await namesServed(context, [undefined]), ["new.example"]);
  unwatch();
  at.write("a", ["newest.example"]);
  at.pass(60_000);
  context.context();
  strictEqual(changes, 1);
});

Deno.test("fileCertificates() keeps the old ones while the new ones are faulty", async () => {
  await using at = await folder();
  const pair = at.write("a", ["old.example"]);
  const { key } = at.write("other", ["new.example"]);
  const context = fileCertificates([pair], at.options);
  Deno.copyFileSync(at.dir + "/other.cert", pair.cert);
  at.pass(60_000);
  deepStrictEqual(await namesServed(context, ["x"]), ["old.example"]);
  match(at.lines.join(), /^error: certificates not loaded again, keeping the old ones error="/);
  Deno.removeSync(pair.key);
  at.pass(60_000);
  deepStrictEqual(await namesServed(context, ["x"]), ["old.example"]);
  Deno.copyFileSync(key, pair.key);
  at.pass(60_000);
  deepStrictEqual(await namesServed(context, ["x"]), ["new.example"]);
});

Deno.test("fileCertificates() refuses at the start what would fail at each handshake", async () => {
  await using at = await folder();
  const a = at.write("a", ["a.example"]);
  const b = at.write("b", ["b.example"]);
  const fails = (pair: typeof a, message: string) =>
    throws(() => fileCertificates([pair], at.options), (error) => {
      ok(error instanceof Error);
      ok(error.message.startsWith(message), error.message);
      return true;
    });
  fails({ ...a, key: b.key }, `Expected ${b.key} to be the key of ${a.cert}, got another one`);
  fails({ ...a, cert: `${at.dir}/none` }, `Cannot read ${at.dir}/none: `);
  fails({ cert: a.key, key: a.key }, `Expected a certificate in PEM in ${a.key}`);
  fails({ cert: a.cert, key: a.cert }, `Expected an unencrypted private key in PEM in ${a.cert}`);
});

Deno.test("fileCertificates() warns of a certificate that has expired", async () => {
  await using at = await folder();
  const pair = at.write("a", ["a.example"], -0.5);
  fileCertificates([pair], at.options);
  match(at.lines.join(), /^warning: certificate has expired path=/);
});

const NAMES = ["mail.example.org", "localhost", "127.0.0.1", "::1"];

function certificateIn(dir: string): X509Certificate {
  return new X509Certificate(Deno.readTextFileSync(`${dir}/tls/self_signed.cert.pem`));
}

Deno.test("selfSignedCertificate() is for all names and has a key that only its owner can read", async () => {
  await using at = await folder();
  const context = selfSignedCertificate(`${at.dir}/tls`, NAMES, at.options);
  deepStrictEqual(await namesServed(context, ["localhost"]), ["mail.example.org"]);
  const certificate = certificateIn(at.dir);
  strictEqual(
    certificate.subjectAltName,
    "DNS:mail.example.org, DNS:localhost, IP Address:127.0.0.1, IP Address:::1",
  );
  ok(certificate.verify(certificate.publicKey));
  const { mode } = Deno.statSync(`${at.dir}/tls/self_signed.key.pem`);
  strictEqual((mode ?? 0) & 0o777, 0o600);
});

Deno.test("selfSignedCertificate() is kept until 30 days before its end", async () => {
  await using at = await folder();
  const open = () => selfSignedCertificate(`${at.dir}/tls`, NAMES, at.options);
  const context = open();
  const { serialNumber } = certificateIn(at.dir);
  at.pass(360 * DAY);
  open();
  strictEqual(certificateIn(at.dir).serialNumber, serialNumber);
  at.pass(10 * DAY);
  context.context();
  notStrictEqual(certificateIn(at.dir).serialNumber, serialNumber);
});

Deno.test("selfSignedCertificate() is made anew for other names, or when it is damaged", async () => {
  await using at = await folder();
  selfSignedCertificate(`${at.dir}/tls`, NAMES, at.options);
  const { serialNumber } = certificateIn(at.dir);
  selfSignedCertificate(`${at.dir}/tls`, ["new.example", ...NAMES], at.options);
  const renamed = certificateIn(at.dir).serialNumber;
  notStrictEqual(renamed, serialNumber);
  Deno.writeTextFileSync(`${at.dir}/tls/self_signed.key.pem`, "damaged");
  selfSignedCertificate(`${at.dir}/tls`, ["new.example"], at.options);
  notStrictEqual(certificateIn(at.dir).serialNumber, renamed);
});
