import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { createServer } from "node:net";
import { LocalAdmin } from "../../src/admin/local.ts";
import { type AdminContext, AdminError } from "../../src/admin/operation.ts";
import { ControlClient } from "../../src/control/client.ts";
import { ControlServer } from "../../src/control/server.ts";
import { VERSION } from "../../src/version.ts";
import { imapd } from "../cli/program.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { ImapClient } from "../client.ts";
import { silentLog } from "../store/maildir_fixture.ts";

/** Runs a command on the server's config. */
function command(server: TestServer, ...args: string[]) {
  return imapd([...args, "--config", `${server.dir}/config.toml`]);
}

Deno.test("imapd mailbox list: asks the running server, and reads the mail itself without one", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  {
    await using client = await ImapClient.login(
      { host: "127.0.0.1", port: server.port },
      user,
      PASSWORD,
    );
    await client.append("INBOX", "Subject: a\r\n\r\nb\r\n");
    await client.command("CREATE Täst");
  }
  const running = await command(server, "mailbox", "list", user);
  deepStrictEqual([running.code, running.err], [0, ""]);
  match(running.out, /^MAILBOX +MESSAGES +UNSEEN +OCTETS +USE +SUBSCRIBED\nINBOX +1 +1 +17 +yes\n/);
  await server.stop();
  deepStrictEqual(await command(server, "mailbox", "list", user), running);
});

Deno.test("imapd sessions: needs a server", async () => {
  await using server = await startServer();
  await server.stop();
  deepStrictEqual(await command(server, "sessions"), {
    code: 1,
    out: "",
    err: "imapd: No server is running\n",
  });
});

Deno.test("the control socket is the server's user's alone", async () => {
  await using server = await startServer();
  const { mode } = await Deno.stat(`${server.dir}/control.sock`);
  strictEqual((mode ?? 0) & 0o777, 0o600);
});

Deno.test("ControlClient: is refused by a server of another version, or with other mail", async () => {
  await using server = await startServer();
  const path = `${server.dir}/control.sock`;
  for (
    const [identity, message] of [
      [{ version: "0.0.1", stateDir: server.dir }, /version .* restart the server/],
      [{ version: VERSION, stateDir: "/elsewhere" }, /state_dir .*--config/],
    ] as const
  ) {
    const client = await ControlClient.open(path, identity);
    await rejects(
      Array.fromAsync(client?.call("sessions", {}) ?? []),
      (error) => error instanceof AdminError && message.test(error.message),
    );
  }
});

Deno.test("ControlServer.close: ends an examination that goes on and on", async () => {
  const stateDir = await Deno.makeTempDir({ prefix: "imapd-control-" });
  const begun = Promise.withResolvers<void>();
  const context = {
    storage: () => ({ accounts: () => ["ann"] }),
    examineServer: () => [],
    async *examineAccount(_: string, __: object, ___: string | undefined, gone: AbortSignal) {
      const ended = Promise.withResolvers<void>();
      gone.addEventListener("abort", () => ended.reject(gone.reason));
      begun.resolve();
      yield await ended.promise;
    },
  } as unknown as AdminContext;
  const server = new ControlServer({
    admin: () => new LocalAdmin(context, () => Promise.resolve()),
    version: VERSION,
    stateDir,
    log: silentLog(),
  });
  const listener = createServer((socket) => server.accept(socket));
  const path = `${stateDir}/control.sock`;
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  const client = await ControlClient.open(path, { version: VERSION, stateDir });
  const asked = Array.fromAsync(client?.call("doctor", { accounts: [] }) ?? []);
  const refused = rejects(asked, /control connection/);
  await begun.promise;
  await server.close();
  await refused;
  await new Promise((resolve) => listener.close(resolve));
  await Deno.remove(stateDir, { recursive: true });
});
