import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { NO_IMAP_METER } from "../../src/imap/meter.ts";
import { Buffers } from "../../src/net/buffers.ts";
import { SocketOutput } from "../../src/net/output.ts";

/** An output of ann's, and all that comes out of it until it is closed. */
async function outputTo(
  use: (out: SocketOutput) => Promise<void> | void,
  syncing: () => Promise<void> | undefined = () => undefined,
  buffers = new Buffers(1 << 20, 0),
): Promise<string> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  let text = "";
  client.on("data", (bytes) => text += bytes.toString("latin1"));
  const ended = once(client, "close");
  const [socket] = await accepted as [Socket];
  await use(
    new SocketOutput(socket, 10_000, NO_IMAP_METER, syncing, buffers, () => "ann"),
  );
  socket.end();
  await ended;
  server.close();
  return text;
}

Deno.test("SocketOutput.flush: counts what is not taken yet as its owner's", async () => {
  // More than a socket takes at once.
  const size = 1 << 20;
  const buffers = new Buffers(4 * size, 0);
  await outputTo(
    async (out) => {
      out.bytes(new Uint8Array(size));
      const flushed = out.flush();
      assert.equal(buffers.take("ann", 1), false);
      assert.equal(buffers.take("bob", 1), true);
      await flushed;
      buffers.give("bob", 1);
      assert.equal(buffers.take("ann", size), true);
    },
    undefined,
    buffers,
  );
});

Deno.test("SocketOutput.interject: comes after what was said before", async () => {
  const text = await outputTo(async (out) => {
    out.text("* 1 EXISTS\r\n");
    out.interject("* OK Still working\r\n");
    out.text("a OK\r\n");
    await out.flush();
  });
  assert.equal(text, "* 1 EXISTS\r\n* OK Still working\r\na OK\r\n");
});

Deno.test("SocketOutput.interject: says nothing in the middle of a response", async () => {
  const text = await outputTo(async (out) => {
    out.text("* 1 FETCH (");
    out.interject("1");
    out.text("BODY[] {2}\r\n");
    out.bytes(new TextEncoder().encode("\r\n"));
    out.interject("2");
    out.midway = true;
    await out.flush();
    out.interject("3");
    out.midway = false;
    out.text(")\r\n");
    await out.flush();
    out.text("* SEARCH");
    await out.flush();
    out.interject("4");
    out.text(" 1\r\n");
    await out.flush();
  });
  assert.equal(text, "* 1 FETCH (BODY[] {2}\r\n\r\n)\r\n* SEARCH 1\r\n");
});

Deno.test("SocketOutput.text: long texts arrive octet by octet, whatever is in them", async () => {
  const lines = [
    "* 1 FETCH (FLAGS ())\r\n".repeat(4000),
    `* 2 FETCH (BODY[] "${"caf\xe9 \x80\xff ".repeat(20_000)}")\r\n`,
    "\x00".repeat(70_000) + "\r\n",
  ];
  const text = await outputTo(async (out) => {
    for (const line of lines) out.text(line);
    out.bytes(Uint8Array.of(0xe9, 0x0a));
    out.interject("never");
    await out.flush();
    out.text(lines[1]);
    out.interject("* OK Still working\r\n");
    await out.flush();
  });
  assert.ok(text === `${lines.join("")}\xe9\n${lines[1]}* OK Still working\r\n`);
});

Deno.test("SocketOutput.flush: tells nothing that is not durable, and nothing in between", async () => {
  const sync = Promise.withResolvers<void>();
  const text = await outputTo(async (out) => {
    out.text("* 1 EXISTS\r\n");
    const flushed = out.flush();
    out.interject("* OK Still working\r\n");
    assert.equal(out.written, 0);
    sync.resolve();
    await flushed;
  }, () => sync.promise);
  assert.equal(text, "* 1 EXISTS\r\n");
});

Deno.test("SocketOutput.flush: ends the connection where changes cannot be made durable", async () => {
  const text = await outputTo(async (out) => {
    out.text("* 1 EXISTS\r\n");
    await assert.rejects(out.flush(), /cannot make changes durable/);
  }, () => Promise.reject(new Error("EIO")));
  assert.equal(text, "* BYE [UNAVAILABLE] The mail store cannot make changes durable\r\n");
});
