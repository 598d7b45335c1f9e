import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { rename } from "node:fs/promises";
import { startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { until } from "../until.ts";

/** Changes the config of a server and has it read anew; waits for the outcome. */
async function reload(server: TestServer, change: (text: string) => string): Promise<void> {
  const path = `${server.dir}/config.toml`;
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
  const outcomes = () => server.log().match(/config (?:not loaded|loaded anew)/g)?.length ?? 0;
  const before = outcomes();
  Deno.kill(server.pid, "SIGHUP");
  await until(() => outcomes() > before, "the config was read anew");
}

/** Waits for a line: it comes through a pipe. */
function logged(server: TestServer, pattern: RegExp): Promise<void> {
  return until(() => pattern.test(server.log()), `a line like ${pattern}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function greeted(port: number): Promise<boolean> {
  await using connection = await RawConnection.plain(port);
  return (await connection.line())?.startsWith("* OK") ?? false;
}

Deno.test("SIGHUP: sessions go on with their storage, new ones have the new", async () => {
  await using server = await startServer();
  await using before = await RawConnection.login(server.tlsPort, "u1", "secret");
  await before.ok("CREATE old");
  await reload(server, (text) => text.replace("/mail/{account}", "/other/{account}"));
  await using after = await RawConnection.login(server.tlsPort, "u1", "secret");
  strictEqual((await after.ok('LIST "" old')).length, 0);
  strictEqual((await before.ok('LIST "" old')).length, 1);
  await before.ok("SELECT old");
});

Deno.test("SIGHUP: listeners open and close, and one that stays is not interrupted", async () => {
  await using server = await startServer();
  await using session = await RawConnection.login(server.tlsPort, "u1", "secret");
  const list = (text: string, listen: string) =>
    text.replace(/^listen = .*$/m, `listen = [${listen}]`);
  const free = freePort();
  await reload(
    server,
    (text) => list(text, `"tcp://127.0.0.1:0", "tls://127.0.0.1:0", "tcp://127.0.0.1:${free}"`),
  );
  await session.ok("NOOP");
  strictEqual(await greeted(free), true);
  strictEqual(await greeted(server.port), true);
  await reload(server, (text) => list(text, '"tcp://127.0.0.1:0", "tls://127.0.0.1:0"'));
  await logged(server, new RegExp(`no longer listening on tcp://127\\.0\\.0\\.1:${free}`));
  await rejects(greeted(free));
  strictEqual(await greeted(server.port), true);
  await session.ok("NOOP");
  await (await RawConnection.login(server.tlsPort, "u1", "secret")).close();
});

Deno.test("SIGHUP: a faulty config is refused with all faults, and the old one stays", async () => {
  await using server = await startServer();
  await reload(
    server,
    (text) => text.replace("hostname", "hostnam").replace('"maildir"', '"mbox"'),
  );
  await logged(server, /error: config not loaded, the old one stays: .*:1:1: unknown key hostnam/);
  await logged(server, /the old one stays: .*storage\.local_mailboxes\.module must be "maildir"/);
  await (await RawConnection.login(server.tlsPort, "u1", "secret")).close();
});

Deno.test("SIGHUP: a config that cannot be put into force changes nothing", async () => {
  await using server = await startServer();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  await reload(
    server,
    (text) => text.replace('"tcp://127.0.0.1:0"', `"tcp://127.0.0.1:0", "tcp://127.0.0.1:${port}"`),
  );
  await logged(server, /the old one stays: imap\.listen: cannot open tcp:\/\/127\.0\.0\.1:/);
  strictEqual(await greeted(server.port), true);
});

Deno.test("SIGHUP: who may log in, limits and debug follow the config", async () => {
  await using server = await startServer();
  const users = await Deno.readTextFile(`${server.dir}/users`);
  await Deno.writeTextFile(`${server.dir}/users2`, users.replaceAll(/^u/gm, "v"));
  ok(!server.log().includes("debug: "));
  await reload(
    server,
    (text) =>
      text.replace("/users", "/users2").replace(
        'auth = "&local_authdb"',
        'auth = "&local_authdb"\ndebug = true\nlimits = { bad_before_login = 1 }',
      ),
  );
  await (await RawConnection.login(server.tlsPort, "v1", "secret")).close();
  await using connection = await RawConnection.plain(server.port);
  await connection.line();
  match((await connection.command("LOGIN u1 secret")).at(-1) ?? "", / NO /);
  await connection.command("NONSENSE");
  match(await connection.line() ?? "", /^\* BYE Too many bad commands/);
  await logged(server, /debug: connected /);
});

Deno.test("SIGUSR1: log files are opened anew, SIGHUP: they may be others", async () => {
  await using server = await startServer();
  const name = (file: string) => `${server.dir}/${file}`;
  await reload(
    server,
    (text) => text.replace('log = ["stderr"]', `log = ["stderr", "${name("log")}"]`),
  );
  await until(async () => /loaded anew/.test(await Deno.readTextFile(name("log"))), "a log file");
  await rename(name("log"), name("log.1"));
  Deno.kill(server.pid, "SIGUSR1");
  await until(() => exists(name("log")), "a new log file");
  const before = await Deno.readTextFile(name("log.1"));
  await (await RawConnection.login(server.tlsPort, "u1", "secret")).close();
  await until(async () => /logged in/.test(await Deno.readTextFile(name("log"))), "a line in it");
  strictEqual(await Deno.readTextFile(name("log.1")), before);
});

Deno.test("sd_notify: the service manager hears of each state and is reassured", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-notify-" });
  const manager = Deno.listenDatagram({ transport: "unixpacket", path: `${dir}/socket` });
  const heard: string[] = [];
  const hearing = (async () => {
    for await (const [bytes] of manager) heard.push(new TextDecoder().decode(bytes));
  })();
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const command = ["env", `NOTIFY_SOCKET=${dir}/socket`, "WATCHDOG_USEC=20000"];
  const server = await startServer({ command: [...command, Deno.execPath(), "run", "-A", main] });
  const states = () => heard.flatMap((text) => /^([A-Z]+)=1/.exec(text)?.[1] ?? []);
  const without = () => states().filter((state) => state !== "WATCHDOG");
  await until(() => without().includes("READY") && states().includes("WATCHDOG"), "READY");
  await reload(server, (text) => text);
  await server.stop();
  await until(() => without().includes("STOPPING"), "STOPPING");
  deepStrictEqual(without(), ["READY", "RELOADING", "READY", "STOPPING"]);
  ok(heard.includes("READY=1\nSTATUS=Listening on 2 addresses\n"));
  manager.close();
  await hearing;
  await server[Symbol.asyncDispose]();
  await Deno.remove(dir, { recursive: true });
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("SCRAM: the salt of an unknown user stays the same over a restart", async () => {
  await using server = await startServer({ auth: 'scram = ["SHA-256"]' });
  const salt = async () => {
    await using connection = await RawConnection.tls(server.tlsPort);
    await connection.line();
    await connection.send(`a AUTHENTICATE SCRAM-SHA-256 ${btoa("n,,n=nobody,r=abc")}\r\n`);
    return atob((await connection.line())?.slice(2) ?? "").match(/s=([^,]+)/)?.[1];
  };
  const before = await salt();
  ok(before);
  await server.restart();
  strictEqual(await salt(), before);
});
