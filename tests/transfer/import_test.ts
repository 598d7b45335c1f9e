import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { connect, createServer, type Server } from "node:net";
import { symlink } from "node:fs/promises";
import { ImapClient } from "../client.ts";
import { imapd, MAIN } from "../cli/program.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { until } from "../until.ts";

interface Place extends AsyncDisposable {
  readonly dir: string;
  readonly server: TestServer;
  command(...args: string[]): ReturnType<typeof imapd>;
}

/** A folder for sources, and a server beside it. */
async function place(): Promise<Place> {
  const server = await startServer();
  const dir = await Deno.makeTempDir({ prefix: "imapd-transfer-" });
  return {
    dir,
    server,
    command: (...args) => imapd([...args, "--config", `${server.dir}/config.toml`]),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function makeMaildir(path: string, count: number): Promise<void> {
  for (const part of ["cur", "new", "tmp"]) {
    await Deno.mkdir(`${path}/${part}`, { recursive: true });
  }
  for (let i = 0; i < count; i++) {
    await Deno.writeTextFile(`${path}/cur/${1000 + i}.M1P1.host:2,S`, `Subject: ${i}\n\nb\n`);
  }
}

/** Counts of INBOX, and its different subjects. */
async function inbox({ server }: Place, user: string): Promise<{ all: number; different: number }> {
  await using client = await ImapClient.login(
    { host: "127.0.0.1", port: server.port },
    user,
    PASSWORD,
  );
  await client.command("EXAMINE INBOX");
  const answer = await client.command("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
  const subjects = JSON.stringify(answer).match(/Subject: [^\\"]+/g) ?? [];
  return { all: subjects.length, different: new Set(subjects).size };
}

Deno.test("imapd import maildir: killed at several points and run again, it loses and doubles nothing", async () => {
  await using here = await place();
  const count = 1500;
  await makeMaildir(`${here.dir}/source`, count);
  const config = `${here.server.dir}/config.toml`;
  const [running, alone] = [here.server.freshUser(), here.server.freshUser()];
  for (const user of [running, alone]) {
    if (user === alone) await here.server.stop();
    for (const least of [1, 400, 900]) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          MAIN,
          "import",
          "maildir",
          `${here.dir}/source`,
          user,
          "--config",
          config,
        ],
        stdout: "null",
        stderr: "null",
      }).spawn();
      const ended = child.status.then(() => true);
      await until(
        async () =>
          await filesIn(`${here.server.maildir(user)}/cur`) >= least ||
          await Promise.race([ended, Promise.resolve(false)]),
        "messages taken in",
      );
      try {
        child.kill("SIGKILL");
      } catch {
        // It was faster.
      }
      await child.status;
    }
    const last = await here.command("import", "maildir", `${here.dir}/source`, user);
    strictEqual(last.code, 0, last.err);
    if (user === alone) await here.server.restart();
    deepStrictEqual(await inbox(here, user), { all: count, different: count });
  }
});

async function filesIn(path: string): Promise<number> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).length;
  } catch {
    return 0;
  }
}

Deno.test("imapd import maildir: flags that nobody changed here follow the source", async () => {
  await using here = await place();
  await makeMaildir(`${here.dir}/source`, 2);
  const user = here.server.freshUser();
  await here.command("import", "maildir", `${here.dir}/source`, user);
  {
    await using client = await ImapClient.login(
      { host: "127.0.0.1", port: here.server.port },
      user,
      PASSWORD,
    );
    await client.command("SELECT INBOX");
    await client.command("STORE 1 FLAGS (\\Answered)");
  }
  for (const base of ["1000.M1P1.host", "1001.M1P1.host"]) {
    await Deno.rename(`${here.dir}/source/cur/${base}:2,S`, `${here.dir}/source/cur/${base}:2,FS`);
  }
  const again = await here.command("import", "maildir", `${here.dir}/source`, user);
  match(again.out, /new 0, known already 2, flags updated 1,/);
});

Deno.test("imapd import maildir: what is no message is told of and stepped over", async () => {
  await using here = await place();
  const cur = `${here.dir}/source/cur`;
  await makeMaildir(`${here.dir}/source`, 1);
  await Deno.writeTextFile(`${here.dir}/source/dovecot-uidlist`, "\0\0 no list\n");
  await Deno.writeTextFile(`${here.dir}/secret`, "Subject: secret\n\n");
  await symlink(`${here.dir}/secret`, `${cur}/1.link:2,`);
  await new Deno.Command("mkfifo", { args: [`${cur}/2.fifo:2,`] }).output();
  await Deno.writeTextFile(`${cur}/${"3".padEnd(252, "x")}:2,`, "Subject: long\n\na\0b\n");
  const user = here.server.freshUser();
  const { code, out, err } = await here.command("import", "maildir", `${here.dir}/source`, user);
  strictEqual(code, 1);
  match(err, /UIDs of INBOX could not be kept: Its dovecot-uidlist is damaged/);
  match(err, /1\.link:2,: It is no regular file/);
  match(err, /2\.fifo:2,: It is no regular file/);
  match(out, /new 2, .*failed 2\n/);
  deepStrictEqual(await inbox(here, user), { all: 2, different: 2 });
});

