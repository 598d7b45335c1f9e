// Each limit of an endpoint, as what a client is told that goes beyond it, and what it may do.

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { until } from "../until.ts";

/** Starts a server with these limits. */
function startLimited(limits: string, imap = ""): Promise<TestServer> {
  return startServer({ imap: `${imap}limits = { ${limits} }\n` });
}

async function connect({ port }: TestServer): Promise<ImapClient> {
  const client = await ImapClient.connect({ host: "127.0.0.1", port });
  await client.response();
  return client;
}

function loggedIn(server: TestServer): Promise<ImapClient> {
  return ImapClient.login({ host: "127.0.0.1", port: server.port }, server.freshUser(), PASSWORD);
}

/** Responses up to the end of the connection. */
async function rest(client: ImapClient): Promise<string[]> {
  const heard: string[] = [];
  for (let line = await client.response(); line !== undefined; line = await client.response()) {
    heard.push(line);
  }
  return heard;
}

/** A limit's setting, and which of two commands are taken, the second longer than the first. */
const SIZES = [
  ["line", '"1 KiB"', [true, false]],
  ["line", '"4 KiB"', [true, true]],
  ["literals", '"1 KiB"', [true, false]],
  ["literals", '"2 KiB"', [true, true]],
] as const;

/** Commands of about 900 and of about 1200 octets. */
const COMMANDS = {
  line: [450, 600].map((size) => {
    const text = "x".repeat(size);
    return [`a SEARCH SUBJECT ${text} BODY ${text}`];
  }),
  literals: [450, 600].map((size) => [
    `a SEARCH SUBJECT {${size}}`,
    `${"x".repeat(size)} BODY {${size}}`,
    "x".repeat(size),
  ]),
};

for (const [limit, value, taken] of SIZES) {
  Deno.test(`limits.${limit} = ${value}: what is longer is BAD, and the session goes on`, async () => {
    await using server = await startLimited(`${limit} = ${value}`);
    await using client = await loggedIn(server);
    await client.command("SELECT INBOX");
    for (const [i, command] of COMMANDS[limit].entries()) {
      let reply = "+";
      for (const line of command) {
        if (!reply.startsWith("+")) break;
        client.line(line);
        reply = await client.response() ?? "";
      }
      if (taken[i]) {
        strictEqual(reply, "* SEARCH");
        match(await client.response() ?? "", /^a OK /);
      } else {
        match(reply, /^a (BAD|NO) .*(shorter|literals)/);
      }
      match((await client.command("NOOP")).reply, /^OK /);
    }
  });
}

/** What a client begins and does not end; each is a step of it. */
const BEGUN: readonly (readonly [name: string, loggedIn: boolean, sent: readonly string[]])[] = [
  ["a line", false, ["a NOO"]],
  ["a literal", false, ["a LOGIN {5}\r\n", "ab"]],
  ["a literal that was asked for", false, ["a LOGIN {5}\r\n"]],
  ["an answer of AUTHENTICATE", false, ["a AUTHENTICATE PLAIN\r\n"]],
  ["a line after login", true, ["a SELECT "]],
  ["a literal after login", true, ["a SELECT {5}\r\n", "INB"]],
  ["a message", true, ["a APPEND INBOX {500}\r\n", "Subject: x\r\n"]],
  ["the end of IDLE", true, ["a IDLE\r\n", "DON"]],
];

Deno.test("limits.read: who stops in the middle is sent away, wherever that is", async () => {
  await using server = await startLimited('read = "1s"');
  const user = server.freshUser();
  const address = { host: "127.0.0.1", port: server.port };
  await Promise.all(BEGUN.map(async ([name, login, sent]) => {
    await using client = login
      ? await ImapClient.login(address, user, PASSWORD)
      : await connect(server);
    for (const piece of sent) {
      client.send(piece);
      if (piece.endsWith("}\r\n") || /(PLAIN|IDLE)\r\n$/.test(piece)) {
        match(await client.response() ?? "", /^\+/, name);
      }
    }
    deepStrictEqual(await rest(client), ["* BYE The rest of the command took too long"], name);
  }));
  await using other = await connect(server);
  match((await other.command("NOOP")).reply, /^OK /);
});

