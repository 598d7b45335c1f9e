// What the log has of the settings that are about it.

import { match, ok } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { startWith } from "../tls/running_server.ts";
import { until } from "../until.ts";
import { FAILED, login } from "./logins.ts";

/** How the faults of a client are told of, by `io_errors`. */
const LEVELS = [["true", "warning"], ["false", "debug"]] as const;

for (const [setting, level] of LEVELS) {
  Deno.test(`io_errors = ${setting}: faults of a connection are told of as ${level}`, async () => {
    await using server = await startServer({ imap: `io_errors = ${setting}\ndebug = true\n` });
    const lost = /^(\w+): connection lost conn=\S+ reason="The client closed/m;
    const failed = /^(\w+): TLS handshake failed conn=\S+ remote=127\.0\.0\.1 error=/m;
    const client = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
    await client.response();
    await client.close();
    await using plain = await RawConnection.plain(server.tlsPort);
    await plain.send("a NOOP\r\n");
    await plain.rest();
    for (const pattern of [lost, failed]) {
      await until(() => pattern.test(server.log()), String(pattern));
      match(server.log(), new RegExp(pattern.source.replace("(\\w+)", level), "m"));
    }
  });
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;

for (const [target, timed] of [["stderr_ts", true], ["stderr", false]] as const) {
  Deno.test(`log = ["${target}"]: lines have ${timed ? "a time" : "no time"} before them`, async () => {
    const dir = await Deno.makeTempDir({ prefix: "imapd-log-" });
    {
      await using server = await startWith(dir, `log = ["${target}"]\ntls = "self_signed"`);
      const [port] = server.ports("tcp");
      ok(await login({ port }, "nobody") === FAILED);
      await server.logged("authentication failed");
      const lines = server.log().split("\n").slice(0, -1);
      for (const line of lines) ok(TIME.test(line) === timed, line);
      const warning = lines.find((line) => line.includes("authentication failed")) ?? "";
      match(
        warning.replace(TIME, ""),
        /^warning: conn=\S+ mechanism=PLAIN authentication failed\t\{/,
      );
    }
    await Deno.remove(dir, { recursive: true });
  });
}
