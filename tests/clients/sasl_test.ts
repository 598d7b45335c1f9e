import assert from "node:assert/strict";
import tls from "node:tls";
import { ImapFlow } from "imapflow";
import pgSasl from "pg/lib/crypto/sasl.js";
import { logged } from "../auth/login.ts";
import { imapServer } from "../imap_server.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { scramUser } from "../scram_user.ts";
import { clientTest, run, workplace } from "./programs.ts";

const ANN = "ann,=@example.org";

/** A server that offers SCRAM; "ann…" and "*" have keys, and the password "pencil". */
function scramServer(options: { imap?: string; tls?: string } = {}): Promise<TestServer> {
  return startServer({
    ...options,
    users: scramUser(ANN, "pencil") + scramUser("*", "pencil"),
    auth: 'scram = ["SHA-256"]\n',
  });
}

clientTest(["gsasl"], "gsasl: logs in by SCRAM-SHA-256 without TLS and over STARTTLS", async () => {
  await using server = await scramServer();
  await using place = await workplace(server);
  const gsasl = (password: string, ...options: string[]) =>
    run([
      ...["gsasl", "--imap", `--connect=127.0.0.1:${server.port}`, "-d", "-m", "SCRAM-SHA-256"],
      ...[`--authentication-id=${ANN}`, `--password=${password}`, ...options],
      ...[`--x509-ca-file=${place.certificate}`, "--hostname=mail.example.org"],
    ]);
  // With channel bindings at hand gsasl 2.2.0 itself fails in a mechanism without -PLUS.
  for (const options of [["--no-starttls"], ["--starttls", "--no-cb"]]) {
    const { code, stdout, stderr } = await gsasl("pencil", ...options);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stderr, /server trusted/);
  }
  assert.notEqual((await gsasl("wrong", "--no-starttls")).code, 0);
  await logged(server, /mechanism=SCRAM-SHA-256 user="ann,=@example.org" remote=\S+ secure=true/);
  await logged(server, /"reason":"wrong password",.*"username":"ann,=@example.org"}$/m);
});

/** A module of Cyrus SASL, which mbsync loads where it is installed. */
const scramModule = ["x86_64", "aarch64"].some((machine) => {
  try {
    return Deno.statSync(`/usr/lib/${machine}-linux-gnu/sasl2/libscram.so`).isFile;
  } catch {
    return false;
  }
});
const mbsync = scramModule ? ["mbsync"] : ["libsasl2-modules"];