Deno.test("limits.read: a trickle of octets does not hold a connection", async () => {
  await using server = await startLimited('read = "1s", login = "1h"');
  for (const client of [await connect(server), await loggedIn(server)]) {
    await using _ = client;
    client.send("a ");
    const timer = setInterval(() => client.send("x"), 100);
    try {
      deepStrictEqual(await rest(client), ["* BYE The rest of the command took too long"]);
    } finally {
      clearInterval(timer);
    }
  }
});

Deno.test("limits.read: a TLS handshake that is not gone on with ends the connection", async () => {
  await using server = await startLimited('read = "1s", login = "1h"');
  await using later = await connect(server);
  match((await later.command("STARTTLS")).reply, /^OK /);
  await using at_once = await ImapClient.connect({ host: "127.0.0.1", port: server.tlsPort });
  deepStrictEqual(await rest(later), []);
  deepStrictEqual(await rest(at_once), []);
});

for (const loggedInFirst of [false, true]) {
  const when = loggedInFirst ? "after" : "before";
  Deno.test(`limits: what a line and literals may have ${when} login`, async () => {
    await using server = await startLimited("bad_before_login = 10");
    await using client = loggedInFirst ? await loggedIn(server) : await connect(server);
    const line = loggedInFirst ? 65536 : 8192;
    const literals = loggedInFirst ? 1 << 20 : 8192;
    const arguments_ = (length: number) => `(a "${"x".repeat(length)}"`;
    match((await client.command(`ID ${arguments_(line + 1)})`)).reply, /^BAD \[LIMIT\] /);
    match((await client.command(`NOOP ${"x".repeat(line - 20)}`)).reply, /^BAD (?!\[LIMIT)/);
    client.line(`a ID ("a" {${literals + 1}}`);
    match(await client.response() ?? "", /^a BAD \[TOOBIG\] /);
    client.line(`b NOOP {${literals}}`);
    match(await client.response() ?? "", /^\+ /);
    client.send("x".repeat(literals - 10));
    client.line("x".repeat(10));
    match((await client.answer("b")).reply, /^BAD (?!\[TOOBIG)/);
    // All literals of a command together, also those that are not asked for.
    const half = literals / 2;
    client.send(`c NOOP {${half}+}\r\n${"x".repeat(half)} {${half + 1}}\r\n`);
    match(await client.response() ?? "", /^c BAD \[TOOBIG\] /);
    match((await client.command("NOOP")).reply, /^OK /);
  });
}

Deno.test("limits.line_before_login, limits.literals_before_login: what is longer is BAD", async () => {
  await using server = await startLimited(
    'line_before_login = "1 KiB", literals_before_login = "2 KiB"',
  );
  const user = server.freshUser();
  await using client = await connect(server);
  match((await client.command(`NOOP ${"x".repeat(1100)}`)).reply, /^BAD \[LIMIT\] /);
  client.line("a LOGIN {2049}");
  match(await client.response() ?? "", /^a BAD \[TOOBIG\] /);
  match((await client.command(`LOGIN ${user} ${PASSWORD}`)).reply, /^OK /);
  match((await client.command(`SELECT ${"x".repeat(1100)}`)).reply, /^NO /);
  match((await client.command("UNAUTHENTICATE")).reply, /^OK /);
  match((await client.command(`NOOP ${"x".repeat(1100)}`)).reply, /^BAD \[LIMIT\] /);
});

/** The server's side of a connection, as the kernel sees it. */
async function kernelSide(
  port: number,
  clientPort: number,
): Promise<{ readonly open: boolean; readonly unsent: number }> {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");
  for (const line of (await Deno.readTextFile("/proc/net/tcp")).split("\n")) {
    const [, local = "", remote = "", state, queues = ""] = line.trim().split(/\s+/);
    if (local.endsWith(`:${hex(port)}`) && remote.endsWith(`:${hex(clientPort)}`)) {
      return { open: state === "01", unsent: Number.parseInt(queues, 16) };
    }
  }
  return { open: false, unsent: 0 };
}

Deno.test({
  name: "limits.write: who takes neither data nor BYE does not hold a socket (Linux only)",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await startLimited('write = "2s", idle = "2s"');
    // This one never reads.
    using deaf = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const say = (text: string) => deaf.write(new TextEncoder().encode(text));
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const side = () => kernelSide(server.port, deaf.localAddr.port);
    await say(`a LOGIN ${server.freshUser()} ${PASSWORD}\r\n`);
    // Small answers, until the kernel takes no more: then some of them wait in the server.
    for (let held = -1, now = 0; now !== held || now < 100_000; now = (await side()).unsent) {
      held = now;
      await say("b CAPABILITY\r\n".repeat(now < 3_000_000 ? 200 : 8));
      await pause(5);
      if ((await side()).unsent === held) await pause(200);
    }
    await until(
      () => /disconnected .*reason="(Idle|The client takes)/.test(server.log()),
      "an end",
    );
    await until(async () => !(await side()).open, "the socket to be closed");
  },
});

/** A literal that finds no room waits, then is refused. */
async function refuseLiteral(): Promise<void> {
  await using server = await startLimited('buffers = "1 MiB", literals = "800 KiB"');
  const user = server.freshUser();
  const address = { host: "127.0.0.1", port: server.port };
  await using first = await ImapClient.login(address, user, PASSWORD);
  await using second = await ImapClient.login(address, user, PASSWORD);
  const size = 600_000;
  first.line(`a NOOP {${size}}`);
  match(await first.response() ?? "", /^\+ /);
  // A short one needs no room, a long one has to wait.
  match((await second.command(`SUBSCRIBE {5+}\r\nINBOX`)).reply, /^OK /);
  second.line(`b NOOP {${size}}`);
  strictEqual(await second.response(20_000), "b NO [LIMIT] Memory is short, try later");
  second.line(`c NOOP {${size}}`);
  first.line("x".repeat(size));
  match((await first.answer("a")).reply, /^BAD /);
  match(await second.response(20_000) ?? "", /^\+ /);
  second.line("x".repeat(size));
  match((await second.answer("c")).reply, /^BAD /);
  // Who leaves in the middle gives back what it had.
  first.line(`d NOOP {${size}}`);
  match(await first.response() ?? "", /^\+ /);
  await first.close();
  second.line(`e NOOP {${size}}`);
  match(await second.response(20_000) ?? "", /^\+ /);
}

/** Who has taken their share waits, then is refused; another user is not. */
async function keepShare(): Promise<void> {
  await using server = await startLimited('buffers = "1 MiB", literals = "64 KiB", read = "1h"');
  const address = { host: "127.0.0.1", port: server.port };
  await using other = await loggedIn(server);
  const user = server.freshUser();
  const clients: ImapClient[] = [];
  try {
    // Together they want all that there is, and more.
    for (let i = 0; i < 18; i++) clients.push(await ImapClient.login(address, user, PASSWORD));
    for (const client of clients) client.line("a NOOP {60000}");
    const replies = [];
    for (const client of clients) replies.push((await client.response(60_000))?.slice(0, 4));
    // 64 KiB of literals and 256 KiB ahead are assured.
    deepStrictEqual(replies.sort(), [...Array(5).fill("+ OK"), ...Array(13).fill("a NO")]);
    other.line("a NOOP {60000}");
    match(await other.response(60_000) ?? "", /^\+ /);
  } finally {
    for (const client of clients) await client.close();
  }
}

/** A client whose INBOX has a message of 8 MB. */
async function withLargeMessage(server: TestServer, user: string): Promise<ImapClient> {
  const client = await ImapClient.login({ host: "127.0.0.1", port: server.port }, user, PASSWORD);
  const message = `Subject: x\r\n\r\n${`${"x".repeat(70)}\r\n`.repeat(120_000)}`;
  match((await client.append("INBOX", message)).reply, /^OK /);
  return client;
}

/** Who takes no data is cut off sooner once it is used up. */
async function cutOff(): Promise<void> {
  await using server = await startLimited('buffers = "1 MiB", write = "1h"', "io_errors = true\n");
  const user = server.freshUser();
  await using writer = await withLargeMessage(server, user);
  const deaf: Deno.Conn[] = [];
  try {
    for (let i = 0; i < 16; i++) {
      const one = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      deaf.push(one);
      await one.write(new TextEncoder().encode(
        `a LOGIN ${user} ${PASSWORD}\r\nb SELECT INBOX\r\n${"c FETCH 1 BODY.PEEK[]\r\n".repeat(8)}`,
      ));
    }
    const cut = /connection lost conn=\S+ reason="The client takes no data"/;
    await until(() => cut.test(server.log()), String(cut));
  } finally {
    for (const one of deaf) one.close();
  }
  match((await writer.command("NOOP")).reply, /^OK /);
}

Deno.test("limits.buffers: once it is used up, literals are refused and the deaf cut off, after 10 seconds", async () => {
  await Promise.all([refuseLiteral(), keepShare(), cutOff()]);
});

Deno.test("a program with too many keys, or nested too deep, is refused with LIMIT", async () => {
  await using server = await startServer();
  await using client = await loggedIn(server);
  match((await client.append("INBOX", "Subject: x\r\n\r\nx")).reply, /^OK /);
  await client.command("SELECT INBOX");
  match((await client.command("SEARCH RETURN (SAVE) ALL")).reply, /^OK /);
  const many = "ALL ".repeat(1000) + "ALL";
  for (
    const command of [
      `SEARCH ${many}`,
      `SORT (DATE) UTF-8 ${many}`,
      `THREAD REFERENCES UTF-8 ${many}`,
      `SEARCH ${"NOT ".repeat(101)}ALL`,
      `SEARCH ${"(".repeat(101)}ALL${")".repeat(101)}`,
      `SORT (${"DATE ".repeat(30)}DATE) UTF-8 ALL`,
      `ID (${'"a" "b" '.repeat(30)}"a" "b")`,
    ]
  ) match((await client.command(command)).reply, /^NO \[LIMIT\] Expected at most \d+ /, command);
  deepStrictEqual((await client.command("SEARCH $")).untagged, ["* SEARCH 1"]);
  // A NO leaves nothing saved.
  match((await client.command(`SEARCH RETURN (SAVE) ${many}`)).reply, /^NO \[LIMIT\]/);
  deepStrictEqual((await client.command("SEARCH $")).untagged, ["* SEARCH"]);
});

Deno.test("limits.login: who does not log in is sent away", async () => {
  await using server = await startLimited('login = "1s"');
  await using client = await connect(server);
  deepStrictEqual(await rest(client), ["* BYE Logging in took too long"]);
});

Deno.test("limits.idle: who says nothing is sent away, but not in IDLE", async () => {
  await using server = await startLimited('idle = "1s", keepalive = "1s"');
  await using idling = await connect(server);
  // In one piece, so that there is no time between login and IDLE.
  idling.send(`a LOGIN ${server.freshUser()} ${PASSWORD}\r\nb IDLE\r\n`);
  match((await idling.answer("a")).reply, /^OK /);
  match(await idling.response() ?? "", /^\+ /);
  await using silent = await loggedIn(server);
  deepStrictEqual(await rest(silent), ["* BYE Idle for too long"]);
  for (let i = 0; i < 3; i++) strictEqual(await idling.response(), "* OK Still here");
  idling.line("DONE");
  deepStrictEqual((await rest(idling)).filter((line) => line !== "* OK Still here"), [
    "b OK IDLE completed",
    "* BYE Idle for too long",
  ]);
});

Deno.test("limits.keepalive: IDLE hears that the server is still there", async () => {
  await using server = await startLimited('keepalive = "1s"');
  await using client = await loggedIn(server);
  client.line("a IDLE");
  match(await client.response() ?? "", /^\+ /);
  for (let i = 0; i < 2; i++) strictEqual(await client.response(), "* OK Still here");
  client.line("DONE");
  match((await client.answer("a")).reply, /^OK /);
});

Deno.test("limits.write: who takes no data is cut off", async () => {
  await using server = await startLimited('write = "1s"', "io_errors = true\n");
  const user = server.freshUser();
  await using writer = await withLargeMessage(server, user);
  // This one never reads.
  using deaf = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const lines = [`a LOGIN ${user} ${PASSWORD}`, "b SELECT INBOX"];
  for (let i = 0; i < 8; i++) lines.push(`c${i} FETCH 1 BODY.PEEK[]`);
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(""));
  for (let at = 0; at < bytes.length;) at += await deaf.write(bytes.subarray(at));
  const cut = /connection lost conn=\S+ reason="The client takes no data"/;
  await until(() => cut.test(server.log()), String(cut));
  match((await writer.command("NOOP")).reply, /^OK /);
});

