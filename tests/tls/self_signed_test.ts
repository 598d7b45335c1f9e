import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { selfSignedCertificate } from "../../src/tls/self_signed.ts";
import { DAY, type Folder, folder, namesServed } from "./fixture.ts";

const NAMES = ["mail.example.org", "localhost", "127.0.0.1", "::1"];

function certificateIn({ dir }: Folder): X509Certificate {
  return new X509Certificate(Deno.readTextFileSync(`${dir}/tls/self_signed.cert.pem`));
}

Deno.test("selfSignedCertificate() is for all names and has a key that only its owner can read", async () => {
  await using at = await folder();
  const certificates = selfSignedCertificate(`${at.dir}/tls`, NAMES, at.options);
  deepStrictEqual(await namesServed(certificates, ["localhost"]), ["mail.example.org"]);
  const certificate = certificateIn(at);
  strictEqual(
    certificate.subjectAltName,
    "DNS:mail.example.org, DNS:localhost, IP Address:127.0.0.1, IP Address:::1",
  );
  ok(certificate.verify(certificate.publicKey));
  const { mode } = Deno.statSync(`${at.dir}/tls/self_signed.key.pem`);
  strictEqual((mode ?? 0) & 0o777, 0o600);
});

Deno.test("selfSignedCertificate() is kept until 30 days before its end, and then made anew at work", async () => {
  await using at = await folder();
  const open = () => selfSignedCertificate(`${at.dir}/tls`, NAMES, at.options);
  const certificates = open();
  const { serialNumber } = certificateIn(at);
  at.pass(360 * DAY);
  open();
  strictEqual(certificateIn(at).serialNumber, serialNumber);
  at.pass(10 * DAY);
  let changes = 0;
  const unwatch = certificates.watch(() => changes++);
  certificates.refresh();
  unwatch();
  strictEqual(changes, 1);
  notStrictEqual(certificateIn(at).serialNumber, serialNumber);
  strictEqual(certificates.current[0].cert.trim(), certificateIn(at).toString().trim());
});

Deno.test("selfSignedCertificate() is made anew for other names, or when it is damaged", async () => {
  await using at = await folder();
  const open = (names: readonly string[]) => {
    selfSignedCertificate(`${at.dir}/tls`, names, at.options);
    return certificateIn(at).serialNumber;
  };
  const first = open(NAMES);
  const more = open(["new.example", ...NAMES]);
  notStrictEqual(more, first);
  const fewer = open(NAMES);
  notStrictEqual(fewer, more);
  Deno.writeTextFileSync(`${at.dir}/tls/self_signed.key.pem`, "damaged");
  notStrictEqual(open(NAMES), fewer);
});

Deno.test("selfSignedCertificate() knows its names however they are spelt", async () => {
  await using at = await folder();
  const open = () => {
    const names = ["Mail.Example.ORG", "2001:DB8:0:0::0001", "::ffff:192.0.2.1"];
    selfSignedCertificate(`${at.dir}/tls`, names, at.options);
    return certificateIn(at).serialNumber;
  };
  strictEqual(open(), open());
  strictEqual(
    certificateIn(at).subjectAltName?.toLowerCase(),
    "dns:mail.example.org, ip address:2001:db8::1, ip address:::ffff:192.0.2.1",
  );
});
