import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { selfSignedCertificate } from "../../src/tls/self_signed.ts";
import { DAY, type Folder, folder, namesServed } from "./fixture.ts";

const NAMES = ["mail.example.org", "localhost", "127.0.0.1", "::1"];

function open(at: Folder, names: readonly string[] = NAMES) {
  return selfSignedCertificate({ dir: `${at.dir}/tls`, file: "self_signed", names }, at.options);
}

function certificateIn({ dir }: Folder): X509Certificate {
  return new X509Certificate(Deno.readTextFileSync(`${dir}/tls/self_signed.cert.pem`));
}

Deno.test("selfSignedCertificate() is for all names and has a key that only its owner can read", async () => {
  await using at = await folder();
  const certificates = open(at);
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
  const certificates = open(at);
  const { serialNumber } = certificateIn(at);
  at.pass(360 * DAY);
  open(at);
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
  const serial = (names: readonly string[]) => {
    open(at, names);
    return certificateIn(at).serialNumber;
  };
  const first = serial(NAMES);
  const more = serial(["new.example", ...NAMES]);
  notStrictEqual(more, first);
  const fewer = serial(NAMES);
  notStrictEqual(fewer, more);
  Deno.writeTextFileSync(`${at.dir}/tls/self_signed.key.pem`, "damaged");
  notStrictEqual(serial(NAMES), fewer);
});

Deno.test("selfSignedCertificate() knows its names however they are spelt", async () => {
  await using at = await folder();
  const serial = () => {
    open(at, ["Mail.Example.ORG", "2001:DB8:0:0::0001", "::ffff:192.0.2.1"]);
    return certificateIn(at).serialNumber;
  };
  strictEqual(serial(), serial());
  strictEqual(
    certificateIn(at).subjectAltName?.toLowerCase(),
    "dns:mail.example.org, ip address:2001:db8::1, ip address:::ffff:192.0.2.1",
  );
});
