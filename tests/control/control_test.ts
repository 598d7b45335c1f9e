import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { AdminError } from "../../src/admin/operation.ts";
import { ControlClient } from "../../src/control/client.ts";
import { VERSION } from "../../src/version.ts";
import { imapd } from "../cli/program.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { ImapClient } from "../client.ts";

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
