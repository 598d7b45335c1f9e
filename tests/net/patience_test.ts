import { match, strictEqual } from "node:assert/strict";
import { patienceLeft } from "../../src/net/patience.ts";
import { ImapClient } from "../client.ts";
import { serving } from "./serving.ts";

const MINUTE = 60_000;

/** Milliseconds until a client is given up, that lets `octets` come each `pause`; Infinity if never. */
function givenUp(octets: number, pause: number): number {
  let patience = MINUTE;
  let passed = 0;
  // A message of 60 MB.
  for (let sent = 0; sent < 60_000_000; sent += octets) {
    if (pause > patience) return passed + patience;
    passed += pause;
    patience = patienceLeft(patience, pause, octets, MINUTE);
  }
  return Infinity;
}

Deno.test("patienceLeft: silence ends it after the limit, a trickle not much later", () => {
  strictEqual(givenUp(1, MINUTE + 1), MINUTE);
  strictEqual(givenUp(1, 50_000) <= MINUTE + 100, true);
  strictEqual(givenUp(1, 1000) <= 62_000, true);
});

Deno.test("patienceLeft: a large message may come over a slow line that pauses", () => {
  strictEqual(givenUp(64, 1000), Infinity);
  strictEqual(givenUp(4096, 59_000), Infinity);
  strictEqual(givenUp(1_000_000, 59_999), Infinity);
});

Deno.test("patienceLeft: is never more than the limit, nor less than nothing", () => {
  strictEqual(patienceLeft(MINUTE, 0, 1 << 30, MINUTE), MINUTE);
  strictEqual(patienceLeft(5, MINUTE, 1, MINUTE), 0);
});

/** What a client sends that took its time over it, and how that is answered. */
const LATE: readonly (readonly [sent: string, answer: RegExp])[] = [
  ["a LOGIN {99999}\r\n", /^a BAD \[TOOBIG\]/],
  [`a NOOP ${"x".repeat(9000)}\r\n`, /^a BAD \[LIMIT\]/],
  ["a AUTHENTICATE PLAIN\r\n", /^\+/],
];

Deno.test("Connection: what comes next has full patience, however late the last line was", async () => {
  const { now } = Date;
  let hours = 0;
  Date.now = () => now() + hours * 60 * MINUTE;
  try {
    await using server = await serving(
      ['listen = ["tcp://127.0.0.1:0"]\ninsecure_auth = true\nlimits = { login = "1d" }'],
      { top: 'tls = "off"' },
    );
    const connect = () => ImapClient.connect({ host: "127.0.0.1", port: server.ports[0] });
    /** By then the server has read what others sent, and ended who had no patience left. */
    const meanwhile = async () => {
      await using other = await connect();
      for (let i = 0; i < 20; i++) match((await other.command("NOOP")).reply, /^OK/);
    };
    for (const [sent, answer] of LATE) {
      await using client = await connect();
      match(await client.response() ?? "", /^\* OK/);
      client.send(sent.slice(0, 1));
      await meanwhile();
      hours++;
      client.send(sent.slice(1));
      match(await client.response() ?? "", answer);
      for (const piece of ["", "b NO"]) {
        client.send(piece);
        await meanwhile();
      }
      client.line("OP");
      match(await client.response() ?? "", /^(a BAD|b OK) /, sent.slice(0, 20));
    }
  } finally {
    Date.now = now;
  }
});
