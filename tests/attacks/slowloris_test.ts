// Clients that send an octet now and then, in each state, to hold their connections for ever.

import assert from "node:assert/strict";
import net from "node:net";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

/** Far less often than a second, which is all that `read` allows, but less than 64 octets in one. */
const EVERY_MS = 300;

/** Sends what `start` and then octets of `more` again and again; the server has to end it. */
async function drip(client: RawConnection, start: string, more: string): Promise<void> {
  await client.send(start);
  for (let i = 0; !client.ended; i++) {
    assert.ok(i < 100, "Expected the server to end the connection: it did not");
    await client.send(more[i % more.length]);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

const HELLO_BEGUN = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/** By the state: how to get there, what to send at once, and what octet by octet. */
const STATES: Record<
  string,
  readonly [connect: (server: TestServer) => Promise<RawConnection>, start: string, more: string]
> = {
  "the TLS handshake": [(server) => RawConnection.plain(server.tlsPort), HELLO_BEGUN, "\x01"],
  "a command line before login": [plain, "a LOG", "x"],
  "a literal before login": [plain, "a LOGIN {4000+}\r\n", "x"],
  "the handshake of STARTTLS": [startTls, HELLO_BEGUN, "\x01"],
  "AUTHENTICATE": [plain, "a AUTHENTICATE PLAIN\r\n", "A"],
  "a command line after login": [loggedIn, "a SELECT ", "x"],
  "a literal after login": [loggedIn, "a SELECT {4000+}\r\n", "x"],
  "a message": [loggedIn, "a APPEND INBOX {4000+}\r\n", "x"],
  "a command line in a mailbox": [selected, "a FETCH 1", ",2"],
  "the end of IDLE": [selected, "a IDLE\r\nD", "x"],
};

async function plain(server: TestServer): Promise<RawConnection> {
  const client = await RawConnection.plain(server.port);
  await client.line();
  return client;
}

async function startTls(server: TestServer): Promise<RawConnection> {
  const client = await plain(server);
  await client.ok("STARTTLS");
  return client;
}

async function loggedIn(server: TestServer): Promise<RawConnection> {
  const client = await plain(server);
  await client.ok(`LOGIN ${server.freshUser()} ${PASSWORD}`);
  return client;
}

async function selected(server: TestServer): Promise<RawConnection> {
  const client = await loggedIn(server);
  await client.ok("SELECT INBOX");
  return client;
}

Deno.test("slowloris: an octet now and then holds no connection, in any state", async () => {
  await using server = await startServer({ imap: 'limits = { read = "1s" }' });
  await Promise.all(
    Object.entries(STATES).map(async ([state, [connect, start, more]]) => {
      await using client = await connect(server);
      await drip(client, start, more).catch((error) => assert.fail(`${state}: ${error.message}`));
    }),
  );
  await using other = await loggedIn(server);
  await other.ok("NOOP");
});

Deno.test("slowloris: who says nothing at all is sent away before login, and is let be in IDLE", async () => {
  await using server = await startServer({ imap: 'limits = { login = "2s", read = "1s" }' });
  await using idle = await selected(server);
  await idle.send("a IDLE\r\n");
  assert.match(await idle.line() ?? "", /^\+/);
  const silent = net.connect({ host: "127.0.0.1", port: server.tlsPort });
  const gone = new Promise((resolve) => silent.once("close", resolve));
  silent.resume();
  await using client = await plain(server);
  assert.match(await client.rest(), /^\* BYE /);
  await gone;
  await idle.send("DONE\r\n");
  assert.match((await idle.until("a")).pop() ?? "", /^a OK /);
});