/** Bad commands that are allowed before and after login. */
for (const [before, after] of [[1, 3], [4, 2]]) {
  const limits = `bad_before_login = ${before}, bad_after_login = ${after}`;
  Deno.test(`limits = { ${limits} }: one bad command more ends the connection`, async () => {
    await using server = await startLimited(limits);
    for (
      const [client, allowed] of [
        [await connect(server), before],
        [await loggedIn(server), after],
      ] as const
    ) {
      await using _ = client;
      for (let i = 0; i < allowed - 1; i++) match((await client.command("X")).reply, /^BAD /);
      // A good one begins the count anew.
      match((await client.command("NOOP")).reply, /^OK /);
      for (let i = 0; i < allowed; i++) match((await client.command("X")).reply, /^BAD /);
      deepStrictEqual(await rest(client), ["* BYE Too many bad commands"]);
    }
  });
}

Deno.test("limits.connections: one more is told to come later, and may when another has left", async () => {
  await using server = await startLimited("connections = 2");
  await using first = await connect(server);
  const second = await connect(server);
  const greeting = async () => {
    await using client = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
    return await client.response() ?? "";
  };
  strictEqual(await greeting(), "* BYE [UNAVAILABLE] Too many connections, try later");
  match((await first.command("NOOP")).reply, /^OK /);
  await second.close();
  await until(async () => (await greeting()).startsWith("* OK "), "room for another client");
  await until(
    () => /too many connections conn=\S+ remote=127\.0\.0\.1/.test(server.log()),
    "a warning",
  );
});

