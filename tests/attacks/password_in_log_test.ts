// A password that gets into the log is read by whoever reads logs. Clients send theirs in every
// way, rightly, wrongly and in the wrong place, while the server logs all that it can.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseConfig } from "../../src/config/load.ts";
import { startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { ScramClient } from "../scram_client.ts";
import { scramUser } from "../scram_user.ts";

const MARKER = "Hunter2%Zq";
const OTHER = "Zq%Hunter3";

/** All that shows a text: as it is, in base64 at each alignment, percent-encoded, in hex. */
function traces(text: string): string[] {
  const base64 = ["", "x", "xx"].map((before) => {
    const encoded = Buffer.from(before + text).toString("base64");
    // The first and the last characters depend on what stands beside.
    return encoded.slice(before.length === 0 ? 0 : 4, -4);
  });
  return [text, encodeURIComponent(text), Buffer.from(text).toString("hex"), ...base64];
}

const b64 = (text: string) => Buffer.from(text, "latin1").toString("base64");

/** What a client sends piece by piece, each after it has heard something. */
type Script = readonly string[];

function scripts(user: string, password: string): Script[] {
  const plain = b64(`\0${user}\0${password}`);
  const bearer = b64(`n,a=${user},\x01auth=Bearer ${password}\x01\x01`);
  const size = password.length;
  return [
    [`a LOGIN ${user} ${password}\r\n`],
    [`a LOGIN "${user}" "${password}"\r\n`],
    [`a login ${user} {${size}}\r\n`, `${password}\r\n`],
    [`a LOGIN ${user} {${size}+}\r\n${password}\r\n`],
    [`a LOGIN {${user.length}+}\r\n${user} {${size}+}\r\n${password}\r\n`],
    [`a LOGIN ${user} {${size}+}\r\n${password} x\r\n`],
    [`a LOGIN ${user} {999999999}\r\n`, `${password}\r\n`],
    [`a LOGIN ${user} ~{${size}+}\r\n${password}\r\n`],
    [`LOGIN ${user} ${password}\r\n`],
    [`${password}\r\n`, `${password} ${password}\r\n`, `${user} ${password}\r\n`],
    [`a LOGIN ${password}\r\n`, `b  LOGIN ${user} ${password}\r\n`],
    [`a LOGIN ${user} ${password} x\r\n`, `a LOGIN (${user}) ${password}\r\n`],
    [`a LOGIN\t${user}\t${password}\r\n`, `a UID LOGIN ${user} ${password}\r\n`],
    [`a LOGON ${user} ${password}\r\n`, `+ LOGIN ${user} ${password}\r\n`],
    [`a LOGIN ${user} "${password}\0"\r\n`, `a LOGIN ${user} "\xff${password}"\r\n`],
    [`a LOGIN ${user} "${password}\r\n`, `a LOGIN ${user} ${password}\n`],
    [`a LOGIN ${user} ${password}${"x".repeat(9000)}\r\n`],
    [`a LOGIN ${user} ${password}${"x".repeat(70_000)}\r\n`],
    [`${password} ${user} ${"x".repeat(70_000)}\r\n`],
    [`${user} ${password} {999999999}\r\n`, `${password} ${user} {999999999}\r\n`],
    [`a NOOP\r\na LOGIN ${user} ${password}\r\na NOOP\r\n`],
    [`a LOGIN ${user} ${password}`],
    [`a LOGIN ${user} {${size + 9}+}\r\n${password}`],
    [`a AUTHENTICATE PLAIN ${plain}\r\n`],
    [`a AUTHENTICATE PLAIN\r\n`, `${plain}\r\n`],
    [`a AUTHENTICATE PLAIN {${plain.length}+}\r\n${plain}\r\n`],
    [`a AUTHENTICATE PLAIN ${b64(`${user}\0${password}`)}\r\n`],
    [`a AUTHENTICATE PLAIN =${plain}\r\n`, `a AUTHENTICATE ${plain}\r\n`],
    [`a AUTHENTICATE PLAIN ${plain} x\r\n`, `a AUTHENTICATE "PLAIN" ${plain}\r\n`],
    [`a AUTHENTICATE CRAM-MD5 ${plain}\r\n`, `a AUTHENTICATE XOAUTH2 ${bearer}\r\n`],
    [`a AUTHENTICATE OAUTHBEARER ${bearer}\r\n`, `${plain}\r\n`],
    [`a AUTHENTICATE PLAIN\r\n`, `${password}\r\n`, `${password} x\r\n`],
    [`a AUTHENTICATE PLAIN\r\n`, `a LOGIN ${user} ${password}\r\n`],
    [`a AUTHENTICATE PLAIN\r\n`, `${plain}${"A".repeat(70_000)}\r\n`],
    [`a AUTHENTICATE PLAIN\r\n`, plain],
    [`a AUTHENTICATE LOGIN\r\n`, `${b64(user)}\r\n`, `${b64(password)}\r\n`],
    [`a AUTHENTICATE LOGIN ${b64(user)}\r\n`, `${b64(password)}\r\n`],
    [`a AUTHENTICATE LOGIN\r\n`, `${b64(user)}\r\n`, `${b64(password)}!\r\n`],
    [`a AUTHENTICATE LOGIN\r\n`, "*\r\n", `${b64(password)}\r\n`],
    [`a STARTTLS\r\na LOGIN ${user} ${password}\r\n`],
    // Behind another command, as where a line end was lost.
    [`a ENABLE LOGIN ${user} ${password}\r\n`, `a COMPRESS DEFLATE LOGIN ${user} ${password}\r\n`],
    [`a NOOP a login ${user} ${password}\r\n`, `a NOOP AUTHENTICATE PLAIN ${plain}\r\n`],
    [`a SELECT {5+}\r\nLOGIN ${user} ${password}\r\n`, `LOGIN NOOP ${password}\r\n`],
    // Logged in already, or no more.
    [`a LOGIN ann ${MARKER}\r\n`, `b LOGIN ${user} ${password}\r\n`],
    [`a LOGIN ann ${MARKER}\r\n`, `b AUTHENTICATE PLAIN ${plain}\r\n`],
    [`a LOGIN ann ${MARKER}\r\n`, "b IDLE\r\n", `c LOGIN ${user} ${password}\r\n`],
    [`a LOGIN ann ${MARKER}\r\n`, "b UNAUTHENTICATE\r\n", `c LOGIN ${user} ${password}\r\n`],
    [`GET /?password=${password} HTTP/1.1\r\n`, `Authorization: Basic ${plain}\r\n\r\n`],
  ];
}

/** Sends the pieces, each once something came for the one before; the server may end it. */
async function play(port: number, script: Script): Promise<void> {
  await using client = await RawConnection.plain(port);
  await client.line();
  for (const [i, piece] of script.entries()) {
    await client.send(piece);
    // Only a whole line is answered, unless it is a piece of something that never ends.
    const last = i === script.length - 1;
    if (piece.endsWith("\n") && !(last && client.ended)) await client.line();
  }
}

/** Settings with a password in the wrong place, or of the wrong form. */
const WRONG_SETTINGS = [
  `openmetrics = { listen = "tcp://127.0.0.1:1", token = "MARKER" }`,
  `openmetrics = { listen = "tcp://127.0.0.1:1", token = ["MARKER"] }`,
  `openmetrics = { listen = "tcp://127.0.0.1:1", token = "MARKER`,
  `openmetrics = { listen = "tcp://127.0.0.1:1", token = MARKER }`,
  `openmetrics = { listen = "tcp://127.0.0.1:1", token = "x\\MARKER" }`,
  `auth = { module = "ldap", urls = ["ldap://x"], dn = "{username}", bind = "MARKER" }`,
  `auth = { module = "ldap", urls = ["ldap://x"], dn = "{username}", bind = ["plain", "MARKER"] }`,
  `auth = { module = "ldap", urls = ["ldap://cn:MARKER@x"], dn = "{username}" }`,
  `auth = { module = "oauth2", introspection_uri = "https://u:MARKER@x y/" }`,
  `auth = { module = "oauth2", introspection_uri = "https://x/", client_secret = ["MARKER"] }`,
  `auth = { module = "pass_table", table = ["static", "ann", "MARKER"] }`,
  `auth = { module = "pass_table", table = { module = "static", entries = { ann = ["MARKER"] } } }`,
];

Deno.test("parseConfig: no fault shows a password", () => {
  for (const setting of WRONG_SETTINGS) {
    const line = setting.replace("MARKER", "Hunter2Zq");
    const [before, within] = line.startsWith("auth") ? ["", line] : [line, 'auth = "pam"'];
    const text = `${before}\ntls = "off"\n[[imap]]\nlisten = ["tcp://127.0.0.1:0"]\n` +
      `storage = ["maildir", "/m/{account}"]\n${within}\n`;
    assert.throws(() => parseConfig(text, "c.toml"), (error: Error) => {
      assert.ok(!error.message.includes("Hunter2Zq"), error.message);
      return true;
    }, setting);
  }
});

Deno.test({
  name: "log: has no password, token or proof, whatever clients do with theirs",
  async fn() {
    const status = "tcp://127.0.0.1:0";
    const token = `${MARKER}-status-page`;
    await using server = await startServer({
      top: `debug = true\nopenmetrics = { listen = "${status}", token = "${token}" }`,
      imap: "io_debug = true\nio_errors = true\nsasl_login = true\n" +
        "limits = { bad_before_login = 100, failed_logins = 100, login = '10s' }",
      users: `ann: {PLAIN}${MARKER}\n${scramUser("eve", MARKER)}\nbroken: ${MARKER}\n`,
      auth: 'allow_plain = true\nscram = ["SHA-256"]',
    });
    for (const password of [MARKER, OTHER]) {
      for (const user of ["ann", "nobody", "broken"]) {
        for (const script of scripts(user, password)) await play(server.port, script);
      }
    }
    const proofs: string[] = [];
    for (const password of [MARKER, OTHER]) {
      await using client = await RawConnection.plain(server.port);
      await client.line();
      const scram = new ScramClient({ name: "eve", password });
      await client.send(`a AUTHENTICATE SCRAM-SHA-256 ${btoa(scram.first)}\r\n`);
      const told = atob((await client.line() ?? "").replace(/^\+ /, ""));
      const last = scram.last(told);
      proofs.push(last.replace(/^.*,p=/, ""), told.replace(/^r=|,.*/g, ""));
      await client.send(`${btoa(last)}\r\n`);
      await client.line();
    }
    const page = Number(
      /listening on tcp:\/\/127\.0\.0\.1:(\d+)/.exec(
        server.log().replace(/[^]*?listening on tls.*/, ""),
      )?.[1],
    );
    for (const given of [token, OTHER]) {
      const at = `http://127.0.0.1:${page}`;
      const query = await fetch(`${at}/?token=${encodeURIComponent(given)}`);
      await query.body?.cancel();
      const headers = { Authorization: `Bearer ${given}` };
      await (await fetch(`${at}/metrics`, { headers })).body?.cancel();
      const body = new URLSearchParams({ token: given });
      await (await fetch(`${at}/login`, { method: "POST", body, redirect: "manual" })).body
        ?.cancel();
    }
    await server.stop();
    const log = server.log();
    assert.match(log, /logged in/);
    assert.match(log, /authentication failed/);
    assert.match(log, /C: /);
    for (const trace of [...traces(MARKER), ...traces(OTHER), ...proofs.flatMap(traces)]) {
      const line = log.split("\n").find((each) => each.includes(trace));
      assert.equal(line, undefined, `Expected no ${trace}`);
    }
  },
});

Deno.test("log: tells of a client's program by the fields of ID that hold no secrets", async () => {
  await using server = await startServer();
  const fields = `"name" "Quill" "password" "${MARKER}" "environment" "P=${MARKER}" "os" "BeOS"`;
  await play(server.port, [`a ID (${fields})\r\n`, "a LOGOUT\r\n"]);
  await server.stop();
  assert.match(server.log(), /client_name=Quill client_os=BeOS/);
  assert.ok(!server.log().includes(MARKER));
});
