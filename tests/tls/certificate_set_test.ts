import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { fileCertificates } from "../../src/tls/files.ts";
import { PairFault } from "../../src/tls/pair.ts";
import { DAY, folder, namesServed } from "./fixture.ts";

Deno.test("fileCertificates() loads changed files within five seconds", async () => {
  await using at = await folder();
  const certificates = fileCertificates([at.write("a", ["old.example"])], at.options);
  at.write("a", ["new.example"]);
  at.pass(4999);
  deepStrictEqual(await namesServed(certificates, ["x"]), ["old.example"]);
  at.pass(1);
  deepStrictEqual(await namesServed(certificates, ["x"]), ["new.example"]);
  deepStrictEqual(at.lines, ["info: certificates loaded again"]);
});

Deno.test("fileCertificates() tells who watches, so that clients without a name are served too", async () => {
  await using at = await folder();
  const certificates = fileCertificates([at.write("a", ["old.example"])], at.options);
  let changes = 0;
  const unwatch = certificates.watch(() => changes++);
  at.write("a", ["new.example"]);
  at.pass(5000);
  certificates.refresh();
  strictEqual(changes, 1);
  deepStrictEqual(await namesServed(certificates, [undefined]), ["new.example"]);
  unwatch();
  at.write("a", ["newest.example"]);
  at.pass(5000);
  certificates.refresh();
  strictEqual(changes, 1);
});

Deno.test("fileCertificates() loads each change, however soon it comes after another", async () => {
  await using at = await folder();
  const used = at.write("used", ["old.example"]);
  const others = Array.from({ length: 10 }, (_, number) => at.write(`${number}`, [`${number}.x`]));
  const certificates = fileCertificates([used], at.options);
  for (const [number, other] of [...others, ...others].entries()) {
    Deno.copyFileSync(other.cert, used.cert);
    Deno.copyFileSync(other.key, used.key);
    // As the clock of a file system does that stands still for some ms.
    for (const path of [used.cert, used.key]) Deno.utimeSync(path, 1, 1);
    at.pass(5000);
    certificates.refresh();
    deepStrictEqual(certificates.current[0].names, [`${number % 10}.x`]);
  }
});

Deno.test("fileCertificates() keeps the old ones while the new ones are faulty, and says so once", async () => {
  await using at = await folder();
  const pair = at.write("a", ["old.example"]);
  const { key } = at.write("other", ["new.example"]);
  const certificates = fileCertificates([pair], at.options);
  Deno.copyFileSync(at.dir + "/other.cert", pair.cert);
  at.pass(5000);
  deepStrictEqual(await namesServed(certificates, ["x"]), ["old.example"]);
  at.pass(5000);
  certificates.refresh();
  strictEqual(at.lines.length, 1);
  match(at.lines[0], /^error: certificates not loaded again, keeping the old ones error="/);
  Deno.removeSync(pair.key);
  at.pass(5000);
  deepStrictEqual(await namesServed(certificates, ["x"]), ["old.example"]);
  strictEqual(at.lines.length, 2);
  Deno.copyFileSync(key, pair.key);
  at.pass(5000);
  deepStrictEqual(await namesServed(certificates, ["x"]), ["new.example"]);
});

Deno.test("fileCertificates() refuses at the start what would fail at each handshake", async () => {
  await using at = await folder();
  const a = at.write("a", ["a.example"]);
  const b = at.write("b", ["b.example"]);
  const fails = (pair: typeof a, file: string, message: string) =>
    throws(() => fileCertificates([pair], at.options), (error) => {
      ok(error instanceof PairFault);
      strictEqual(error.file, file);
      ok(error.message.startsWith(message), error.message);
      return true;
    });
  const none = `${at.dir}/none`;
  fails({ ...a, key: b.key }, "key", `Expected the key of ${a.cert}, got ${b.key}, which is`);
  fails(
    { ...a, cert: none },
    "cert",
    `Expected a certificate in PEM, got ${none}, which does not exist`,
  );
  fails({ cert: a.key, key: a.key }, "cert", `Expected a certificate in PEM, got ${a.key}`);
  const KEY = "an unencrypted private key in PEM";
  fails({ cert: a.cert, key: a.cert }, "key", `Expected ${KEY}, got ${a.cert}`);
  Deno.writeTextFileSync(a.key, Deno.readTextFileSync(a.key).replace(/[A-Z]/g, "x"));
  fails(a, "key", `Expected ${KEY}, got ${a.key}`);
});

Deno.test("fileCertificates() takes one file that has the certificate and the key", async () => {
  await using at = await folder();
  const { cert, key } = at.write("a", ["a.example"]);
  const both = `${at.dir}/both.pem`;
  Deno.writeTextFileSync(both, Deno.readTextFileSync(key) + Deno.readTextFileSync(cert));
  const certificates = fileCertificates([{ cert: both, key: both }], at.options);
  deepStrictEqual(await namesServed(certificates, ["x"]), ["a.example"]);
});

Deno.test("CertificateSet announces the end of a certificate once a day, from 14 days on", async () => {
  await using at = await folder();
  const pair = at.write("a", ["a.example"], 15);
  const certificates = fileCertificates([pair], at.options);
  const pass = (ms: number) => {
    at.lines.length = 0;
    at.pass(ms);
    certificates.refresh();
    return at.lines.map((line) => line.replace(/ path=.*?(?= days|$)/, ""));
  };
  deepStrictEqual(at.lines, []);
  deepStrictEqual(pass(DAY - 60_000), []);
  deepStrictEqual(pass(120_000), ["warning: certificate expires soon days=13"]);
  deepStrictEqual(pass(DAY - 60_000), []);
  deepStrictEqual(pass(60_000), ["warning: certificate expires soon days=12"]);
  deepStrictEqual(pass(13 * DAY), ["error: certificate has expired"]);
  match(at.lines[0], / path=\S+\/a\.cert end=\d{4}-/);
  deepStrictEqual(pass(DAY / 2), []);
  at.write("a", ["a.example"], 90);
  deepStrictEqual(pass(DAY), ["info: certificates loaded again"]);
});

Deno.test("CertificateSet says at the start that a certificate has expired", async () => {
  await using at = await folder();
  fileCertificates([at.write("a", ["a.example"], -0.5)], at.options);
  match(at.lines.join(), /^error: certificate has expired path=/);
});
