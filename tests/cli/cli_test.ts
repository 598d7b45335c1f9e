import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { verifyPassword } from "../../src/auth/hashing.ts";
import { parsePasswordHash } from "../../src/auth/password_hash.ts";
import { VERSION } from "../../src/version.ts";
import { imapd, MAIN } from "./program.ts";

interface Site extends AsyncDisposable {
  readonly dir: string;
  readonly config: string;
}

async function site(change: (config: string) => string = (config) => config): Promise<Site> {
  const dir = await Deno.makeTempDir();
  const config = `${dir}/config.toml`;
  await Deno.writeTextFile(
    config,
    change(`state_dir = "state"
tls = "off"
[[imap]]
listen = ["tcp://127.0.0.1:0"]
auth = "&local_authdb"
storage = { module = "maildir" }
[auth.local_authdb]
module = "pass_table"
table = { module = "file", path = "users" }
`),
  );
  return { dir, config, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

async function filesIn(dir: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(dir), (entry) => entry.name)).sort();
}

Deno.test("imapd --version prints the version", async () => {
  deepStrictEqual(await imapd(["--version"]), { code: 0, out: `imapd ${VERSION}\n`, err: "" });
});

Deno.test("imapd --help and help name every command", async () => {
  const { code, out, err } = await imapd(["--help"]);
  deepStrictEqual([code, err], [0, ""]);
  for (
    const line of [
      "imapd [--config FILE] [--version]",
      "imapd check [--config FILE]",
      "imapd hash [--hash ALGORITHM]",
      "imapd user add [--config FILE] [--auth NAME] [--hash ALGORITHM] [--no-account] NAME",
    ]
  ) {
    ok(out.includes(line), `${line} in ${out}`);
  }
  strictEqual((await imapd(["help"])).out, out);
});

for (const command of ["check", "hash", "user add", "user passwd", "user remove", "user list"]) {
  Deno.test(`imapd ${command} --help and help ${command} tell of it`, async () => {
    const { code, out } = await imapd([...command.split(" "), "--help"]);
    strictEqual(code, 0);
    match(out, new RegExp(`Usage: imapd ${command} `));
    strictEqual((await imapd(["help", ...command.split(" ")])).out, out);
  });
}

const MISUSE: readonly [string[], string][] = [
  [["serve"], "Unknown command serve"],
  [["chek"], "Unknown command chek, did you mean check?"],
  [["help", "chek"], "Unknown command chek, did you mean check?"],
  [["--confg", "x"], "Unknown option --confg, did you mean --config?"],
  [["--config"], "Expected a FILE after --config, got none"],
  [["--config="], "Expected a FILE after --config, got none"],
  [["--version=1"], "Expected no value for --version, got 1"],
  [["check", "--config", "x", "y"], "Expected no operand, got y"],
  [["user"], "Expected add, passwd, remove, list, disable, enable after user, got none"],
  [["user", "ad", "x"], "Expected add, passwd, remove, list, disable, enable after user, got ad"],
  [["user", "add", "--config", "x"], "Expected NAME, got none"],
  [["user", "add", "--config", "x", "a", "b"], "Expected NAME, got a b"],
  [["hash", "--hash", "md5"], "Expected argon2, bcrypt or scram-sha-256 for --hash, got md5"],
];

Deno.test("imapd tells what was wrong with its arguments and exits with 2", async () => {
  for (const [args, message] of MISUSE) {
    deepStrictEqual(await imapd(args), {
      code: 2,
      out: "",
      err: `imapd: ${message}\nTry imapd --help\n`,
    }, args.join(" "));
  }
});

Deno.test("imapd check finds no faults, opens nothing and makes nothing", async () => {
  await using at = await site();
  const { code, out, err } = await imapd(["check", "--config", at.config]);
  deepStrictEqual([code, out], [0, `${at.config}: no faults\n`]);
  strictEqual(
    err,
    `warning: ${at.config}:3:3: TLS is off: passwords and mail travel in the clear\n`,
  );
  deepStrictEqual(await filesIn(at.dir), ["config.toml"]);
});