/** A client of a server with these limits, with five messages in its INBOX. */
async function withFive(server: TestServer): Promise<ImapClient> {
  const client = await loggedIn(server);
  for (let n = 1; n <= 5; n++) {
    client.line("a APPEND INBOX {6+}");
    client.line("x: y\r\n");
    match(await client.response() ?? "", /^a OK/);
  }
  await client.command("SELECT INBOX");
  return client;
}

/** All that is said until the tagged reply. */
async function answers(client: ImapClient, command: string): Promise<string[]> {
  client.line(`a ${command}`);
  const heard: string[] = [];
  for (let line = await client.response(); line !== undefined; line = await client.response()) {
    heard.push(line);
    if (line.startsWith("a ")) break;
  }
  return heard;
}

Deno.test("limits.messages: the newest are processed, and the client is told", async () => {
  await using server = await startLimited("messages = 2");
  await using client = await withFive(server);
  match((await answers(client, "CAPABILITY"))[0], / MESSAGELIMIT=2( |$)/);
  const code = "[MESSAGELIMIT 2 4]";
  const fetched = await answers(client, "FETCH 1:* (UID)");
  deepStrictEqual(fetched.slice(0, 2), ["* 4 FETCH (UID 4)", "* 5 FETCH (UID 5)"]);
  strictEqual(fetched[2].startsWith(`a OK ${code}`), true, fetched[2]);
  deepStrictEqual((await answers(client, "FETCH 1:2 (UID)")).length, 3);
  const found = await answers(client, "UID SEARCH UID 1:4 ALL");
  strictEqual(found[0], "* SEARCH 3 4");
  match(found[1], /^a OK \[MESSAGELIMIT 2 3\]/);
  deepStrictEqual((await answers(client, "UID SEARCH UIDBEFORE 3"))[0], "* SEARCH 1 2");
  deepStrictEqual((await answers(client, "UID SEARCH UIDAFTER 4"))[0], "* SEARCH 5");
  match(
    (await answers(client, "SORT (DATE) UTF-8 ALL")).at(-1) ?? "",
    /^a OK \[MESSAGELIMIT 2 4\]/,
  );
  match(
    (await answers(client, "STORE 1:* +FLAGS.SILENT (\\Deleted)"))[0],
    /^a OK \[MESSAGELIMIT 2 4\]/,
  );
  match((await answers(client, "COPY 1:* INBOX")).at(-1) ?? "", /^a NO \[MESSAGELIMIT 2 4\]/);
  const expunged = await answers(client, "UID EXPUNGE 1:5");
  deepStrictEqual(expunged.slice(0, 2), ["* 4 EXPUNGE", "* 4 EXPUNGE"]);
  strictEqual(expunged[2], "a OK UID EXPUNGE completed");
});

