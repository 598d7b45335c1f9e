import * as assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { ImapClient } from "../client.ts";
import { DISK_CALLS } from "./disk.ts";
import { tracedProgram, whyNotRecorded } from "./recording.ts";
import { parseTrace } from "./system_calls.ts";
import { notDurable } from "./write_order.ts";

const reason = whyNotRecorded();
const suffix = reason ? ` (skipped: ${reason})` : "";

const MESSAGE = "Subject: test\n\nHello\n";

/** What is done without a server, one after the other. */
const COMMANDS: readonly (readonly [words: readonly string[], input: string])[] = [
  [["user", "add", "ann@example.org"], "secret\n"],
  [["account", "create", "bob@example.org"], ""],
  [["deliver", "--user", "bob@example.org"], MESSAGE],
  [["deliver", "--mailbox", "Lists/new", "--create", "--user", "bob@example.org"], MESSAGE],
  [["backup", "DIR/backups"], ""],
  [["account", "remove", "-y", "bob@example.org"], ""],
  [["user", "remove", "-y", "ann@example.org"], ""],
];

Deno.test({
  name: `imapd user, account, deliver, backup: all is durable when they end${suffix}`,
  ignore: reason !== undefined,
  async fn(context) {
    await using server = await startServer();
    await server.stop();
    const log = await Deno.makeTempFile({ prefix: "imapd-strace-" });
    let before = 0;
    for (const [words, input] of COMMANDS) {
      await context.step(words.join(" "), async () => {
        const [program, ...args] = tracedProgram(log);
        const child = new Deno.Command(program, {
          args: [
            ...args,
            ...words.map((word) => word.replace("DIR", server.dir)),
            "--config",
            `${server.dir}/config.toml`,
          ],
          stdin: "piped",
          stdout: "piped",
          stderr: "piped",
        }).spawn();
        const writer = child.stdin.getWriter();
        await writer.write(new TextEncoder().encode(input));
        await writer.close();
        const { code, stderr } = await child.output();
        assert.equal(code, 0, new TextDecoder().decode(stderr));
        // strace has the other end of standard error, and so has ended, too.
        const calls = parseTrace(await Deno.readTextFile(log), DISK_CALLS);
        const all = calls.length;
        assert.ok(all > before, "something is written");
        before = all;
        assert.deepEqual(notDurable(server.dir, calls), []);
      });
    }
    await Deno.remove(log);
  },
});

Deno.test({
  name: `SETMETADATA of the server and an INBOX made anew are durable before OK${suffix}`,
  ignore: reason !== undefined,
  async fn() {
    const log = await Deno.makeTempFile({ prefix: "imapd-strace-" });
    await using server = await startServer({
      command: tracedProgram(log),
      imap: 'admins = ["u1"]\n',
    });
    const address = { host: "127.0.0.1", port: server.port };
    const user = server.freshUser();
    await using client = await ImapClient.login(address, user, PASSWORD);
    const ok = async (command: string) => {
      assert.match((await client.command(command)).reply, /^OK/);
    };
    await ok('SETMETADATA "" (/shared/comment "one")');
    await ok("SELECT INBOX");
    const folder = `${server.maildir(user)}/cur`;
    await Deno.remove(folder);
    await ok("NOOP");
    assert.ok((await Deno.stat(folder)).isDirectory);
    await client.close();
    await server.stop();
    assert.deepEqual(
      notDurable(server.dir, parseTrace(await Deno.readTextFile(log), DISK_CALLS)),
      [],
    );
    await Deno.remove(log);
  },
});
