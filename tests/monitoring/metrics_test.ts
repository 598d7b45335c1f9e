// What /metrics of the running program tells, against what its clients did.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD } from "../harness.ts";
import { parserTest, readExposition, sampleOf } from "../metrics/exposition.ts";
import { RawConnection } from "../raw_connection.ts";
import { until } from "../until.ts";
import { startWatched } from "./serving.ts";

async function metricsOf(url: string) {
  const response = await fetch(`${url}metrics`);
  match(
    response.headers.get("content-type") ?? "",
    /^application\/openmetrics-text; version=1\.0\.0/,
  );
  return await readExposition(await response.text());
}

parserTest(
  "/metrics: tells what clients did, in OpenMetrics that Prometheus' parser reads",
  async () => {
    await using server = await startWatched();
    const user = server.freshUser();
    await using client = await RawConnection.plain(server.port);
    let received = ((await client.line()) ?? "").length + 2;
    let sent = 0;
    const command = async (text: string) => {
      const lines = await client.command(text);
      sent += `${lines.at(-1)?.split(" ")[0]} ${text}\r\n`.length;
      received += lines.reduce((sum, line) => sum + line.length + 2, 0);
    };
    await command(`LOGIN ${user} wrong`);
    await command(`LOGIN ${user} ${PASSWORD}`);
    await command("APPEND INBOX {5+}\r\nA: b\n");
    await command("APPEND INBOX {5+}\r\nA: c\n");
    await command("SELECT INBOX");
    await command("STORE 1:2 +FLAGS (\\Deleted)");
    await command("COPY 1 Archive");
    await command("MOVE 1 Junk");
    await command("EXPUNGE");
    await command("NOOP");
    await command("SELECT Nowhere");
    await command(`X-${"made-up".repeat(9)} a b`);
    await using other = await RawConnection.tls(server.tlsPort);
    received += ((await other.line()) ?? "").length + 2;
    const families = await metricsOf(server.url);
    const value = (name: string, labels = {}) => sampleOf(families, `imapd_${name}`, labels);
    strictEqual(value("octets_total", { direction: "in" }), sent);
    strictEqual(value("octets_total", { direction: "out" }), received);
    strictEqual(value("logins_total", { mechanism: "LOGIN", result: "ok" }), 1);
    strictEqual(value("logins_total", { mechanism: "LOGIN", result: "failed" }), 1);
    strictEqual(value("commands_total", { command: "APPEND", result: "OK" }), 2);
    strictEqual(value("commands_total", { command: "SELECT", result: "NO" }), 1);
    strictEqual(value("commands_total", { command: "unknown", result: "BAD" }), 1);
    strictEqual(value("command_seconds_count", { command: "SELECT" }), 2);
    for (
      const [operation, count, messages] of [
        ["append", 2, 2],
        ["store", 1, 2],
        ["copy", 1, 1],
        ["move", 1, 1],
        ["expunge", 1, 1],
      ] as const
    ) {
      strictEqual(value("store_operations_total", { operation }), count, operation);
      strictEqual(value("store_messages_total", { operation }), messages, operation);
    }
    for (const what of ["file", "folder", "index"]) {
      ok((value("fsync_seconds_count", { what }) ?? 0) >= 2, what);
    }
    // A SELECT that failed has closed the mailbox.
    deepStrictEqual(
      ["preparing", "not-authenticated", "authenticated", "selected"]
        .map((state) => value("connections", { state })),
      [0, 1, 1, 0],
    );
    strictEqual(value("connections_accepted_total"), 2);
    strictEqual(value("accounts_open"), 1);
    strictEqual(value("build_info", { version: "0.1.0" }), 1);
    const end = value("certificate_expiry_seconds", { name: "mail.example.org" }) ?? 0;
    ok(end * 1000 > Date.now());
    ok((sampleOf(families, "process_resident_memory_bytes") ?? 0) > 10e6);
    const started = sampleOf(families, "process_start_time_seconds") ?? 0;
    ok(Math.abs(started - Date.now() / 1000) < 300);
    // Names that a client makes up make no series.
    ok(!JSON.stringify(families).includes("made-up"));
  },
);

parserTest(
  "/metrics: counts deliveries of other programs, and what of them is still unread",
  async () => {
    await using server = await startWatched();
    const user = server.freshUser();
    const address = { host: "127.0.0.1", port: server.port };
    await using client = await ImapClient.login(address, user, PASSWORD);
    await client.command("SELECT INBOX");
    for (let i = 0; i < 3; i++) {
      await Deno.writeTextFile(`${server.maildir(user)}/new/${i}.M1P1.x`, "A: b\n\nc\n");
    }
    await client.command("NOOP");
    await until(async () => {
      const families = await metricsOf(server.url);
      return sampleOf(families, "imapd_store_messages_total", { operation: "adopt" }) === 3 &&
        sampleOf(families, "imapd_mailboxes_open") === 1;
    }, "three messages");
    await client.command("FETCH 1:* (RFC822.SIZE)");
    const families = await metricsOf(server.url);
    strictEqual(sampleOf(families, "imapd_index_lag_messages"), 0);
  },
);