Deno.test("limits.messages: UID EXPUNGE counts \\Deleted messages only, and ends when repeated", async () => {
  await using server = await startLimited("messages = 2");
  await using client = await withFive(server);
  deepStrictEqual(await answers(client, "UID EXPUNGE 1:*"), ["a OK UID EXPUNGE completed"]);
  await answers(client, "STORE 1:2 +FLAGS.SILENT (\\Deleted)");
  await answers(client, "STORE 3 +FLAGS.SILENT (\\Deleted)");
  deepStrictEqual(await answers(client, "UID EXPUNGE 1:*"), [
    "* 2 EXPUNGE",
    "* 2 EXPUNGE",
    "a OK [MESSAGELIMIT 2 2] UID EXPUNGE completed",
  ]);
  deepStrictEqual(await answers(client, "UID EXPUNGE 1:*"), [
    "* 1 EXPUNGE",
    "a OK UID EXPUNGE completed",
  ]);
});

Deno.test("limits.messages: MOVE moves the newest, and the rest when repeated", async () => {
  await using server = await startLimited("messages = 2");
  await using client = await withFive(server);
  const said = async (command: string) => (await answers(client, command)).map(withoutNumbers);
  await answers(client, "CREATE other");
  for (const rest of ["4:5 1:2", "2:3 3:4"]) {
    const uids = rest.split(" ");
    const place = uids[0].split(":")[0];
    deepStrictEqual(await said("UID MOVE 1:* other"), [
      `* OK [COPYUID ${rest}] Moved`,
      `* ${place} EXPUNGE`,
      `* ${place} EXPUNGE`,
      `a OK [MESSAGELIMIT 2 ${place}] UID MOVE completed`,
    ]);
  }
  deepStrictEqual(await said("MOVE 1 other"), [
    "* OK [COPYUID 1 5] Moved",
    "* 1 EXPUNGE",
    "a OK MOVE completed",
  ]);
  deepStrictEqual(
    (await answers(client, "STATUS other (MESSAGES)"))[0],
    "* STATUS other (MESSAGES 5)",
  );
});

