import { match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { alpnResponder, httpResponder } from "../../src/tls/acme_challenge.ts";
import {
  type ClientHello,
  HelloFault,
  keyShares,
  offersProtocol,
  offersVersion,
  readClientHello,
  serverName,
} from "../../src/tls/client_hello.ts";
import { clientTest, run } from "../clients/programs.ts";
import { freePort } from "./free_port.ts";

const QUESTION = { name: "mail.example.org", token: "token", keyAuthorization: "token.thumb" };
const HOST = "127.0.0.1";

Deno.test("httpResponder() answers only what was asked, and not after its end", async () => {
  const port = freePort();
  const end = await httpResponder({ host: HOST, port }).answer(QUESTION);
  // A client that says nothing must not hold up the end.
  const idle = await Deno.connect({ hostname: HOST, port });
  const get = async (path: string) => {
    const response = await fetch(`http://${HOST}:${port}${path}`);
    return `${response.status} ${await response.text()}`;
  };
  strictEqual(await get("/.well-known/acme-challenge/token"), "200 token.thumb");
  strictEqual(await get("/.well-known/acme-challenge/other"), "404 ");
  strictEqual(await get("/"), "404 ");
  await end();
  await rejects(get("/.well-known/acme-challenge/token"));
  idle.close();
});

for (
  const [setting, responder] of [
    ["http_listen", httpResponder],
    ["alpn_listen", alpnResponder],
  ] as const
) {
  Deno.test(`Responder.answer() names ${setting} when its address is taken`, async () => {
    const taken = Deno.listen({ hostname: HOST, port: 0 });
    const { port } = taken.addr;
    await rejects(responder({ host: HOST, port }).answer(QUESTION), (error) => {
      match(String(error), new RegExp(`Cannot listen on ${HOST}:${port}, which is ${setting}: `));
      return true;
    });
    taken.close();
  });
}

/** What openssl says about a handshake with the responder. */
async function shakeHands(args: readonly string[]): Promise<string> {
  const port = freePort();
  const end = await alpnResponder({ host: HOST, port }).answer(QUESTION);
  try {
    const connect = ["openssl", "s_client", "-connect", `${HOST}:${port}`];
    const { stdout, stderr } = await run([...connect, ...args]);
    return stdout + stderr;
  } finally {
    await end();
  }
}

const ALPN = ["-alpn", "acme-tls/1"];
const NAME = ["-servername", QUESTION.name];

for (const curve of ["X25519", "P-256", "X25519:P-256"]) {
  clientTest(["openssl"], `alpnResponder() ends a handshake by ${curve}`, async () => {
    const text = await shakeHands([...ALPN, ...NAME, "-curves", curve]);
    match(text, /ALPN protocol: acme-tls\/1/);
    match(text, /subject=CN ?= ?mail\.example\.org/);
    match(text, /New, TLSv1\.3, Cipher is TLS_AES_128_GCM_SHA256/);
    match(text, /Peer signature type: ECDSA/i);
  });
}

const REFUSED: readonly [string, readonly string[], RegExp][] = [
  ["another protocol", ["-alpn", "imap", ...NAME], /alert no application protocol/],
  ["no protocol", NAME, /alert no application protocol/],
  ["another name", [...ALPN, "-servername", "a.example"], /alert number 112/],
  ["no name", [...ALPN, "-noservername"], /alert number 112/],
  ["TLS 1.2", [...ALPN, ...NAME, "-tls1_2"], /alert protocol version/],
  ["another curve", [...ALPN, ...NAME, "-curves", "P-384"], /alert handshake failure/],
  [
    "another cipher",
    [...ALPN, ...NAME, "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
    /alert handshake failure/,
  ],
];

for (const [what, args, alert] of REFUSED) {
  clientTest(["openssl"], `alpnResponder() refuses ${what} with an alert`, async () => {
    match(await shakeHands(args), alert);
  });
}

/** The first bytes of openssl. */
async function hello(): Promise<Uint8Array> {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const connect = `${HOST}:${listener.addr.port}`;
  const client = run(["openssl", "s_client", "-connect", connect, ...ALPN, ...NAME]);
  const connection = await listener.accept();
  const bytes = new Uint8Array(16_384);
  const length = await connection.read(bytes);
  connection.close();
  listener.close();
  await client;
  return bytes.slice(0, length ?? 0);
}

clientTest(
  ["openssl"],
  "readClientHello() waits for the whole message, in any pieces",
  async () => {
    const bytes = await hello();
    const expected = readClientHello(bytes);
    ok(expected);
    for (let end = 0; end < bytes.length; end++) {
      strictEqual(readClientHello(bytes.subarray(0, end)), undefined);
    }
    const message = bytes.subarray(5);
    const records: number[] = [];
    for (let at = 0; at < message.length; at += 100) {
      const part = message.subarray(at, at + 100);
      records.push(22, 3, 1, 0, part.length, ...part);
    }
    const again = readClientHello(Uint8Array.from(records));
    ok(again);
    strictEqual(again.message.join(), expected.message.join());
    strictEqual(serverName(again.extensions.get(0)), QUESTION.name);
  },
);

Deno.test("readClientHello() throws nothing but HelloFault, whatever it is given", () => {
  for (const text of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\0\x04\x02\0\0\0"]) {
    throws(() => readClientHello(new TextEncoder().encode(text)), HelloFault);
  }
  const read = (bytes: Uint8Array): ClientHello | undefined => {
    try {
      return readClientHello(bytes);
    } catch (error) {
      ok(error instanceof HelloFault);
    }
  };
  const record = (body: Uint8Array) => {
    const { length } = body;
    return Uint8Array.from([
      22,
      3,
      1,
      length + 4 >> 8,
      length + 4 & 255,
      1,
      0,
      length >> 8,
      length & 255,
      ...body,
    ]);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    read(bytes);
    read(record(bytes));
    for (
      const use of [
        keyShares,
        serverName,
        (extension: Uint8Array) => offersProtocol(extension, "acme-tls/1"),
        (extension: Uint8Array) => offersVersion(extension, 0x0304),
      ]
    ) {
      try {
        use(bytes);
      } catch (error) {
        ok(error instanceof HelloFault);
      }
    }
  }));
});
