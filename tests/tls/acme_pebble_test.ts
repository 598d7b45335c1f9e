import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { acmeCertificate, type AcmeSettings } from "../../src/tls/acme.ts";
import { alpnResponder, httpResponder } from "../../src/tls/acme_challenge.ts";
import type { KeyType } from "../../src/tls/x509.ts";
import { clientTest } from "../clients/programs.ts";
import { issued } from "./acme_fixture.ts";
import { folder, namesServed } from "./fixture.ts";
import { type Pebble, PEBBLE_PROGRAMS, startPebble } from "./pebble.ts";
import { ENDPOINT, shown, startWith } from "./running_server.ts";

const NAMES = ["mail.example.org", "imap.example.org"];

function settings(pebble: Pebble, storePath: string): AcmeSettings {
  const { directory, caRoot, httpPort: port } = pebble;
  const caRoots = [caRoot];
  const responder = httpResponder({ host: "127.0.0.1", port });
  return { names: NAMES, directory, caRoots, responder, keyType: "ecdsa", storePath };
}

for (const [challenge, keyType] of [["http-01", "ecdsa"], ["tls-alpn-01", "rsa"]] as const) {
  clientTest(
    PEBBLE_PROGRAMS,
    `acmeCertificate() has Pebble issue a certificate by ${challenge} for a key of type ${keyType}`,
    async () => {
      await using at = await folder();
      await using pebble = await startPebble();
      const responder = challenge === "http-01"
        ? httpResponder({ host: "127.0.0.1", port: pebble.httpPort })
        : alpnResponder({ host: "127.0.0.1", port: pebble.tlsPort });
      const wanted = { ...settings(pebble, at.dir), responder, keyType };
      const certificates = acmeCertificate(wanted, at.options);
      try {
        match(at.lines.join(), /^warning: serving a self-signed certificate until/);
        await issued(certificates, at);
        const [pair] = certificates.current;
        deepStrictEqual([...pair.names].sort(), [...NAMES].sort());
        const certificate = new X509Certificate(pair.cert);
        match(certificate.issuer, /Pebble/);
        strictEqual(certificate.publicKey.asymmetricKeyType, KEY_TYPES[keyType]);
        strictEqual(pair.cert.match(/BEGIN CERTIFICATE/g)?.length, 2);
        strictEqual((Deno.statSync(pair.path).mode ?? 0) & 0o777, 0o600);
        strictEqual((await namesServed(certificates, ["imap.example.org"])).length, 1);
      } finally {
        await certificates.close();
      }
    },
  );
}

const KEY_TYPES: Readonly<Record<KeyType, string>> = { ecdsa: "ec", rsa: "rsa" };

clientTest(
  PEBBLE_PROGRAMS,
  "acmeCertificate() binds its account to one that Pebble knows, and is refused without",
  async () => {
    await using at = await folder();
    const hmacKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    await using pebble = await startPebble({ "kid-1": hmacKey });
    const unbound = acmeCertificate(settings(pebble, `${at.dir}/unbound`), at.options);
    try {
      await issued(unbound, at).catch(() => {});
      match(at.lines.join("\n"), /error: certificate not issued .*externalAccountRequired/);
    } finally {
      await unbound.close();
    }
    const external = { kid: "kid-1", hmacKey };
    const bound = { ...settings(pebble, `${at.dir}/bound`), external, email: "a@example.org" };
    const certificates = acmeCertificate(bound, at.options);
    try {
      await issued(certificates, at);
      ok(!at.lines.join().includes(hmacKey));
    } finally {
      await certificates.close();
    }
  },
);

clientTest(
  [...PEBBLE_PROGRAMS, "openssl"],
  "imapd serves while Pebble issues its certificate, takes it into use, and keeps it",
  async () => {
    await using at = await folder();
    await using pebble = await startPebble();
    const tls = `tls = { loader = "acme", agreed = true, ca = "${pebble.directory}", ` +
      `ca_root = "${pebble.caRootFile}", http_listen = "tcp://127.0.0.1:${pebble.httpPort}" }`;
    let serial: string | undefined;
    {
      // The order waits while the port is taken, so the first certificate can be seen.
      const taken = Deno.listen({ hostname: "127.0.0.1", port: pebble.httpPort });
      await using server = await startWith(at.dir, tls);
      const [port] = server.ports("tls");
      const first = await shown(port);
      strictEqual(first?.issuer, "CN=mail.example.org");
      await server.logged("certificate not issued");
      match(server.log(), /http_listen/);
      taken.close();
    }
    {
      await using server = await startWith(at.dir, tls);
      await server.logged("certificate issued");
      const [port] = server.ports("tls");
      const [plain] = server.ports("tcp");
      const certificate = await shown(port);
      match(certificate?.issuer ?? "", /Pebble/);
      strictEqual(certificate?.subjectAltName, "DNS:mail.example.org");
      serial = certificate?.serialNumber;
      strictEqual((await shown(plain, { starttls: true }))?.serialNumber, serial);
    }
    {
      await using server = await startWith(at.dir, tls, ENDPOINT);
      strictEqual((await shown(server.ports("tls")[0]))?.serialNumber, serial);
      ok(!server.log().includes("certificate"));
    }
  },
);