Deno.test("imapd import maildir: leaves no folder out in silence", async () => {
  await using here = await place();
  const source = `${here.dir}/source`;
  await makeMaildir(source, 1);
  await makeMaildir(`${source}/.a..b`, 1);
  await makeMaildir(`${source}/.Sub.Deep`, 1);
  await Deno.remove(`${source}/.Sub.Deep/new`);
  const user = here.server.freshUser();
  const whole = await here.command("import", "maildir", source, user);
  deepStrictEqual([whole.code, whole.err], [0, ""]);
  match(whole.out, /^Mailboxes 3, new 3,/);
  match((await here.command("mailbox", "list", user)).out, /Sub\/Deep[^]*a\/_\/b/);

  await makeMaildir(`${source}/.Sub/Inner`, 1);
  await makeMaildir(`${source}/.Sub`, 1);
  await Deno.mkdir(`${source}/.Half/new`, { recursive: true });
  const odd = await here.command("import", "maildir", source, user);
  strictEqual(odd.code, 1);
  match(odd.err, /\.Half: It is no Maildir: it has new, but no cur/);
  match(odd.err, /\.Sub\/Inner: It is a Maildir in a folder of Maildir\+\+/);
  match(odd.out, /^Mailboxes 4, new 1, known already 3,/);
});

Deno.test("imapd import maildir: a name that no mailbox can have costs that mailbox only", async () => {
  await using here = await place();
  const source = `${here.dir}/source`;
  const long = "é".repeat(120);
  for (const folder of ["", "/.a\x01b", `/.${long}`, "/.z"]) {
    await makeMaildir(`${source}${folder}`, 2);
  }
  const user = here.server.freshUser();
  const { code, out, err } = await here.command("import", "maildir", source, user);
  strictEqual(code, 1);
  match(err, /Stepped over a\\x01b: Mailbox name must have no control characters\n/);
  match(err, new RegExp(`Stepped over ${long}: Mailbox name must fit in 255 bytes`));
  match(out, /^Mailboxes 2, new 4, .*failed 2\n/);
});

Deno.test("imapd import: makes no account for what is no source", async () => {
  await using here = await place();
  const user = here.server.freshUser();
  await Deno.mkdir(`${here.dir}/empty`);
  await Deno.writeTextFile(`${here.dir}/text`, "Not a mailbox\n");
  await Deno.writeTextFile(`${here.dir}/good`, "From a@b Tue Mar  3 04:05:06 2020\nA: b\n\n");
  await makeMaildir(`${here.dir}/source`, 1);
  for (
    const [kind, paths, reason] of [
      ["dovecot", ["empty"], /Expected a Maildir at .*, got a folder without cur/],
      ["mbox", ["empty"], /Expected a mailbox in the source, got none/],
      ["mbox", ["good", "text"], /Expected an mbox at .*text, got a file that begins otherwise/],
      ["mbox", ["absent"], /Cannot read .*absent/],
      ["maildir", ["source", "--mailbox=Sent"], /Expected a mailbox Sent in the source, got none/],
    ] as const
  ) {
    const places = paths.map((path) => path.startsWith("-") ? path : `${here.dir}/${path}`);
    const { code, err } = await here.command("import", kind, ...places, user);
    strictEqual(code, 1);
    match(err, reason);
  }
  const { out, err } = await here.command("account", "list");
  deepStrictEqual([out, err], ["", "No accounts\n"]);
});

Deno.test("imapd import dovecot: says whose UIDs could not be kept", async () => {
  await using here = await place();
  const source = `${here.dir}/source`;
  await makeMaildir(source, 1);
  await makeMaildir(`${source}/.Listed`, 1);
  await makeMaildir(`${source}/.Empty`, 0);
  await Deno.writeTextFile(
    `${source}/.Listed/dovecot-uidlist`,
    "3 V1700000000 N8 G0\n7 :1000.M1P1.host:2,S\n",
  );
  const user = here.server.freshUser();
  const first = await here.command("import", "dovecot", source, user);
  deepStrictEqual([first.code, first.err], [
    0,
    "imapd: UIDs of INBOX could not be kept: It has no dovecot-uidlist\n",
  ]);
  await Deno.writeTextFile(
    `${source}/dovecot-uidlist`,
    "3 V1700000001 N8 G0\n7 :1000.M1P1.host:2,S\n",
  );
  const again = await here.command("import", "dovecot", source, user, "--json");
  strictEqual(again.code, 0);
  deepStrictEqual(JSON.parse(again.out).lostUids, [
    { place: "INBOX", reason: "The mailbox has had other UIDs here" },
  ]);
});