clientTest(mbsync, "mbsync: logs in by SCRAM-SHA-256 of Cyrus SASL", async () => {
  await using server = await scramServer();
  await using place = await workplace(server);
  const rc = `${place.dir}/mbsyncrc`;
  await Deno.mkdir(`${place.dir}/mail`);
  await Deno.writeTextFile(
    rc,
    `IMAPAccount test
Host localhost
Port ${server.tlsPort}
User "${ANN}"
Pass pencil
AuthMechs SCRAM-SHA-256
SSLType IMAPS
CertificateFile ${place.certificate}

IMAPStore remote
Account test

MaildirStore local
Path ${place.dir}/mail/
Inbox ${place.dir}/mail/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Near
SyncState *
`,
    { mode: 0o600 },
  );
  const { code, stdout, stderr } = await run(["mbsync", "-c", rc, "-a"], {
    env: { HOME: place.dir },
  });
  assert.equal(code, 0, stdout + stderr);
  await logged(server, /mechanism=SCRAM-SHA-256 user="ann/);
});

clientTest(["curl"], "curl: logs in by LOGIN, and by a token in OAUTHBEARER", async () => {
  await using server = await startServer({ imap: "sasl_login = true\n" });
  const curl = async (port: number, ...options: string[]) => {
    const { code, stdout } = await run([
      ...["curl", "--silent", "--user", `u1:${PASSWORD}`, ...options, `imap://127.0.0.1:${port}/`],
    ]);
    return code === 0 ? stdout.match(/INBOX/)?.[0] : code;
  };
  for (const options of [[], ["--sasl-ir"]]) {
    assert.equal(await curl(server.port, "--login-options", "AUTH=LOGIN", ...options), "INBOX");
  }
  await logged(server, /mechanism=LOGIN user=u1/);

  await using bearer = await imapServer({ known: { tokens: { good: "u1" } } });
  assert.equal(await curl(bearer.port, "--oauth2-bearer", "good"), "INBOX");
  assert.match(bearer.lines.join("\n"), /mechanism=OAUTHBEARER user=u1/);
  const refused = await curl(bearer.port, "--oauth2-bearer", "bad");
  assert.equal(refused, 67, "curl's status for a refused login");
});

clientTest(["python3"], "imaplib: logs in by a token in XOAUTH2", async () => {
  await using server = await imapServer({ known: { tokens: { good: "ann" } } });
  const script = `
import imaplib
for token in "good", "bad":
    client = imaplib.IMAP4("127.0.0.1", ${server.port})
    answers = [b"user=ann\\x01auth=Bearer " + token.encode() + b"\\x01\\x01", b""]
    try:
        print(client.authenticate("XOAUTH2", lambda challenge: answers.pop(0))[0])
        print(client.select("INBOX")[0])
    except imaplib.IMAP4.error as error:
        print(error)
`;
  const { stdout, stderr } = await run(["python3", "-c", script]);
  assert.match(stdout, /^OK\nOK\n.*\[AUTHENTICATIONFAILED\] Invalid credentials/, stderr);
  assert.match(server.lines.join("\n"), /mechanism=XOAUTH2 user=ann/);
});

Deno.test("imapflow: logs in by an access token, and is told of a refused one", async () => {
  await using server = await imapServer({ known: { tokens: { good: "ann" } } });
  const connect = async (accessToken: string) => {
    const client = new ImapFlow({
      ...{ host: "127.0.0.1", port: server.port, secure: false, doSTARTTLS: false },
      auth: { user: "ann", accessToken },
      logger: false,
    });
    // A connection that is cut tells so by an event, too.
    client.on("error", () => {});
    await client.connect();
    await client.logout();
  };
  await connect("good");
  await assert.rejects(connect("bad"));
  const tried = server.lines.filter((line) => line.includes("mechanism="))
    .map((line) => line.replace(/ conn=\d+/, "").replace(/:\d+"/, ':PORT"'));
  assert.deepEqual(tried, [
    "info: logged in mechanism=OAUTHBEARER user=ann remote=127.0.0.1 secure=false",
    "warning: mechanism=OAUTHBEARER authentication failed\t" +
    '{"reason":"wrong token","src_ip":"127.0.0.1:PORT","username":"ann"}',
  ]);
});

/** SCRAM of the client library for PostgreSQL, which always names the user "*". */
interface PgSession {
  readonly mechanism: string;
  readonly response: string;
}
interface PgSasl {
  startSession(mechanisms: readonly string[], stream: tls.TLSSocket): PgSession;
  continueSession(
    session: PgSession,
    password: string,
    told: string,
    stream: tls.TLSSocket,
  ): Promise<void>;
  finalizeSession(session: PgSession, end: string): void;
}
const pg: PgSasl = pgSasl;

/** Logs in by SCRAM-SHA-256-PLUS. @returns the name in the certificate, and the tagged reply */
async function logInBound(port: number, servername: string, startTls: boolean, password: string) {
  const { socket, ask } = await connect(port, servername, startTls);
  try {
    const session = pg.startSession(["SCRAM-SHA-256-PLUS"], socket);
    assert.equal(session.mechanism, "SCRAM-SHA-256-PLUS");
    const told = await ask(`a AUTHENTICATE SCRAM-SHA-256-PLUS ${btoa(session.response)}\r\n`);
    await pg.continueSession(session, password, atob(told.slice(2)), socket);
    const end = await ask(`${btoa(session.response)}\r\n`);
    const name = socket.getPeerCertificate().subject.CN;
    if (!end.startsWith("+ ")) return [name, end];
    pg.finalizeSession(session, atob(end.slice(2)));
    return [name, (await ask("\r\n")).replace(/\[.*/, "")];
  } finally {
    socket.destroy();
  }
}

async function connect(port: number, servername: string, startTls: boolean) {
  const settings = { host: "127.0.0.1", port, servername, rejectUnauthorized: false };
  let plain: tls.TLSSocket | undefined;
  const { default: net } = await import("node:net");
  const lineOf = (socket: NodeJS.ReadableStream) =>
    new Promise<string>((resolve, reject) => {
      let text = "";
      socket.on("data", function more(bytes: Uint8Array) {
        text += new TextDecoder().decode(bytes);
        if (!text.endsWith("\r\n")) return;
        socket.off("data", more);
        resolve(text.slice(0, -2));
      });
      socket.once("close", () => reject(new Error("Expected a line: got the end")));
    });
  if (startTls) {
    const socket = net.connect(settings);
    await lineOf(socket);
    socket.write("s STARTTLS\r\n");
    await lineOf(socket);
    plain = socket as tls.TLSSocket;
  }
  const socket = tls.connect(plain ? { ...settings, socket: plain } : settings);
  if (!startTls) await lineOf(socket);
  else await new Promise((resolve) => socket.once("secureConnect", resolve));
  const ask = (text: string) => {
    const line = lineOf(socket);
    socket.write(text);
    return line;
  };
  return { socket, ask };
}

clientTest(
  ["openssl"],
  "pg: binds SCRAM-SHA-256-PLUS to the certificate that was chosen by name, also after STARTTLS",
  async () => {
    const dir = await Deno.makeTempDir({ prefix: "imapd-sasl-" });
    try {
      const kinds = [["a.example", "-sha384", "rsa:2048"], ["b.example", "-sha256", "ec"]];
      for (const [name, hash, key] of kinds) {
        const { code, stderr } = await run([
          ...["openssl", "req", "-x509", "-nodes", hash, "-days", "2", "-subj", `/CN=${name}`],
          ...["-newkey", key, ...(key === "ec" ? ["-pkeyopt", "ec_paramgen_curve:P-256"] : [])],
          ...["-addext", `subjectAltName=DNS:${name}`],
          ...["-keyout", `${dir}/${name}.key`, "-out", `${dir}/${name}.pem`],
        ]);
        assert.equal(code, 0, stderr);
      }
      const files = (end: string) =>
        kinds.map(([name]) => JSON.stringify(`${dir}/${name}.${end}`)).join();
      await using server = await scramServer({
        imap: `tls = { loader = "file", certs = [${files("pem")}], keys = [${files("key")}] }\n`,
      });
      for (const name of ["a.example", "b.example"]) {
        for (const startTls of [false, true]) {
          const port = startTls ? server.port : server.tlsPort;
          assert.deepEqual(await logInBound(port, name, startTls, "pencil"), [name, "a OK "]);
          assert.deepEqual(await logInBound(port, name, startTls, "wrong"), [
            name,
            "a NO [AUTHENTICATIONFAILED] Invalid credentials",
          ]);
        }
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);
