import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import net from "node:net";
import { ListenError } from "../../src/net/listen_address.ts";
import { ImapClient, type ServerAddress } from "../client.ts";
import { freePort } from "./free_port.ts";
import { PASSWORD, serving, USER } from "./serving.ts";

async function greeting(address: ServerAddress, mode: "plain" | "tls" = "plain"): Promise<string> {
  await using client = await ImapClient.connect(address, mode);
  return await client.response() ?? "";
}

Deno.test("listen: [::] takes IPv4 too, and calls such clients by their IPv4 address", async () => {
  await using server = await serving(['listen = ["tcp://[::]:0"]']);
  const [port] = server.ports;
  match(await greeting({ host: "::1", port }), /^\* OK/);
  await server.logged(/connected .*remote=::1 /);
  match(await greeting({ host: "127.0.0.1", port }), /^\* OK/);
  await server.logged(/connected .*remote=127\.0\.0\.1 /);
});

Deno.test("listen: 0.0.0.0 and [::] can have the same port, each its own endpoint", async () => {
  const port = await freePort();
  await using server = await serving([
    `listen = ["tls://[::]:${port}"]`,
    `listen = ["tcp://0.0.0.0:${port}"]\ninsecure_auth = true`,
  ]);
  match(await greeting({ host: "::1", port }, "tls"), /AUTH=PLAIN/);
  match(await greeting({ host: "127.0.0.1", port }), /STARTTLS.*AUTH=PLAIN/);
  deepStrictEqual(server.ports, [port, port]);
});

Deno.test("listen: a name stands for its addresses", async () => {
  await using server = await serving(['listen = ["tcp://localhost:0"]']);
  for (const address of server.listening) {
    ok(address.kind === "inet" && net.isIP(address.host));
    match(await greeting(address), /^\* OK/);
  }
  ok(server.listening.length > 0);
});

Deno.test("listen: a name without an address, and two names of one, are told", async () => {
  await rejects(
    serving(['listen = ["tcp://does-not-exist.invalid:0"]']),
    new ListenError(
      "imap.listen: cannot open tcp://does-not-exist.invalid:0: " +
        "the name does-not-exist.invalid has no IP address",
    ),
  );
  const port = await freePort();
  await rejects(
    serving([
      `listen = ["tcp://localhost:${port}", "tls://127.0.0.1:${port}", "tls://[::1]:${port}"]`,
    ]),
    /imap\.listen: tls:\/\/.* and tcp:\/\/.* are the same address/,
  );
});

Deno.test("listen: a port that another program has is told, and nothing is left open", async () => {
  const other = net.createServer();
  await new Promise<void>((resolve) => other.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const address = other.address();
  ok(typeof address === "object" && address !== null);
  const first = await freePort();
  await rejects(
    serving([`listen = ["tcp://127.0.0.1:${first}", "tcp://127.0.0.1:${address.port}"]`]),
    new ListenError(
      `imap.listen: cannot open tcp://127.0.0.1:${address.port}: another program listens there`,
    ),
  );
  await new Promise((resolve) => other.close(resolve));
  await rejects(greeting({ host: "127.0.0.1", port: first }));
});

Deno.test("listen: an address that the machine does not have is told", async () => {
  await rejects(
    serving(['listen = ["tcp://192.0.2.1:0"]']),
    new ListenError(
      "imap.listen: cannot open tcp://192.0.2.1:0: this machine has no such address",
    ),
  );
});

Deno.test("listen: over a unix socket passwords are taken without TLS, and the peer is unix", async () => {
  await using server = await serving(['listen = ["unix://imap.sock"]']);
  const path = `${server.dir}/imap.sock`;
  const first = await greeting({ path });
  match(first, /AUTH=PLAIN/);
  ok(!/STARTTLS|LOGINDISABLED/.test(first), first);
  await using client = await ImapClient.login({ path }, USER, PASSWORD);
  match((await client.command("SELECT INBOX")).reply, /^OK/);
  await server.logged(/logged in .*remote=unix secure=true/);
  await server.close();
  await rejects(Deno.lstat(path), Deno.errors.NotFound);
});

Deno.test("listen: a unix socket gets its mode, owner and group before anybody can connect", async () => {
  const group = (await Deno.readTextFile("/etc/group")).split("\n")
    .map((line) => line.split(":"))
    .find(([, , gid]) => Number(gid) === Deno.gid());
  ok(group);
  await using server = await serving([
    'listen = [{ address = "unix://a.sock", mode = "0640", ' +
    `owner = "${Deno.uid()}", group = "${group[0]}" }]`,
  ]);
  const { mode, uid, gid } = await Deno.stat(`${server.dir}/a.sock`);
  deepStrictEqual([(mode ?? 0) & 0o777, uid, gid], [0o640, Deno.uid(), Deno.gid()]);
});

Deno.test("listen: an owner that does not exist is told, and no socket is left", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/a.sock`;
  await rejects(
    serving([`listen = [{ address = "unix://${path}", owner = "nobody-of-that-name" }]`]),
    new ListenError(
      `imap.listen: cannot open unix://${path}: /etc/passwd has no user nobody-of-that-name`,
    ),
  );
  await rejects(Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(dir);
});

Deno.test("listen: a socket that nobody listens on any more is replaced", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/a.sock`;
  const script = `import socket; s = socket.socket(socket.AF_UNIX); s.bind("${path}"); s.listen()`;
  await new Deno.Command("python3", { args: ["-c", script] }).output();
  ok((await Deno.lstat(path)).isSocket);
  await using server = await serving([`listen = ["unix://${path}"]`]);
  match(await greeting({ path }), /^\* OK/);
  await rejects(
    serving([`listen = ["unix://${path}"]`]),
    new ListenError(`imap.listen: cannot open unix://${path}: another program listens there`),
  );
  match(await greeting({ path }), /^\* OK/);
  await server.close();
  await Deno.remove(dir);
});

Deno.test("listen: what is no socket stays, and a folder must be there", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/file`, "mine");
  const fails = (path: string, why: string) =>
    rejects(
      serving([`listen = ["unix://${path}"]`]),
      new ListenError(`imap.listen: cannot open unix://${path}: ${why}`),
    );
  await fails(`${dir}/file`, "there is something else than a socket");
  await fails(`${dir}/none/a`, `there is no folder ${dir}/none`);
  const long = `${dir}/${"x".repeat(100)}`;
  await fails(long, "a unix socket's path has at most 107 octets");
  strictEqual(await Deno.readTextFile(`${dir}/file`), "mine");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("listen: a socket that took the path of another one is left alone at the end", async () => {
  await using server = await serving(['listen = ["unix://a.sock"]']);
  const path = `${server.dir}/a.sock`;
  await Deno.remove(path);
  await using other = await serving([`listen = ["unix://${path}"]`]);
  await server.close();
  match(await greeting({ path }), /^\* OK/);
  ok(other.listening);
});