Deno.test("imapd and imapd check tell all faults and exit with 2", async () => {
  await using at = await site((config) => config.replace("listen", "lisen").replace("&l", "&L"));
  const faults = [
    "3:3: imap.listen is missing: it must be a list of at least 1, each " +
    '"tcp://HOST:PORT", "tls://HOST:PORT", "unix://PATH", "fd://NAME" or "fd+tls://NAME", ' +
    "or a table with such an address",
    "4:1: unknown key lisen, did you mean listen?",
    "5:8: imap.auth refers to [auth.Local_authdb], which does not exist, did you mean local_authdb?",
    '7:7: [auth.local_authdb] is not used: refer to it by "&local_authdb", or remove it',
  ];
  const err = faults.map((fault) => `${at.config}:${fault}\n`).join("");
  deepStrictEqual(await imapd(["check", "--config", at.config]), { code: 2, out: "", err });
  deepStrictEqual(await imapd(["--config", at.config]), { code: 2, out: "", err });
  deepStrictEqual(await filesIn(at.dir), ["config.toml"]);
});

Deno.test("imapd exits with 2 when there is no config", async () => {
  deepStrictEqual(await imapd(["--config", "/nonexistent/c.toml"]), {
    code: 2,
    out: "",
    err: "/nonexistent/c.toml: there is no such file\n",
  });
});

Deno.test("imapd hash prints what a table takes", async () => {
  for (
    const [algorithm, prefix] of [
      ["argon2", "argon2:2:19456:1:"],
      ["bcrypt", "bcrypt:$2b$12$"],
      ["scram-sha-256", "{SCRAM-SHA-256}15000,"],
    ]
  ) {
    const { code, out, err } = await imapd(["hash", "--hash", algorithm], "pass wörd \n");
    deepStrictEqual([code, err], [0, ""]);
    ok(out.startsWith(prefix), out);
    const hash = parsePasswordHash(out.trim());
    strictEqual(hash && await verifyPassword(hash, "pass wörd "), true);
  }
});

Deno.test("imapd hash refuses what no client could send, and what bcrypt would cut short", async () => {
  for (
    const [args, input, message] of [
      [[], "", "Expected a password, got an empty one"],
      [[], "\n", "Expected a password, got an empty one"],
      [[], "a\0b\n", "Expected a password without NUL, got one"],
      [[], Uint8Array.of(0x61, 0xe4, 0x0a), "Expected a password in UTF-8, got other octets"],
      [[], "a\nb\n", "Expected one line with the password, got 2 lines"],
      [["--hash", "bcrypt"], "x".repeat(73), "Expected at most 72 octets for bcrypt, got 73"],
    ] satisfies [string[], string | Uint8Array, string][]
  ) {
    const { code, out, err } = await imapd(["hash", ...args], input);
    deepStrictEqual([code, out, err], [2, "", `imapd: ${message}\nTry imapd --help\n`]);
  }
});

Deno.test("imapd user keeps the users of the config's table", async () => {
  await using at = await site();
  const user = async (args: readonly string[], input = "") => {
    const { code, out, err } = await imapd(["user", ...args, "--config", at.config], input);
    const lines = err.split("\n").filter((line) => !line.startsWith("warning: table is missing"));
    return [code, out, lines.join("\n")];
  };
  const table = () => Deno.readTextFile(`${at.dir}/users`);
  deepStrictEqual(await user(["list"]), [0, "", "No users\n"]);
  deepStrictEqual(await user(["add", "bob", "--no-account"], "one\n"), [
    0,
    "Added user bob\n",
    "",
  ]);
  deepStrictEqual(await user(["add", "ann@example.org", "--hash", "bcrypt"], "two\n"), [
    0,
    "Added user ann@example.org\nMade account ann@example.org\n",
    "",
  ]);
  deepStrictEqual(await user(["list"]), [
    0,
    "USER             SCHEME  ACCOUNT       STATE\n" +
    "ann@example.org  bcrypt  yes           enabled\n" +
    "bob              argon2  not made yet  enabled\n",
    "",
  ]);
  deepStrictEqual(await user(["add", "bob"], "x\n"), [1, "", "User bob exists already\n"]);
  const before = await table();
  match(before, /^bob: argon2:\S+\nann@example\.org: bcrypt:\S+\n$/);

  deepStrictEqual(await user(["passwd", "bob"], "three\n"), [
    0,
    "Changed the password of user bob\n",
    "",
  ]);
  const value = (await table()).split("\n")[0].slice("bob: ".length);
  const hash = parsePasswordHash(value);
  strictEqual(hash && await verifyPassword(hash, "three"), true);
  deepStrictEqual(await user(["passwd", "carl"], "x\n"), [1, "", "imapd: There is no user carl\n"]);

  deepStrictEqual(await user(["remove", "bob"]), [
    2,
    "",
    "imapd: Remove user bob? Expected -y to say yes, got no terminal to ask on\nTry imapd --help\n",
  ]);
  deepStrictEqual(await user(["remove", "bob", "-y"]), [
    0,
    "Removed user bob; the mail is kept\n",
    "",
  ]);
  deepStrictEqual(await user(["remove", "bob", "-y"]), [1, "", "imapd: There is no user bob\n"]);
  strictEqual(await table(), before.split("\n").slice(1).join("\n"));
  strictEqual(((await Deno.stat(`${at.dir}/users`)).mode ?? 0) & 0o777, 0o600);
});

