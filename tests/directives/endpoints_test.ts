// Several endpoints of one server, each with settings of its own.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD } from "../harness.ts";
import { startWith } from "../tls/running_server.ts";
import { FAILED, login } from "./logins.ts";

const TABLE = (name: string) =>
  '{ module = "pass_table", allow_plain = true, ' +
  `table = { module = "static", entries = { ${name} = "{PLAIN}secret" } } }`;

const ENDPOINTS = `[[imap]]
listen = ["tcp://127.0.0.1:0"]
auth = ${TABLE("ann")}
storage = "&first"
sasl_login = true
insecure_auth = true
limits = { bad_before_login = 1, append = "1 KiB" }

[[imap]]
listen = ["tcp://127.0.0.1:0"]
auth = ${TABLE("bob")}
auth_map = "email_localpart"
storage = "&second"
storage_map = "email_localpart"
tls = "off"

[[imap]]
listen = ["tcp://127.0.0.1:0"]
auth = ${TABLE("bob")}
storage = "&second"

[storage.first]
module = "maildir"
path = "first/{account}"
special_folders = {}

[storage.second]
module = "maildir"
path = "second/{account}"
special_folders = { Out = "sent" }
`;

async function greeting(port: number): Promise<string> {
  await using client = await ImapClient.connect({ host: "127.0.0.1", port });
  return await client.response() ?? "";
}

/** Responses to what no command is, up to the end of the connection or a tagged reply. */
async function nonsense(port: number): Promise<string[]> {
  await using client = await ImapClient.connect({ host: "127.0.0.1", port });
  await client.response();
  client.send("a NONSENSE\r\nb NOOP\r\n");
  const heard: string[] = [];
  for (;;) {
    const line = await client.response();
    if (line === undefined) return heard;
    heard.push(line.split(" ").slice(0, 2).join(" "));
    if (line.startsWith("b ")) return heard;
  }
}

async function folders(port: number, user: string): Promise<string[]> {
  await using client = await ImapClient.login({ host: "127.0.0.1", port }, user, PASSWORD);
  const { untagged } = await client.command('LIST "" "*"');
  return untagged.map((line) => line.split(" ").at(-1) ?? "").sort();
}

Deno.test("[[imap]]: each endpoint has its own users, mail, mechanisms, TLS and limits", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-endpoints-" });
  {
    await using server = await startWith(dir, 'tls = "self_signed"', ENDPOINTS);
    const ports = server.ports("tcp");
    strictEqual(ports.length, 3);
    const [first, second, third] = ports;

    match(await greeting(first), /(?=.* STARTTLS)(?=.* AUTH=PLAIN AUTH=LOGIN)/);
    match(await greeting(second), / AUTH=PLAIN/);
    ok(!/STARTTLS|AUTH=LOGIN|LOGINDISABLED/.test(await greeting(second)));
    match(await greeting(third), /(?=.* STARTTLS)(?=.* LOGINDISABLED)/);

    const ends = async (name: string) => {
      const found: string[] = [];
      for (const port of ports) found.push(await login({ port }, name));
      return found;
    };
    deepStrictEqual(await ends("ann"), ["OK", FAILED, "PRIVACYREQUIRED"]);
    deepStrictEqual(await ends("bob@example.org"), [FAILED, "OK", "PRIVACYREQUIRED"]);

    deepStrictEqual(await folders(first, "ann"), ["INBOX"]);
    deepStrictEqual(await folders(second, "bob@example.net"), ["INBOX", "Out"]);
    deepStrictEqual(await nonsense(first), ["a BAD", "* BYE"]);
    deepStrictEqual(await nonsense(second), ["a BAD", "b OK"]);
    match(await greeting(first), / APPENDLIMIT=1024[ \]]/);
    match(await greeting(second), / APPENDLIMIT=67108864[ \]]/);

    await using client = await ImapClient.connect({ host: "127.0.0.1", port: third });
    await client.response();
    await client.command("STARTTLS");
    await client.startTls();
    match((await client.command(`LOGIN bob ${PASSWORD}`)).reply, /^OK /);
    await client.command("CREATE seen");
    deepStrictEqual(await folders(second, "bob@x"), ["INBOX", "Out", "seen"]);
  }
  await Deno.remove(dir, { recursive: true });
});
