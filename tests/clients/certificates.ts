/** Certificates of users, made by openssl. */

import assert from "node:assert/strict";
import { run } from "./programs.ts";

/** A folder with `ca.pem` and, for each user, `NAME.pem` and `NAME.key`. */
export interface UserCertificates extends AsyncDisposable {
  readonly dir: string;
}

/** @param users their alternative names, such as "email:ann@example.org", by file name */
export async function userCertificates(
  users: Readonly<Record<string, string>>,
): Promise<UserCertificates> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-users-" });
  const openssl = async (...args: string[]) => {
    const { code, stderr } = await run(["openssl", ...args], { cwd: dir });
    assert.equal(code, 0, stderr);
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const authority = async (name: string) =>
    await openssl(
      ...["req", "-x509", ...key, "-days", "2", "-subj", `/CN=${name}`],
      ...["-keyout", `${name}.key`, "-out", `${name}.pem`],
    );
  await authority("ca");
  await authority("stranger-ca");
  for (const [name, names] of Object.entries(users)) {
    const issuer = name.startsWith("stranger") ? "stranger-ca" : "ca";
    await Deno.writeTextFile(
      `${dir}/extensions`,
      `basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\nsubjectAltName=${names}\n`,
    );
    await openssl(
      ...["req", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", "request"],
    );
    await openssl(
      ...["x509", "-req", "-in", "request", "-days", "2", "-extfile", "extensions"],
      ...["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial"],
      ...["-out", `${name}.pem`],
    );
  }
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}
