import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import net from "node:net";
import type { Socket } from "node:net";
import { memoryLog } from "../../src/log.ts";
import { Libc } from "../../src/net/libc.ts";
import { type ListenAddress, ListenError } from "../../src/net/listen_address.ts";
import type { Acceptor, Arrival } from "../../src/net/listener.ts";
import { Listeners } from "../../src/net/listeners.ts";
import { ImapClient } from "../client.ts";
import { freePort } from "./free_port.ts";
import { serveCommand, startProgram } from "./program.ts";
import { writeConfig } from "./serving.ts";

/** Says its name and what it knows of the connection, and leaves it open. */
class Saying implements Acceptor {
  constructor(readonly name: string) {}
  accept(socket: Socket, { implicitTls }: Arrival): void {
    socket.on("error", () => {});
    socket.write(`${this.name}${implicitTls ? " tls" : ""}\n`);
  }
}

function connect(port: number): Promise<{ socket: Socket; said: string }> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: "127.0.0.1", port });
    socket.once("data", (bytes) => resolve({ socket, said: String(bytes).trim() }));
    socket.once("error", reject);
  });
}

async function says(port: number): Promise<string> {
  const { socket, said } = await connect(port);
  socket.destroy();
  return said;
}

const tcp = (port: number, tls = false, host = "127.0.0.1"): ListenAddress => ({
  kind: "inet",
  tls,
  host,
  port,
});

function fresh() {
  const lines: string[] = [];
  const handover = { names: [] };
  return {
    lines,
    listeners: new Listeners({ log: memoryLog(lines), handover, libc: Libc.open() }),
  };
}

Deno.test("Listeners.apply: opens and closes what differs, and keeps what stays, with its clients", async () => {
  const { listeners, lines } = fresh();
  const [a, b, c] = [await freePort(), await freePort(), await freePort()];
  const first = new Saying("first");
  const second = new Saying("second");
  await listeners.apply([{ address: tcp(a), acceptor: first }, {
    address: tcp(b),
    acceptor: first,
  }]);
  const { socket, said } = await connect(a);
  strictEqual(said, "first");
  const gone = await connect(b);
  await listeners.apply([{ address: tcp(a, true), acceptor: second }, {
    address: tcp(c),
    acceptor: second,
  }]);
  strictEqual(await says(a), "second tls");
  strictEqual(await says(c), "second");
  await rejects(connect(b));
  for (const each of [socket, gone.socket]) ok(!each.destroyed && each.writable);
  deepStrictEqual(lines, [
    `info: listening on tcp://127.0.0.1:${a}`,
    `info: listening on tcp://127.0.0.1:${b}`,
    `info: listening on tcp://127.0.0.1:${c}`,
    `info: no longer listening on tcp://127.0.0.1:${b}`,
  ]);
  await listeners.close();
  await rejects(connect(a));
  for (const each of [socket, gone.socket]) each.destroy();
});

Deno.test("Listeners.apply: leaves everything as it was when an address cannot be had", async () => {
  const { listeners } = fresh();
  const other = net.createServer();
  await new Promise<void>((resolve) => other.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const taken = other.address();
  ok(typeof taken === "object" && taken !== null);
  const [a, b] = [await freePort(), await freePort()];
  const first = new Saying("first");
  const second = new Saying("second");
  await listeners.apply([{ address: tcp(a), acceptor: first }]);
  await rejects(
    listeners.apply([tcp(b), tcp(a, false, "::"), tcp(taken.port)].map((address) => ({
      address,
      acceptor: second,
    }))),
    /another program listens there/,
  );
  strictEqual(await says(a), "first");
  await rejects(connect(b));
  await listeners.close();
  await new Promise((resolve) => other.close(resolve));
});

Deno.test("Listeners.apply: goes from 0.0.0.0 to [::] and back at one port", async () => {
  const { listeners } = fresh();
  const port = await freePort();
  const acceptor = new Saying("here");
  for (const hosts of [["0.0.0.0"], ["::"], ["0.0.0.0", "::"], ["0.0.0.0"]]) {
    await listeners.apply(hosts.map((host) => ({ address: tcp(port, false, host), acceptor })));
    strictEqual(await says(port), "here", hosts.join());
  }
  await listeners.close();
});

Deno.test("Listeners.apply: port 0 stays the port that it became, and the log says so once", async () => {
  const { listeners, lines } = fresh();
  const acceptor = new Saying("here");
  const wanted = [tcp(0), tcp(0, true)].map((address) => ({ address, acceptor }));
  const before = await listeners.apply(wanted);
  deepStrictEqual(await listeners.apply(wanted), before);
  strictEqual(new Set(before.map((each) => each.kind === "inet" && each.port)).size, 2);
  strictEqual(lines.length, 2);
  await listeners.close();
});

Deno.test("Listener: without the C library it has the same addresses, but for v6only", async () => {
  const lines: string[] = [];
  const options = { log: memoryLog(lines), handover: { names: [] }, libc: undefined };
  const listeners = new Listeners(options);
  const dir = await Deno.makeTempDir();
  const path = `${dir}/a.sock`;
  const acceptor = new Saying("here");
  const unix = { kind: "unix", path, mode: 0o600 } as const;
  const port = await freePort();
  await listeners.apply([tcp(port, false, "::"), unix].map((address) => ({ address, acceptor })));
  strictEqual(await says(port), "here");
  strictEqual(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  await listeners.close();
  await rejects(Deno.lstat(path), Deno.errors.NotFound);
  const both = ["0.0.0.0", "::"].map((host) => ({ address: tcp(port, false, host), acceptor }));
  await rejects(
    listeners.apply(both),
    new ListenError(
      `imap.listen: cannot open tcp://[::]:${port}: ` +
        "it needs the C library to leave IPv4 to another address",
    ),
  );
  await rejects(
    listeners.apply([{ address: { ...unix, owner: "nobody-of-that-name" }, acceptor }]),
    /has no user nobody-of-that-name/,
  );
  await rejects(Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(dir);
});

Deno.test("Listener: tells that file descriptors are too few, and accepts again once there are some", async () => {
  const dir = await writeConfig(['listen = ["tcp://127.0.0.1:0", "unix://a.sock"]']);
  const limited = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"];
  await using server = startProgram([...limited, ...serveCommand(`${dir}/c.toml`)]);
  const [, port] = await server.logged(/listening on tcp:\/\/127\.0\.0\.1:(\d+)/);
  await server.logged(/server started/);
  match(server.log(), /^warning: too few open files .*connections=10000 limit=64 needed=30100$/m);
  for (const address of [{ host: "127.0.0.1", port: Number(port) }, { path: `${dir}/a.sock` }]) {
    const clients = await Promise.all(
      Array.from({ length: 80 }, () => ImapClient.connect(address)),
    );
    await server.logged(/error: connections wait and cannot be accepted/);
    // Those that came in leave; the others have waited in the kernel, and are served now.
    for (const client of clients.slice(0, 60)) await client.close();
    for (const client of clients.slice(60)) {
      match(await client.response() ?? "", /^\* OK/);
      await client.close();
    }
    await using late = await ImapClient.connect(address);
    match(await late.response() ?? "", /^\* OK/);
  }
  await server.logged(/connections are accepted again listener=unix/);
  strictEqual(server.log().match(/connections wait/g)?.length, 2, server.log());
  strictEqual(await server.stop(), 0);
  await Deno.remove(dir, { recursive: true });
});
