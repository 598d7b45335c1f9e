import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { connect } from "node:tls";
import { clientTest } from "../clients/programs.ts";
import { folder } from "./fixture.ts";
import { checkWith, ENDPOINT, shown, startWith } from "./running_server.ts";

/** A test that looks at the running server by openssl. */
function serverTest(name: string, fn: () => Promise<void>): void {
  clientTest(["openssl"], name, fn);
}

const names = (certificate: { subject: string } | undefined) => certificate?.subject;

serverTest(
  "tls = [cert, key, …]: certificates are chosen by name, also after STARTTLS",
  async () => {
    await using at = await folder();
    at.write("a", ["a.example"]);
    at.write("b", ["b.example"]);
    const tls = 'tls = ["a.cert", "a.key", "./b.cert", "./b.key"]';
    await using server = await startWith(at.dir, tls);
    for (const scheme of ["tcp", "tls"] as const) {
      const [port] = server.ports(scheme);
      const starttls = scheme === "tcp";
      for (const name of ["a.example", "b.example", undefined, "c.example"]) {
        const subject = names(await shown(port, { name, starttls }));
        strictEqual(subject, name === "b.example" ? "CN=b.example" : "CN=a.example", `${name}`);
      }
    }
  },
);

serverTest(
  "tls = [cert, key]: a new certificate comes into use while connections stay",
  async () => {
    await using at = await folder();
    at.write("a", ["old.example"]);
    await using server = await startWith(at.dir, 'tls = ["file", "a.cert", "a.key"]');
    const [plain] = server.ports("tcp");
    const [port] = server.ports("tls");
    const caCerts = [await Deno.readTextFile(`${at.dir}/a.cert`)];
    const plainSocket = await Deno.connect({ hostname: "127.0.0.1", port });
    const client = await Deno.startTls(plainSocket, { hostname: "old.example", caCerts });
    const buffer = new Uint8Array(4096);
    const ask = async (command: string) => {
      await client.write(new TextEncoder().encode(command));
      return new TextDecoder().decode(buffer.subarray(0, await client.read(buffer) ?? 0));
    };
    match(await ask(""), /^\* OK /);
    at.write("a", ["new.example"]);
    await server.logged("certificates loaded again");
    for (const name of [undefined, "x.example"]) {
      strictEqual(names(await shown(port, { name })), "CN=new.example");
      strictEqual(names(await shown(plain, { name, starttls: true })), "CN=new.example");
    }
    match(await ask("a NOOP\r\n"), /^a OK /);
    Deno.writeTextFileSync(`${at.dir}/a.key`, "damaged");
    await server.logged("certificates not loaded again, keeping the old ones");
    strictEqual(names(await shown(port)), "CN=new.example");
    match(await ask("b NOOP\r\n"), /^b OK /);
    client.close();
  },
);

serverTest("tls: the coming end of a certificate is logged", async () => {
  await using at = await folder();
  at.write("a", ["a.example"], 10.5);
  at.write("b", ["b.example"], -0.5);
  at.write("c", ["c.example"], 15);
  const tls = 'tls = ["a.cert", "a.key", "b.cert", "b.key", "c.cert", "c.key"]';
  await using server = await startWith(at.dir, tls);
  const lines = server.log().split("\n").filter((line) => line.includes("certificate"));
  strictEqual(lines.length, 2);
  match(lines[0], /^warning: certificate expires soon path=\S+\/a\.cert end=\S+ days=10$/);
  match(lines[1], /^error: certificate has expired path=\S+\/b\.cert end=\S+$/);
});

serverTest(
  "tls = [self_signed, name, …]: the certificate is for these names and is kept",
  async () => {
    await using at = await folder();
    const tls = 'tls = ["self_signed", "imap.example", "192.0.2.7"]';
    const seen: (string | undefined)[] = [];
    for (let start = 0; start < 2; start++) {
      await using server = await startWith(at.dir, tls);
      const certificate = await shown(server.ports("tls")[0]);
      strictEqual(certificate?.subjectAltName, "DNS:imap.example, IP Address:192.0.2.7");
      seen.push(certificate.serialNumber);
    }
    strictEqual(seen[0], seen[1]);
    for (const { name } of Deno.readDirSync(`${at.dir}/tls`)) {
      const { mode } = Deno.statSync(`${at.dir}/tls/${name}`);
      strictEqual((mode ?? 0) & 0o777, name.endsWith(".key.pem") ? 0o600 : 0o644, name);
    }
  },
);