Deno.test("imapd import maildir: takes the INBOX of a tree", async () => {
  await using here = await place();
  await makeMaildir(`${here.dir}/source/INBOX`, 1);
  await makeMaildir(`${here.dir}/source/Lists/2026`, 1);
  const user = here.server.freshUser();
  const { code, out, err } = await here.command(
    "import",
    "maildir",
    `${here.dir}/source`,
    user,
  );
  deepStrictEqual([code, err], [0, ""]);
  match(out, /^Mailboxes 2, new 2,/);
  deepStrictEqual(await inbox(here, user), { all: 1, different: 1 });
});

Deno.test("imapd export mbox, import mbox: lines From, flags, dates and 30 MB come back", async () => {
  await using here = await place();
  const text = [
    "From ann@example.org Tue Mar  3 04:05:06 2020",
    "Subject: one",
    "Status: RO",
    "X-Status: F",
    "X-Keywords: $Label1",
    "",
    ">From here",
    ">>From there",
    "From now on it is no separator",
    "",
    "From bob@example.org Tue Mar  3 04:05:07 2020",
    "Subject: two",
    "Content-Length: 40",
    "",
    "From x@example.org Tue Mar  3 04:05:08 2020".slice(0, 39),
    "",
    "From - Tue Mar  3 04:05:09 2020",
    "Subject: big",
    "",
    `${"x".repeat(75)}\n`.repeat(400_000),
  ].join("\n");
  await Deno.writeTextFile(`${here.dir}/in.mbox`, text);
  const [a, b] = [here.server.freshUser(), here.server.freshUser()];
  const first = await here.command(
    "import",
    "mbox",
    `${here.dir}/in.mbox`,
    a,
    "--mailbox",
    "INBOX",
  );
  match(first.out, /new 3, /);
  const out = await here.command("export", "mbox", a, `${here.dir}/out`);
  deepStrictEqual([out.code, out.err], [0, ""]);
  const second = await here.command("import", "mbox", `${here.dir}/out`, b);
  match(second.out, /new 3, /);
  match(
    (await here.command("import", "mbox", `${here.dir}/out`, b)).out,
    /new 0, known already 3,/,
  );
  strictEqual(await fetched(here, a), await fetched(here, b));
  const told = await fetched(here, b);
  match(told, /Flagged/);
  match(told, /\$Label1/);
  match(told, /3-Mar-2020 04:05:06/i);
});

async function fetched({ server }: Place, user: string): Promise<string> {
  await using client = await ImapClient.login(
    { host: "127.0.0.1", port: server.port },
    user,
    PASSWORD,
  );
  await client.command("EXAMINE INBOX");
  const items = "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[TEXT]<0.2000>)";
  return JSON.stringify((await client.command(`FETCH 1:* ${items}`)).untagged);
}

Deno.test("imapd import imap: goes on over a new connection when the old one is lost", async () => {
  await using here = await place();
  const [from, to] = [here.server.freshUser(), here.server.freshUser()];
  await makeMaildir(`${here.dir}/source`, 300);
  strictEqual((await here.command("import", "maildir", `${here.dir}/source`, from)).code, 0);
  await using proxy = await breakingProxy(here.server.tlsPort, 12_000);
  await Deno.writeTextFile(`${here.dir}/password`, PASSWORD);
  const { code, out, err } = await here.command(
    "import",
    "imap",
    `imaps://${from}@127.0.0.1:${proxy.port}`,
    to,
    "--insecure-tls",
    "--password-file",
    `${here.dir}/password`,
  );
  deepStrictEqual([code, err], [0, ""]);
  match(out, /new 300, known already 0, .* renumbered 0, failed 0/);
  ok(proxy.broken > 0);
  deepStrictEqual(await inbox(here, to), { all: 300, different: 300 });
});

/** Hands connections on to `port`; the first one is cut after so many octets from the server. */
async function breakingProxy(port: number, octets: number) {
  const proxy = { port: 0, broken: 0, [Symbol.asyncDispose]: () => closed(server) };
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    let left = proxy.broken === 0 ? octets : Infinity;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on("data", (bytes) => upstream.write(bytes));
    upstream.on("data", (bytes) => {
      left -= bytes.length;
      if (left >= 0) return void client.write(bytes);
      if (!client.destroyed) proxy.broken++;
      end();
    });
    for (const socket of [client, upstream]) socket.on("close", end).on("error", end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address === "object" && address !== null) proxy.port = address.port;
  return proxy;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
