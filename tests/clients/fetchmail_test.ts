import { match, strictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { messagesOf, startLmtpServer } from "../lmtp/serving.ts";
import { PASSWORD } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { clientTest, run, workplace } from "./programs.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

clientTest(
  ["fetchmail"],
  "fetchmail: fetches by IMAP and hands over to imapd deliver",
  async () => {
    await using server = await startLmtpServer();
    const [from, to] = [await server.accountUser(), await server.accountUser()];
    await using client = await RawConnection.login(server.tlsPort, from, PASSWORD);
    for (const subject of ["one", "two"]) {
      await client.append(
        "INBOX",
        `Return-Path: <ann@example.net>\r\nSubject: ${subject}\r\n\r\n.\r\n`,
      );
    }
    await using place = await workplace(server);
    const rc = `${place.dir}/fetchmailrc`;
    const command =
      `${Deno.execPath()} run -A ${MAIN} deliver --config ${server.dir}/config.toml ` +
      `-d ${to} -f %F`;
    await Deno.writeTextFile(
      rc,
      `poll localhost protocol imap port ${server.tlsPort}
user "${from}" password "${PASSWORD}" ssl sslcertck sslcertfile "${place.certificate}"
mda "${command}" nokeep fetchall
`,
    );
    await Deno.chmod(rc, 0o600);
    const env = { HOME: place.dir, FETCHMAILHOME: place.dir, DENO_DIR: cacheOfDeno() };
    const { code, stdout, stderr } = await run(["fetchmail", "-f", rc, "--nosyslog"], { env });
    strictEqual(code, 0, stdout + stderr);
    strictEqual((await messagesOf(server, from)).length, 0);
    const texts = await messagesOf(server, to);
    strictEqual(texts.length, 2);
    match(
      texts[0],
      /^Return-Path: <ann@example\.net>\r\nDelivered-To: [^]*\r\nSubject: one\r\n\r\n\.\r\n$/,
    );
  },
);

/** Where Deno keeps its modules, also for a program that has another HOME. */
function cacheOfDeno(): string {
  return Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/deno`;
}