serverTest("tls: an endpoint has its own, or that of the top, or none", async () => {
  await using at = await folder();
  at.write("top", ["top.example"]);
  at.write("own", ["own.example"]);
  const off = ENDPOINT.replace(', "tls://127.0.0.1:0"', "").replace("insecure_auth = true\n", "");
  await using server = await startWith(
    at.dir,
    'tls = "&top"',
    `${ENDPOINT}${ENDPOINT}tls = ["own.cert", "own.key"]\n${off}tls = "off"\n` +
      '[tls_loader.top]\nmodule = "file"\ncerts = ["top.cert"]\nkeys = ["top.key"]\n',
  );
  const [inherited, own] = server.ports("tls");
  strictEqual(names(await shown(inherited)), "CN=top.example");
  strictEqual(names(await shown(own)), "CN=own.example");
  const [first, second, third] = server.ports("tcp");
  strictEqual(names(await shown(first, { starttls: true })), "CN=top.example");
  strictEqual(names(await shown(second, { starttls: true })), "CN=own.example");
  strictEqual(await shown(third, { starttls: true }), undefined);
  ok(server.log().includes("TLS is off: passwords and mail travel in the clear"));
});

serverTest(
  "tls.protocols: an endpoint may have its own beside a loader that is shared",
  async () => {
    await using at = await folder();
    await using server = await startWith(
      at.dir,
      'tls = { loader = "&x", protocols = ["tls1.3"] }',
      `${ENDPOINT}${ENDPOINT}tls = "&x"\n[tls_loader.x]\nmodule = "self_signed"\n`,
    );
    const [only13, both] = server.ports("tls");
    strictEqual(await shown(only13, { args: ["-tls1_2"] }), undefined);
    const [a, b] = [await shown(only13), await shown(both, { args: ["-tls1_2"] })];
    ok(a);
    strictEqual(a.serialNumber, b?.serialNumber);
  },
);

serverTest("tls: the curves on offer are those that the refusal of tls.curves names", async () => {
  await using at = await folder();
  await using server = await startWith(at.dir, 'tls = "self_signed"');
  const [port] = server.ports("tls");
  for (const curve of ["X25519", "P-256", "P-384"]) {
    ok(await shown(port, { args: ["-curves", curve] }), curve);
  }
  strictEqual(await shown(port, { args: ["-curves", "P-521"] }), undefined);
});

Deno.test("tls.client_certificate: clients without one are turned away where it is required", async () => {
  await using at = await folder();
  const { cert, key } = at.write("client", ["client.example"]);
  const rules = 'client_ca = ["client.cert"], client_certificate =';
  await using server = await startWith(
    at.dir,
    `tls = { loader = "self_signed", ${rules} "required" }`,
    `${ENDPOINT}${ENDPOINT}tls = { loader = "self_signed", ${rules} "optional" }\n`,
  );
  const pair = { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) };
  const [required, optional] = server.ports("tls");
  match(await greeting(required, pair), /^\* OK /);
  strictEqual(await greeting(required, {}), "");
  match(await greeting(optional, pair), /^\* OK /);
  match(await greeting(optional, {}), /^\* OK /);
});

/** What the server says first; "" when it says nothing. */
function greeting(port: number, pair: { cert?: string; key?: string }): Promise<string> {
  return new Promise((resolve) => {
    const client = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...pair });
    client.on("data", (bytes) => {
      resolve(String(bytes));
      client.destroy();
    });
    client.on("error", () => {});
    client.on("close", () => resolve(""));
  });
}

Deno.test("imapd check looks at certificates and keys", async () => {
  await using at = await folder();
  const { cert: a } = at.write("a", ["a.example"]);
  const { key: b } = at.write("b", ["b.example"]);
  const { dir } = at;
  const KEY = "an unencrypted private key in PEM";
  deepStrictEqual(await checkWith(dir, 'tls = ["a.cert", "a.key"]'), { code: 0, faults: [] });
  deepStrictEqual(
    await checkWith(dir, 'tls = ["a.cert", "b.key", "b.key", "b.key", "b.cert", "a"]'),
    {
      code: 2,
      faults: [
        `3:18: tls[1] must be the key of ${a}: got ${b}, which is another one`,
        "3:27: tls[2] must be a certificate in PEM: got " + b,
        `3:55: tls[5] must be ${KEY}: got ${dir}/a, which does not exist`,
      ],
    },
  );
  deepStrictEqual(
    await checkWith(
      dir,
      'tls = { loader = "acme", agreed = true, ca_root = "b.key" }',
    ),
    { code: 2, faults: [`3:51: tls.ca_root must be a certificate in PEM: got ${b}`] },
  );
  const proxy = 'proxy_protocol = { trust = ["::1"], tls = ["a.cert", "b.key"] }\n';
  deepStrictEqual(await checkWith(dir, 'tls = ["a.cert", "a.key"]', ENDPOINT + proxy), {
    code: 2,
    faults: [
      `9:54: imap.proxy_protocol.tls[1] must be the key of ${a}: got ${b}, which is another one`,
    ],
  });
});