Deno.test("imapd user add refuses names that no account can have", async () => {
  await using at = await site();
  for (const name of ["", "..", "a/b", ".a", "a:b", "#a", " a", "a\nb"]) {
    const { code, out, err } = await imapd(["user", "add", "--config", at.config, "--", name], "x");
    deepStrictEqual([code, out], [2, ""]);
    match(err, /^imapd: Expected a user name, got one that /);
  }
  deepStrictEqual(await filesIn(at.dir), ["config.toml"]);
});

Deno.test("imapd user add gives a name the form in which clients' names are looked up", async () => {
  await using at = await site();
  const add = (name: string) => imapd(["user", "add", name, "--config", at.config], "x");
  strictEqual(
    (await add("Ann@Example.ORG")).out,
    "Added user ann@example.org\nMade account ann@example.org\n",
  );
  strictEqual((await add("ANN@example.org")).err, "User ann@example.org exists already\n");
  const { code, err } = await add("a b");
  strictEqual(code, 2);
  match(err, /^imapd: Expected a user name, got a b, by which nobody could log in\n/);
});

Deno.test("imapd user finds a user by any way to write the name", async () => {
  await using at = await site();
  await Deno.writeTextFile(`${at.dir}/users`, "ann: x\nAnn: y\nbob: z\n");
  const user = async (command: string, name: string, ...options: string[]) =>
    (await imapd(["user", command, name, ...options, "--config", at.config], "x")).out;
  strictEqual(await user("passwd", "BOB"), "Changed the password of user bob\n");
  // What stands in the table comes first, so that what nobody can log in with can be removed.
  strictEqual(await user("remove", "Ann", "-y"), "Removed user Ann; the mail is kept\n");
  strictEqual(await user("remove", "Ann", "-y"), "Removed user ann; the mail is kept\n");
  strictEqual(await user("remove", "Ann", "-y"), "");
});

Deno.test("imapd user changes the users of a database", async () => {
  await using at = await site((config) =>
    config.replace(
      '{ module = "file", path = "users" }',
      '{ module = "sql_table", driver = "sqlite", dsn = "users.sqlite", table_name = "users" }',
    )
  );
  const user = async (command: string, ...rest: string[]) =>
    (await imapd(["user", command, ...rest, "--config", at.config], "x")).out;
  strictEqual(await user("add", "ann", "--no-account"), "Added user ann\n");
  strictEqual(await user("add", "bob"), "Added user bob\nMade account bob\n");
  strictEqual(await user("disable", "ann"), "Disabled user ann\n");
  strictEqual(
    await user("passwd", "ann"),
    "Changed the password of user ann, who stays disabled\n",
  );
  strictEqual(
    await user("remove", "bob", "-y", "--with-mail"),
    "Removed user bob\nRemoved account bob\n",
  );
  match(await user("list"), /\nann +argon2 +not made yet +disabled\n$/);
});

Deno.test("imapd user says which tables it cannot change", async () => {
  await using at = await site((config) =>
    config.replace('{ module = "file", path = "users" }', '"identity"')
  );
  const { code, err } = await imapd(["user", "list", "--config", at.config]);
  strictEqual(code, 2);
  match(err, /Expected users in a table that can be changed, got one of the module identity\n/);
});

Deno.test("imapd user --auth chooses the block", async () => {
  await using at = await site((config) =>
    `${config}[[imap]]\nlisten = ["tcp://127.0.0.1:0"]\nauth = "&other"\n` +
    `storage = { module = "maildir" }\n[auth.other]\nmodule = "pass_table"\n` +
    `table = { module = "file", path = "others" }\n`
  );
  const args = ["--config", at.config, "--auth"];
  strictEqual((await imapd(["user", "add", "ann", "--no-account", ...args, "other"], "x")).code, 0);
  deepStrictEqual(await filesIn(at.dir), ["config.toml", "others"]);
  const { code, err } = await imapd(["user", "list", ...args, "none"]);
  strictEqual(code, 2);
  ok(
    err.includes(
      "Expected a pass_table block of the config for --auth (local_authdb, other), got none",
    ),
    err,
  );
});

