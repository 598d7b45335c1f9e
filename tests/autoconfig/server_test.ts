import { match, ok, strictEqual } from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { AutoconfigServer } from "../../src/autoconfig/server.ts";
import { tlsContext } from "../../src/tls/context.ts";
import { fileCertificates } from "../../src/tls/files.ts";
import { silentLog } from "../store/maildir_fixture.ts";
import { BOTH, folder } from "../tls/fixture.ts";
import { until } from "../until.ts";

const SETTINGS = {
  name: "Mail",
  domains: ["example.org"],
  imap: [],
  smtp: [],
  username: "address",
} as const;

/** Handshakes that it waits for at once. */
const MOST = 64;

/** What a client hears that asks for a page that there is not. */
function heardBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    client.write("GET /none HTTP/1.1\r\nHost: mail.example.org\r\n\r\n");
    client.once("data", (octets) => {
      client.destroy();
      resolve(String(octets));
    });
    client.once("error", reject);
  });
}

Deno.test("AutoconfigServer.accept: who begins no handshake gives way to who comes later", async () => {
  await using files = await folder();
  const certificates = fileCertificates([files.write("a", ["localhost"])], files.options);
  const forms = new AutoconfigServer({
    settings: SETTINGS,
    tls: tlsContext(certificates, BOTH),
    log: silentLog(),
  });
  const arrived: Socket[] = [];
  const server = createServer((socket) => {
    forms.accept(socket, { unix: false, implicitTls: true, secured: false });
    arrived.push(socket);
    ok(arrived.filter(({ destroyed }) => !destroyed).length <= MOST);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const { port } = server.address() as AddressInfo;
  const silent = Array.from({ length: MOST + 3 }, () => connect(port, "127.0.0.1"));
  for (const client of silent) client.on("error", () => {});
  await until(() => arrived.length === silent.length, "all to be there");
  strictEqual(arrived.findIndex(({ destroyed }) => !destroyed), 3);
  match(await heardBy(port), /^HTTP\/1\.1 404 /);
  for (const client of silent) client.destroy();
  await forms.close(0);
  await new Promise((resolve) => server.close(resolve));
});