/** COPYUID without its UIDVALIDITY. */
function withoutNumbers(line: string): string {
  return line.replace(/(COPYUID) \d+/, "$1");
}

Deno.test("limits.messages: MESSAGELIMIT goes untagged before another code", async () => {
  await using server = await startLimited("messages = 2");
  const user = server.freshUser();
  const address = { host: "127.0.0.1", port: server.port };
  await using writer = await ImapClient.login(address, user, PASSWORD);
  for (let n = 1; n <= 6; n++) match((await writer.append("INBOX", "x: y\r\n")).reply, /^OK /);
  await using client = await ImapClient.login(address, user, PASSWORD);
  await client.command("SELECT INBOX");
  await writer.command("SELECT INBOX");
  await writer.command("STORE 5 +FLAGS.SILENT (\\Deleted)");
  await writer.command("EXPUNGE");
  const codes = [
    "* NO [MESSAGELIMIT 2 4] There are more messages",
    "a OK [EXPUNGEISSUED] Some of these messages no longer exist",
  ];
  deepStrictEqual(await answers(client, "FETCH 1:6 (UID)"), [
    "* 4 FETCH (UID 4)",
    "* 6 FETCH (UID 6)",
    ...codes,
  ]);
  // Without the limit it stays a NO.
  match((await answers(client, "FETCH 5:6 (UID)")).at(-1) ?? "", /^a NO \[EXPUNGEISSUED\]/);
  deepStrictEqual(await answers(client, "STORE 1:6 +FLAGS (\\Seen)"), [
    "* 4 FETCH (FLAGS (\\Seen \\Recent))",
    "* 6 FETCH (FLAGS (\\Seen \\Recent))",
    ...codes,
  ]);
  deepStrictEqual(
    (await answers(client, "STORE 1:6 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)")).slice(-2),
    [codes[0], "a OK [MODIFIED 4:6] Some messages were changed by others meanwhile"],
  );
});

