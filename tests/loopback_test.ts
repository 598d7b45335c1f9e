import * as assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Loopback } from "../src/loopback.ts";

/** Another program, as sockets of this one would be looked at together. */
const SENDER = `
const to = await Deno.connect({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
await to.read(new Uint8Array(1));
await to.write(new Uint8Array(1));
await to.read(new Uint8Array(1));
to.close();
`;

Deno.test("Loopback.turn() has the event loop look at other sockets", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(script, SENDER);
  const sender = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, String((server.address() as AddressInfo).port)],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const [socket]: Socket[] = await once(server, "connection");
  const loopback = new Loopback();
  await loopback.turn();
  let came = false;
  socket.once("data", () => came = true);
  socket.write(new Uint8Array(1));
  // The octet is there when the work is done, so a look finds it.
  const written = performance.now() + 500;
  while (performance.now() < written);
  let turns = 0;
  for (; !came; turns++) await loopback.turn();
  assert.ok(turns <= 3, `${turns} turns`);
  socket.end(new Uint8Array(1));
  await sender.status;
  await once(server.close(), "close");
  await Deno.remove(script);
});

Deno.test("Loopback.turn() settles for all who wait at once", async () => {
  const loopback = new Loopback();
  await Promise.all(Array.from({ length: 100 }, () => loopback.turn()));
  await Promise.all(Array.from({ length: 100 }, () => loopback.turn()));
});

Deno.test("Loopback.turn() looks at sockets between those who wait and have much to do", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket]: Socket[] = await once(server, "connection");
  const loopback = new Loopback();
  await loopback.turn();
  let came = -1;
  let begun = 0;
  socket.once("data", () => came = begun);
  const work = async () => {
    await loopback.turn();
    if (begun++ === 0) client.write(new Uint8Array(1));
    const end = performance.now() + 10;
    while (performance.now() < end);
  };
  await Promise.all(Array.from({ length: 20 }, work));
  assert.ok(came > 0 && came < 10, `it came after ${came}`);
  client.destroy();
  await once(server.close(), "close");
});

Deno.test("Loopback.turn() goes round the owners, however often one of them waits", async () => {
  const loopback = new Loopback();
  const turns: string[] = [];
  const work = async (owner: string, times: number) => {
    for (let i = 0; i < times; i++) {
      await loopback.turn(owner);
      turns.push(owner);
      // So much that there is a look before the next one.
      const end = performance.now() + 10;
      while (performance.now() < end);
    }
  };
  await Promise.all([...Array.from({ length: 10 }, () => work("ann", 2)), work("bob", 5)]);
  assert.deepEqual(turns, [...Array(5).fill(["ann", "bob"]).flat(), ...Array(15).fill("ann")]);
});

Deno.test("Loopback.turn() lets the process end", async () => {
  const module = new URL("../src/loopback.ts", import.meta.url);
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { Loopback } from "${module}";
      const loopback = new Loopback();
      for (let i = 0; i < 10; i++) await loopback.turn();
      console.log("ten turns");`,
    ],
    stderr: "inherit",
  }).output();
  assert.equal(code, 0);
  assert.equal(new TextDecoder().decode(stdout), "ten turns\n");
});

Deno.test({
  name: "Loopback.turn() makes its connection once there are descriptors again",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const module = new URL("../src/loopback.ts", import.meta.url);
    const script = `import { Loopback } from "${module}";
      const loopback = new Loopback();
      const files = [];
      const sockets = () => [...Deno.readDirSync("/proc/self/fd")]
        .filter(({ name }) => {
          try {
            return Deno.readLinkSync("/proc/self/fd/" + name).startsWith("socket:");
          } catch {
            return false;
          }
        }).length;
      const before = sockets();
      try {
        for (;;) files.push(Deno.openSync("/dev/null"));
      } catch {
        await loopback.turn();
      }
      for (const file of files) file.close();
      const without = sockets() - before;
      for (let i = 0; i < 1000; i++) await loopback.turn();
      console.log(without, sockets() - before);`;
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 200; exec "$0" eval "$1"', Deno.execPath(), script],
      stderr: "inherit",
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "0 2\n");
  },
});
