import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { certificateNames, endPointHash } from "../../src/net/certificate.ts";
import { clientTest, run } from "../clients/programs.ts";

/** A self-signed certificate in DER. */
async function certificate(...options: string[]): Promise<Uint8Array> {
  const { code, stdout, stderr } = await run([
    ...["openssl", "req", "-x509", "-nodes", "-keyout", "/dev/null", "-days", "1", ...options],
  ]);
  strictEqual(code, 0, stderr);
  return new Uint8Array(new X509Certificate(stdout).raw);
}

const RSA = ["-newkey", "rsa:2048", "-subj", "/CN=x"];
const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=x"];
const HASHES: readonly [readonly string[], string | undefined][] = [
  [[...RSA, "-sha1"], "sha256"],
  [[...RSA, "-sha256"], "sha256"],
  [[...RSA, "-sha384"], "sha384"],
  [[...RSA, "-sha512"], "sha512"],
  [[...EC, "-sha256"], "sha256"],
  [[...EC, "-sha384"], "sha384"],
  [[...EC, "-sha512"], "sha512"],
  [["-newkey", "ed25519", "-subj", "/CN=x"], undefined],
];

clientTest(
  ["openssl"],
  "endPointHash() is by the hash of the signature, or by SHA-256",
  async () => {
    for (const [options, hash] of HASHES) {
      const der = await certificate(...options);
      const expected = hash && new Uint8Array(createHash(hash).update(der).digest());
      deepStrictEqual(endPointHash(der), expected, options.join(" "));
    }
  },
);

clientTest(
  ["openssl"],
  "certificateNames() has the names of one kind, in their order",
  async () => {
    const der = await certificate(
      ...["-newkey", "ed25519", "-subj", "/O=Example/CN=Ann Example/CN=ann"],
      ...["-addext", "subjectAltName=DNS:a.example,email:ann@example.org,email:b@example.org"],
    );
    deepStrictEqual(certificateNames(der, "email"), ["ann@example.org", "b@example.org"]);
    deepStrictEqual(certificateNames(der, "dns"), ["a.example"]);
    deepStrictEqual(certificateNames(der, "cn"), ["Ann Example", "ann"]);
    const bare = await certificate("-newkey", "ed25519", "-subj", "/O=Example");
    for (const kind of ["email", "dns", "cn"] as const) {
      deepStrictEqual(certificateNames(bare, kind), []);
    }
  },
);

clientTest(
  ["openssl"],
  "certificateNames() takes no name out of a broken certificate",
  async () => {
    const der = await certificate(
      ...[
        "-newkey",
        "ed25519",
        "-subj",
        "/CN=ann",
        "-addext",
        "subjectAltName=email:ann@example.org",
      ],
    );
    for (let length = 0; length < der.length; length++) {
      const cut = der.subarray(0, length);
      deepStrictEqual(certificateNames(cut, "email"), []);
      strictEqual(endPointHash(cut), undefined);
    }
  },
);