Deno.test("limits.messages: pages and threads of more are refused", async () => {
  await using server = await startLimited("messages = 2");
  await using client = await withFive(server);
  const refused = ["a NO [MESSAGELIMIT 2] At most 2 messages can be processed at once"];
  deepStrictEqual(await answers(client, "UID FETCH 1:* (FLAGS) (PARTIAL 1:3)"), refused);
  deepStrictEqual(await answers(client, "UID FETCH 1:* (FLAGS) (PARTIAL -1:-3)"), refused);
  deepStrictEqual(await answers(client, "UID FETCH 1:* (UID) (PARTIAL 1:2)"), [
    "* 1 FETCH (UID 1)",
    "* 2 FETCH (UID 2)",
    "a OK UID FETCH completed",
  ]);
  deepStrictEqual((await answers(client, "UID FETCH 1:2 (UID) (PARTIAL 1:3)")).length, 3);
  for (
    const search of ["SEARCH RETURN (PARTIAL 1:3)", "SORT RETURN (PARTIAL -1:-3) (DATE) UTF-8"]
  ) {
    deepStrictEqual(await answers(client, `UID ${search} ALL`), refused);
  }
  deepStrictEqual(await answers(client, "UID SEARCH RETURN (PARTIAL -1:-2) ALL"), [
    '* ESEARCH (TAG "a") UID PARTIAL (-1:-2 4:5)',
    "a OK [MESSAGELIMIT 2 4] UID SEARCH completed",
  ]);
  deepStrictEqual(
    (await answers(client, "UID SEARCH RETURN (PARTIAL 1:3) UID 2:3"))[0],
    '* ESEARCH (TAG "a") UID PARTIAL (1:3 2:3)',
  );
  match((await answers(client, "THREAD REFERENCES UTF-8 ALL"))[0], /^a NO \[MESSAGELIMIT 2 4\]/);
  match((await answers(client, "THREAD REFERENCES UTF-8 UID 1:2")).at(-1) ?? "", /^a OK /);
});

Deno.test("limits.messages: no more is saved than was searched", async () => {
  await using server = await startLimited("messages = 2");
  await using client = await withFive(server);
  deepStrictEqual(await answers(client, "SEARCH RETURN (SAVE) ALL"), [
    "a OK [MESSAGELIMIT 2 4] SEARCH completed",
  ]);
  deepStrictEqual(await answers(client, "FETCH $ (UID)"), [
    "* 4 FETCH (UID 4)",
    "* 5 FETCH (UID 5)",
    "a OK FETCH completed",
  ]);
});