/** Starts the server and gives its log once `pattern` is in it. */
async function serve(config: string, pattern: RegExp) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "--config", config],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const readUntil = async (wanted: RegExp | undefined) => {
    while (wanted === undefined || !wanted.test(log)) {
      const { value, done } = await reader.read();
      if (done) break;
      log += value;
    }
    return log;
  };
  await readUntil(pattern);
  return { child, readUntil };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`imapd stops at ${signal}, says BYE, and exits with 0`, async () => {
    await using at = await site();
    const { child, readUntil } = await serve(at.config, /server started/);
    const port = Number((await readUntil(/listening/)).match(/listening on tcp:\S+:(\d+)/)?.[1]);
    using connection = await Deno.connect({ port });
    const input = connection.readable.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("\n")) text += (await input.read()).value;
    child.kill(signal);
    for (;;) {
      const { value, done } = await input.read();
      if (done) break;
      text += value;
    }
    match(text, /^\* BYE /m);
    const log = await readUntil(undefined);
    strictEqual((await child.status).code, 0);
    ok(log.endsWith("stopped\n"), log);
  });
}

Deno.test("imapd serves one account at two endpoints, each connection with an id of its own", async () => {
  await using at = await site((config) =>
    config.replace("[[imap]]", "debug = true\n[[imap]]").replace(
      "[auth.",
      '[[imap]]\nlisten = ["tcp://127.0.0.1:0"]\nauth = "&local_authdb"\n' +
        'storage = "&other"\n[storage.other]\nmodule = "maildir"\n[auth.',
    )
  );
  strictEqual((await imapd(["user", "add", "ann", "--config", at.config], "x")).code, 0);
  const { child, readUntil } = await serve(at.config, /server started/);
  const ports = [...(await readUntil(/server started/)).matchAll(/listening on \S+:(\d+)/g)];
  strictEqual(ports.length, 2);
  const connections: Deno.Conn[] = [];
  for (const [, port] of ports) {
    const connection = await Deno.connect({ port: Number(port) });
    connections.push(connection);
    await connection.write(new TextEncoder().encode("a LOGIN ann x\r\nb SELECT INBOX\r\n"));
    let text = "";
    const octets = new Uint8Array(4096);
    while (!/^b /m.test(text)) {
      const count = await connection.read(octets);
      if (count === null) break;
      text += new TextDecoder().decode(octets.subarray(0, count));
    }
    match(text, /^b OK /m);
  }
  for (const connection of connections) connection.close();
  child.kill("SIGTERM");
  const log = await readUntil(undefined);
  strictEqual((await child.status).code, 0);
  const ids = [...log.matchAll(/ connected conn=(\S+)/g)].map(([, id]) => id);
  deepStrictEqual(ids, ["1", "2"], log);
});

Deno.test("imapd exits with 1 and one line when a port is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await using at = await site((config) => config.replace(":0", `:${port}`));
  const { code, out, err } = await imapd(["--config", at.config]);
  deepStrictEqual([code, out], [1, ""]);
  const lines = err.split("\n").filter((line) => !/^warning: |^$/.test(line));
  strictEqual(lines.length, 1, err);
  strictEqual(
    lines[0],
    `error: cannot start error="imap.listen: cannot open tcp://127.0.0.1:${port}: ` +
      'another program listens there"',
  );
});

Deno.test("imapd exits with 1 when the state folder cannot be made", async () => {
  await using at = await site((config) => config.replace('"state"', '"config.toml/state"'));
  const { code, err } = await imapd(["--config", at.config]);
  strictEqual(code, 1);
  ok(err.includes(`"state_dir: cannot make the folder ${at.config}/state: `), err);
});

Deno.test("imapd exits with 1 when the table of users is broken", async () => {
  await using at = await site();
  await Deno.writeTextFile(`${at.dir}/users`, ": nonsense\n");
  const { code, err } = await imapd(["--config", at.config]);
  strictEqual(code, 1);
  ok(err.includes(`${at.dir}/users:1: Expected a name before the colon, got none`), err);
});

Deno.test("imapd exits with 1 when a log cannot be opened", async () => {
  await using at = await site((config) => `log = ["/nonexistent/log"]\n${config}`);
  const { code, err } = await imapd(["--config", at.config]);
  strictEqual(code, 1);
  match(err, /^imapd: log: cannot open "\/nonexistent\/log": /);
});

Deno.test("imapd ends quietly when nobody reads its output any more", async () => {
  const { stderr } = await new Deno.Command("sh", {
    args: ["-c", '"$0" run -A "$1" --help | true', Deno.execPath(), MAIN],
    env: { NO_COLOR: "1" },
  }).output();
  strictEqual(new TextDecoder().decode(stderr), "");
});
