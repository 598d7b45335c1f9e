import assert from "node:assert/strict";
import { logged } from "../auth/login.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { ScramClient, type ScramClientOptions } from "../scram_client.ts";
import { scramUser } from "../scram_user.ts";

const ANN = { name: "ann", password: "pencil" };

/** A server with users "u1", … (bcrypt) and "ann" (SCRAM), and all mechanisms of passwords. */
async function saslServer(): Promise<TestServer> {
  return await startServer({
    users: scramUser(ANN.name, ANN.password),
    auth: 'scram = ["SHA-1", "SHA-256"]\n',
    imap: "sasl_login = true\nio_debug = true\n",
  });
}

async function greeted(connection: Promise<RawConnection>): Promise<RawConnection> {
  const client = await connection;
  await client.line();
  return client;
}

function encode(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** What the client says in turn; "" is an empty line, and each is answered by the next reply. */
interface Conversation {
  readonly title: string;
  readonly says: readonly string[];
  /** The replies; the last one is tagged. */
  readonly hears: readonly RegExp[];
}

const PLAIN = encode(`\0u1\0${PASSWORD}`);
const USERNAME = new RegExp(`^\\+ ${encode("Username:")}$`);
const PASSWORD_ASKED = new RegExp(`^\\+ ${encode("Password:")}$`);
const EMPTY = /^\+ $/;
const OK = /^a OK \[CAPABILITY IMAP4rev1 /;
const REFUSED = /^a NO \[AUTHENTICATIONFAILED\] Invalid credentials$/;
const CANCELLED = /^a BAD Authentication cancelled$/;
const NOT_BASE64 = /^a BAD Expected base64$/;
const TOO_LONG = "A".repeat(70_000);

const SCRAM_FIRST = encode("n,,n=ann,r=abc");
const SCRAM_TOLD = /^\+ [A-Za-z0-9+/=]{20,}$/;

const CONVERSATIONS: readonly Conversation[] = [
  { title: "PLAIN at once", says: [`PLAIN ${PLAIN}`], hears: [OK] },
  { title: "PLAIN when asked", says: ["plain", PLAIN], hears: [EMPTY, OK] },
  { title: "PLAIN, empty at once", says: ["PLAIN ="], hears: [/^a BAD Expected authzid/] },
  { title: "PLAIN, empty when asked", says: ["PLAIN", ""], hears: [EMPTY, /^a BAD Expected/] },
  { title: "PLAIN, cancelled", says: ["PLAIN", "*"], hears: [EMPTY, CANCELLED] },
  { title: "PLAIN, no base64", says: ["PLAIN", "%%%"], hears: [EMPTY, NOT_BASE64] },
  { title: "PLAIN, base64 cut short", says: ["PLAIN AGFhYQ"], hears: [NOT_BASE64] },
  { title: "PLAIN, too long", says: ["PLAIN", TOO_LONG], hears: [EMPTY, /^a BAD /] },
  {
    title: "PLAIN with a wrong password",
    says: [`PLAIN ${encode("\0u1\0wrong")}`],
    hears: [REFUSED],
  },

  {
    title: "LOGIN",
    says: ["LOGIN", encode("u1"), encode(PASSWORD)],
    hears: [USERNAME, PASSWORD_ASKED, OK],
  },
  {
    title: "LOGIN with the name at once",
    says: [`LOGIN ${encode("u1")}`, encode(PASSWORD)],
    hears: [PASSWORD_ASKED, OK],
  },
  {
    title: "LOGIN with a wrong password",
    says: ["LOGIN", encode("u1"), encode("wrong")],
    hears: [USERNAME, PASSWORD_ASKED, REFUSED],
  },
  {
    title: "LOGIN without a password",
    says: ["LOGIN", encode("u1"), ""],
    hears: [USERNAME, PASSWORD_ASKED, /^a BAD Expected a user name and a password/],
  },
  {
    title: "LOGIN, cancelled late",
    says: ["LOGIN", encode("u1"), "*"],
    hears: [USERNAME, PASSWORD_ASKED, CANCELLED],
  },
  { title: "LOGIN, no base64", says: ["LOGIN", "u1"], hears: [USERNAME, NOT_BASE64] },
  { title: "LOGIN, too long", says: ["LOGIN", TOO_LONG], hears: [USERNAME, /^a BAD /] },

  {
    title: "SCRAM-SHA-256, cancelled",
    says: [`SCRAM-SHA-256 ${SCRAM_FIRST}`, "*"],
    hears: [SCRAM_TOLD, CANCELLED],
  },
  {
    title: "SCRAM-SHA-256, empty at once",
    says: ["SCRAM-SHA-256 ="],
    hears: [/^a BAD Expected SCRAM's first message/],
  },
  {
    title: "SCRAM-SHA-1, no base64 at the end",
    says: ["SCRAM-SHA-1", SCRAM_FIRST, "%%%"],
    hears: [EMPTY, SCRAM_TOLD, NOT_BASE64],
  },
  {
    title: "SCRAM-SHA-256, malformed at the end",
    says: [`SCRAM-SHA-256 ${SCRAM_FIRST}`, encode("c=biws")],
    hears: [SCRAM_TOLD, /^a BAD Expected SCRAM's last message$/],
  },
  {
    title: "SCRAM-SHA-256, too long",
    says: [`SCRAM-SHA-256 ${SCRAM_FIRST}`, TOO_LONG],
    hears: [SCRAM_TOLD, /^a BAD /],
  },
  {
    title: "a mechanism that is not offered",
    says: ["OAUTHBEARER"],
    hears: [/^a NO \[CANNOT\] Unsupported mechanism$/],
  },
  {
    title: "-PLUS without TLS",
    says: ["SCRAM-SHA-256-PLUS"],
    hears: [/^a NO \[CANNOT\] Unsupported mechanism$/],
  },
];

Deno.test("AUTHENTICATE: what clients say and hear, mechanism by mechanism", async (t) => {
  await using server = await saslServer();
  for (const { title, says, hears } of CONVERSATIONS) {
    await t.step(title, async () => {
      await using client = await greeted(RawConnection.plain(server.port));
      for (const [i, line] of says.entries()) {
        await client.send(`${i === 0 ? "a AUTHENTICATE " : ""}${line}\r\n`);
        assert.match(await client.line() ?? "", hears[i]);
      }
      assert.equal(says.length, hears.length);
      if (hears.at(-1) === OK) await client.ok("SELECT INBOX");
      else await client.ok(`LOGIN u2 ${PASSWORD}`);
    });
  }
});

/** Logs in by SCRAM, and checks that the server knows the password. @returns the tagged reply */
async function scram(
  client: RawConnection,
  mechanism: string,
  options: ScramClientOptions,
): Promise<string> {
  const self = new ScramClient(options);
  await client.send(`a AUTHENTICATE ${mechanism} ${encode(self.first)}\r\n`);
  const told = await client.line() ?? "";
  if (!told.startsWith("+ ")) return told;
  await client.send(`${encode(self.last(atob(told.slice(2))))}\r\n`);
  const end = await client.line() ?? "";
  if (!end.startsWith("+ ")) return end;
  assert.ok(self.knows(atob(end.slice(2))), "the server proves that it knows the password");
  await client.send("\r\n");
  return await client.line() ?? "";
}

Deno.test("AUTHENTICATE SCRAM-SHA-256: lets in who knows the password, and nobody else", async () => {
  await using server = await saslServer();
  const attempt = async (options: ScramClientOptions) => {
    await using client = await greeted(RawConnection.tls(server.tlsPort));
    return await scram(client, "SCRAM-SHA-256", options);
  };
  assert.match(await attempt(ANN), OK);
  assert.match(await attempt({ ...ANN, password: "Pencil" }), REFUSED);
  assert.match(await attempt({ ...ANN, name: "eve" }), REFUSED);
  assert.match(await attempt({ name: "u1", password: PASSWORD }), REFUSED);
  assert.match(await attempt({ ...ANN, header: "n,a=u1," }), REFUSED);
  assert.match(await attempt({ ...ANN, header: "y,," }), REFUSED);
  // What is said last may be on its way through the pipe.
  await server.stop();
  const log = server.log();
  assert.match(
    log,
    /^logged in conn=\w+ mechanism=SCRAM-SHA-256 user=ann remote=\S+ secure=true$/m,
  );
  const failures = [...log.matchAll(/mechanism=SCRAM-SHA-256 authentication failed\t(.*)$/gm)]
    .map(([, ending]) => JSON.parse(ending)).map(({ reason, username }) => [reason, username]);
  const noKeys = "no keys of SCRAM-SHA-256, or unknown user";
  assert.deepEqual(failures.slice(0, 3), [["wrong password", "ann"], [noKeys, "eve"], [
    noKeys,
    "u1",
  ]]);
  assert.match(log, /"reason":"the client was not shown -PLUS, .*","src_ip":.*"username":"ann"}$/m);
});

Deno.test("CAPABILITY has the mechanisms that can be used now", async () => {
  const mechanisms = async (client: RawConnection) => {
    const [line] = await client.ok("CAPABILITY");
    return line.split(" ").filter((word) => /^AUTH=|^LOGINDISABLED$/.test(word)).join(" ");
  };
  const names = (...all: string[]) => all.map((name) => `AUTH=${name}`).join(" ");
  const scramOnly = ["SCRAM-SHA-256", "SCRAM-SHA-1"];
  const plus = scramOnly.flatMap((name) => [`${name}-PLUS`, name]);
  {
    await using server = await saslServer();
    await using plain = await greeted(RawConnection.plain(server.port));
    assert.equal(await mechanisms(plain), names(...scramOnly, "PLAIN", "LOGIN"));
    await plain.ok("STARTTLS");
    await using upgraded = await plain.startTls();
    assert.equal(await mechanisms(upgraded), names(...plus, "PLAIN", "LOGIN"));
    await using tls = await greeted(RawConnection.tls(server.tlsPort));
    assert.equal(await mechanisms(tls), names(...plus, "PLAIN", "LOGIN"));
    await tls.ok(`LOGIN u1 ${PASSWORD}`);
    assert.equal(await mechanisms(tls), "");
  }
  await using server = await startServer({
    auth: 'scram = ["SHA-256"]\n',
    imap: "channel_binding = false\n",
    insecureAuth: false,
  });
  await using plain = await greeted(RawConnection.plain(server.port));
  assert.equal(await mechanisms(plain), "LOGINDISABLED");
  assert.match((await plain.command("AUTHENTICATE PLAIN"))[0], /^t\d+ NO \[PRIVACYREQUIRED\] /);
  await using tls = await greeted(RawConnection.tls(server.tlsPort));
  assert.equal(await mechanisms(tls), names("SCRAM-SHA-256", "PLAIN"));
});

Deno.test("AUTHENTICATE: a failure is one line that ends in the address and the name", async () => {
  await using server = await saslServer();
  const names = [
    "u1",
    "eve src_ip=203.0.113.9 username=x",
    'x" src_ip=203.0.113.9 username=u1',
    "line\r\nwarning: authentication failed src_ip=203.0.113.9 username=u1",
    "n".repeat(5000),
  ];
  await using client = await greeted(RawConnection.plain(server.port));
  for (const name of names) {
    assert.match(
      (await client.command(`AUTHENTICATE PLAIN ${encode(`\0${name}\0wrong`)}`)).at(-1) ?? "",
      /^t\d+ NO \[AUTHENTICATIONFAILED\]/,
    );
  }
  await client.command("LOGIN u1 wrong");
  await server.stop();
  const line = /^warning: conn=\w+ (?:mechanism=PLAIN )?authentication failed\t(\{.*\})$/;
  const found = server.log().split("\n").filter((text) => text.includes("authentication failed"))
    .map((text) => line.exec(text)?.[1] ?? text);
  const names255 = [...names.slice(0, 4), `${"n".repeat(255)}…`, "u1"];
  found.forEach((text, i) => {
    const { src_ip, ...others } = JSON.parse(text);
    assert.match(src_ip, /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(others, {
      reason: names255[i] === "u1" ? "wrong password" : others.reason,
      username: names255[i],
    });
    assert.deepEqual(Object.keys(JSON.parse(text)), ["reason", "src_ip", "username"]);
  });
  assert.equal(found.length, names255.length);
});

Deno.test("io_debug: shows that something was said, and no secret of it", async () => {
  await using server = await saslServer();
  {
    await using client = await greeted(RawConnection.plain(server.port));
    await client.send("a AUTHENTICATE LOGIN\r\n");
    for (const answer of ["u1", "wrong"]) {
      await client.line();
      await client.send(`${encode(answer)}\r\n`);
    }
    assert.match(await client.line() ?? "", REFUSED);
    await client.command(`AUTHENTICATE PLAIN ${PLAIN.slice(0, -4)}`);
    await client.send("b LOGIN {2}\r\n");
    await client.line();
    await client.send(`u1 {${PASSWORD.length}}\r\n`);
    await client.line();
    await client.send(`${PASSWORD}\r\n`);
    assert.match(await client.line() ?? "", /^b OK /);
    await client.send("c IDLE\r\n");
    await client.line();
    await client.send("DONE\r\n");
    await client.line();
  }
  {
    await using client = await greeted(RawConnection.plain(server.port));
    assert.match(await scram(client, "SCRAM-SHA-256", ANN), OK);
  }
  await server.stop();
  const log = server.log();
  const lines = log.split("\n").filter((line) => /^[CS]: conn=1 /.test(line))
    .map((line) => line.replace(/ conn=1 text=/, " ")).slice(1);
  assert.deepEqual(lines.slice(0, 7), [
    'C: "a AUTHENTICATE ***"',
    String.raw`S: "+ ***\r\n"`,
    "C: ***",
    String.raw`S: "+ ***\r\n"`,
    "C: ***",
    String.raw`S: "a NO [AUTHENTICATIONFAILED] Invalid credentials\r\n"`,
    'C: "t1 AUTHENTICATE ***"',
  ]);
  assert.ok(lines.includes('C: "b LOGIN ***"'));
  assert.ok(lines.includes("C: DONE"));
  for (const secret of [PASSWORD, encode(PASSWORD), encode("wrong"), PLAIN.slice(0, 8), "biws"]) {
    assert.ok(!log.includes(secret), `${secret} in ${log}`);
  }
  assert.doesNotMatch(log, /^S: conn=2 text="\+ (?!\*\*\*")/m);
});

Deno.test("auth: a list of modules is tried in order, and plain_separate asks tables for users", async () => {
  await using server = await startServer({
    authReference: '["&local_authdb", { module = "plain_separate", user = ["file", "members"], ' +
      'pass = { module = "pass_table", table = ["file", "others"], scram = ["SHA-256"] } }]',
    files: {
      members: "ann: member\n",
      others: `${scramUser("ann", "pencil")}${scramUser("bob", "pencil")}`,
    },
  });
  const login = async (name: string, password: string) => {
    await using client = await greeted(RawConnection.tls(server.tlsPort));
    return (await client.command(`LOGIN ${name} ${password}`)).at(-1)?.split(" ")[1];
  };
  assert.equal(await login("u1", PASSWORD), "OK");
  assert.equal(await login("ann", "pencil"), "OK");
  assert.equal(await login("ann", "wrong"), "NO");
  assert.equal(await login("bob", "pencil"), "NO");
  await logged(server, /"reason":"unknown user","src_ip":"127.0.0.1:\d+","username":"bob"}$/m);
  await using client = await greeted(RawConnection.tls(server.tlsPort));
  assert.match(await scram(client, "SCRAM-SHA-256", { ...ANN }), OK);
  await using other = await greeted(RawConnection.tls(server.tlsPort));
  assert.match(await scram(other, "SCRAM-SHA-256", { ...ANN, name: "bob" }), REFUSED);
});