Deno.test("limits.messages: EXPUNGE, CLOSE and STATUS have no limit", async () => {
  await using server = await startLimited("messages = 2");
  await using client = await withFive(server);
  deepStrictEqual((await answers(client, "STATUS INBOX (UNSEEN)"))[0], "* STATUS INBOX (UNSEEN 5)");
  for (const set of ["1:2", "3:4"]) await answers(client, `STORE ${set} +FLAGS.SILENT (\\Deleted)`);
  deepStrictEqual((await answers(client, "EXPUNGE")).length, 5);
});

Deno.test("limits.messages: batches of UIDs hold no more", async () => {
  await using server = await startLimited("messages = 2");
  await using client = await withFive(server);
  deepStrictEqual(await answers(client, "UIDBATCHES 500"), [
    '* UIDBATCHES (TAG "a") 5:4,3:2,1:1',
    "a OK UIDBATCHES completed",
  ]);
  strictEqual(
    (await answers(client, "UIDBATCHES 2 2:9"))[0],
    '* UIDBATCHES (TAG "a") 3:2,1:1',
  );
  match((await answers(client, "UIDBATCHES 1"))[0], /^a NO \[TOOFEW\]/);
});

Deno.test("limits.saved_messages: what stores more is refused, and all else is not", async () => {
  await using server = await startLimited("saved_messages = 2");
  await using client = await withFive(server);
  match((await answers(client, "CAPABILITY"))[0], / SAVELIMIT=2( |$)/);
  deepStrictEqual((await answers(client, "FETCH 1:* (UID)")).length, 6);
  match((await answers(client, "COPY 1:3 INBOX")).at(-1) ?? "", /^a NO \[MESSAGELIMIT 2 2\]/);
  match((await answers(client, "COPY 1:2 INBOX")).at(-1) ?? "", /^a OK /);
  match((await answers(client, "MOVE 1:3 INBOX")).at(-1) ?? "", /^a OK MOVE/);
  client.line("b APPEND INBOX {1+}");
  client.line("x {1+}");
  client.line("x {1+}");
  client.line("x");
  match(await client.response() ?? "", /^b NO \[MESSAGELIMIT 2\]/);
});

Deno.test("limits.saved_messages: what is not below limits.messages is not announced", async () => {
  await using server = await startLimited("messages = 2, saved_messages = 2");
  await using client = await loggedIn(server);
  const [capability] = await answers(client, "CAPABILITY");
  match(capability, / MESSAGELIMIT=2( |$)/);
  strictEqual(capability.includes("SAVELIMIT"), false);
});

Deno.test("limits.append: URLs bring no more to all messages of a command", async () => {
  await using server = await startLimited('append = "1 KiB"');
  await using client = await loggedIn(server);
  client.line("a APPEND INBOX {600+}");
  client.line("x".repeat(600));
  match(await client.response() ?? "", /^a OK/);
  const url = "URL /INBOX/;UID=1";
  const replies = [
    [`CATENATE (${url})`, /^a OK/],
    [`CATENATE (${url} ${url})`, /^a NO \[TOOBIG\]/],
    [`CATENATE (${url}) CATENATE (${url})`, /^a NO \[TOOBIG\]/],
    [`CATENATE (${url}/;PARTIAL=0.500) CATENATE (${url}/;PARTIAL=0.500)`, /^a OK/],
  ] as const;
  for (const [messages, reply] of replies) {
    match((await answers(client, `APPEND INBOX ${messages}`)).at(-1) ?? "", reply);
  }
  client.line(`a APPEND INBOX CATENATE (TEXT {1+}`);
  client.line(`x ${url}) CATENATE (TEXT {1+}`);
  client.line(`x ${url} TEXT {1+}`);
  client.line("x)");
  match(await client.response() ?? "", /^a NO \[TOOBIG\]/);
});
