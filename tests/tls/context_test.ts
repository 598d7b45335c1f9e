import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { tlsContext } from "../../src/tls/context.ts";
import { fileCertificates } from "../../src/tls/files.ts";
import { folder, handshakes, namesServed } from "./fixture.ts";

Deno.test("tlsContext() chooses by the name that the client asks for", async () => {
  await using at = await folder();
  const certificates = fileCertificates([
    at.write("a", ["a.example"]),
    at.write("wild", ["*.b.example"]),
    at.write("b", ["x.b.example", "B.example"]),
  ], at.options);
  const asked: readonly (readonly [string | undefined, string])[] = [
    ["a.example", "a.example"],
    ["y.b.example", "*.b.example"],
    ["x.b.example", "x.b.example"],
    ["b.example", "x.b.example"],
    ["z.y.b.example", "a.example"],
    ["other.example", "a.example"],
    [undefined, "a.example"],
  ];
  deepStrictEqual(
    await namesServed(certificates, asked.map(([name]) => name)),
    asked.map(([, served]) => served),
  );
});

for (const version of ["tls1.2", "tls1.3"] as const) {
  Deno.test(`tlsContext() can offer ${version} only`, async () => {
    await using at = await folder();
    const certificates = fileCertificates([at.write("a", ["a.example"])], at.options);
    const context = tlsContext(certificates, { protocols: { lowest: version, highest: version } });
    const [{ protocol }] = await handshakes(context, ["a.example"]);
    strictEqual(protocol, version.toUpperCase().replace("TLS", "TLSv"));
  });
}
