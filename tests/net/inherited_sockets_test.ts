import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { descriptorsOf, readHandover } from "../../src/net/inherited_sockets.ts";
import { ListenError } from "../../src/net/listen_address.ts";
import { ImapClient } from "../client.ts";
import { clientTest } from "../clients/programs.ts";
import { freePort } from "./free_port.ts";
import { type Program, serveCommand, startProgram } from "./program.ts";
import { PASSWORD, USER, writeConfig } from "./serving.ts";

const fd = (name: string | number) => ({ kind: "fd", tls: false, name }) as const;

Deno.test("readHandover() reads what a service manager says, and only for this process", () => {
  const read = (variables: Record<string, string>) => readHandover((name) => variables[name], 7);
  const all = { LISTEN_PID: "7", LISTEN_FDS: "3", LISTEN_FDNAMES: "imap:imaps:imap" };
  deepStrictEqual(read(all).names, ["imap", "imaps", "imap"]);
  deepStrictEqual(read({ ...all, LISTEN_FDNAMES: "imap" }).names, ["imap", "", ""]);
  deepStrictEqual(read({ LISTEN_PID: "7", LISTEN_FDS: "1" }).names, [""]);
  deepStrictEqual(read({ ...all, LISTEN_PID: "8" }).names, []);
  deepStrictEqual(read({ ...all, LISTEN_FDS: "x" }).names, []);
  deepStrictEqual(read({}).names, []);
});

Deno.test("descriptorsOf() finds all of a name, and takes a number as it is", () => {
  const handover = { names: ["imap", "imaps", "", "imap"] };
  deepStrictEqual(descriptorsOf(fd("imap"), handover), [3, 6]);
  deepStrictEqual(descriptorsOf(fd("imaps"), handover), [4]);
  deepStrictEqual(descriptorsOf(fd(9), { names: [] }), [9]);
  throws(
    () => descriptorsOf(fd("pop3"), handover),
    new ListenError(
      "imap.listen: cannot open fd://pop3: " +
        "no socket of that name was handed over, but imap, imaps",
    ),
  );
  throws(
    () => descriptorsOf(fd("imap"), { names: [] }),
    new ListenError(
      "imap.listen: cannot open fd://imap: " +
        "no socket was handed over: LISTEN_FDS and LISTEN_PID do not say so",
    ),
  );
});

/** The server, started by systemd's own program with the first connection. */
function activated(config: string, options: readonly string[]): Program {
  const dir = Deno.env.has("DENO_DIR") ? ["-E", "DENO_DIR"] : [];
  return startProgram(["systemd-socket-activate", ...dir, ...options, ...serveCommand(config)]);
}

clientTest(["systemd-socket-activate"], "listen: fd:// takes sockets from systemd", async () => {
  const dir = await writeConfig(['listen = ["fd://imap", "fd+tls://imaps", "fd://local"]']);
  const [port, tlsPort] = [await freePort(), await freePort()];
  await using server = activated(`${dir}/c.toml`, [
    ...["-l", `127.0.0.1:${port}`, "-l", `[::1]:${tlsPort}`, "-l", `${dir}/local`],
    ...["-l", `[::1]:${port}`, "--fdname", "imap:imaps:local:imap"],
  ]);
  await server.logged(/Listening on .*local as/);
  await using plain = await ImapClient.connect({ host: "127.0.0.1", port });
  match(await plain.response() ?? "", /STARTTLS.*LOGINDISABLED/);
  await using other = await ImapClient.connect({ host: "::1", port });
  match(await other.response() ?? "", /STARTTLS.*LOGINDISABLED/);
  await using secure = await ImapClient.login(
    { host: "::1", port: tlsPort },
    USER,
    PASSWORD,
    "tls",
  );
  match((await secure.command("SELECT INBOX")).reply, /^OK/);
  await using local = await ImapClient.login({ path: `${dir}/local` }, USER, PASSWORD);
  match((await local.command("SELECT INBOX")).reply, /^OK/);
  const log = server.log();
  match(log, new RegExp(`listening on fd://imap \\(127\\.0\\.0\\.1:${port}\\)`));
  match(log, new RegExp(`listening on fd\\+tls://imaps \\(\\[::1\\]:${tlsPort}\\)`));
  match(log, /listening on fd:\/\/local \(unix\)/);
  strictEqual(await server.stop(), 0);
  // It belongs to the service manager.
  strictEqual((await Deno.lstat(`${dir}/local`)).isSocket, true);
  await Deno.remove(dir, { recursive: true });
});

clientTest(["systemd-socket-activate"], "listen: fd:// of a number", async () => {
  const dir = await writeConfig(['listen = ["fd://3"]']);
  const port = await freePort();
  await using server = activated(`${dir}/c.toml`, ["-l", String(port)]);
  await server.logged(/Listening on/);
  await using client = await ImapClient.connect({ host: "127.0.0.1", port });
  match(await client.response() ?? "", /^\* OK/);
  await server.stop();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("listen: a descriptor that is no listening socket is told", async () => {
  const dir = await writeConfig(['listen = ["fd://77"]']);
  await using server = startProgram(serveCommand(`${dir}/c.toml`));
  await server.logged(
    /imap\.listen: cannot open fd:\/\/77: descriptor 77 is no stream socket that listens/,
  );
  strictEqual(await server.stop(), 1);
  await Deno.remove(dir, { recursive: true });
});
