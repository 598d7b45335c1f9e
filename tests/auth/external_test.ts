import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { External, type ExternalOptions } from "../../src/auth/external/external.ts";
import { memoryLog } from "../../src/log.ts";
import { isInstalled, PATIENCE_MS } from "../clients/programs.ts";
import { authenticatorContract } from "../contracts/authenticator_contract.ts";
import { startServer } from "../harness.ts";
import { logged, loginReply } from "./login.ts";

const missing = ["socat"].filter((program) => !isInstalled(program));
const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";

function open(options: Partial<ExternalOptions> & Pick<ExternalOptions, "socket">): External {
  return new External({
    perdomain: false,
    domains: [],
    timeout: 10_000,
    log: memoryLog([]),
    ...options,
  });
}

/** A program that reads to the end of its input and tells by its status. */
const PROGRAM = `#!/bin/sh
input=$(cat; echo x)
case "$input" in
"ann
Ann's own
x") exit 0 ;;
esac
exit 1
`;

/** As in docs/authentication.md. */
const WRAPPER = (dir: string) =>
  `#!/bin/sh
${dir}/program
echo $?
`;

interface Socat extends AsyncDisposable {
  readonly socket: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

async function startSocat(): Promise<Socat> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-external-" });
  await Deno.writeTextFile(`${dir}/program`, PROGRAM, { mode: 0o755 });
  await Deno.writeTextFile(`${dir}/wrapper`, WRAPPER(dir), { mode: 0o755 });
  const socket = `${dir}/socket`;
  let child: Deno.ChildProcess | undefined;
  const start = async () => {
    child = new Deno.Command("socat", {
      args: ["-t", "60", `UNIX-LISTEN:${socket},fork,mode=0600`, `EXEC:${dir}/wrapper`],
      stdin: "null",
    }).spawn();
    const deadline = Date.now() + PATIENCE_MS;
    // Its file is there before it listens.
    while (!await isListening(socket)) {
      if (Date.now() > deadline) throw new Error("socat did not start");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const stop = async () => {
    child?.kill();
    await child?.status;
    child = undefined;
    await Deno.remove(socket).catch(() => {});
  };
  await start();
  return {
    socket,
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function isListening(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

authenticatorContract("External", missing, async () => {
  const socat = await startSocat();
  const lines: string[] = [];
  const auth = open({ socket: socat.socket, log: memoryLog(lines) });
  return {
    auth,
    lines,
    username: "ann",
    password: "Ann's own",
    stopPeer: () => socat.stop(),
    startPeer: () => socat.start(),
    async [Symbol.asyncDispose]() {
      await auth.close();
      await socat[Symbol.asyncDispose]();
    },
  };
});

Deno.test({
  name: `imapd lets in whom a program behind socat knows${reason}`,
  ignore: missing.length > 0,
  async fn() {
    await using socat = await startSocat();
    await using server = await startServer({ authReference: `["external", "${socat.socket}"]` });
    match(await loginReply(server, "ann", "Ann's own"), /^OK /);
    match(await loginReply(server, "ann", "wrong"), /^NO \[AUTHENTICATIONFAILED\]/);
    await socat.stop();
    match(await loginReply(server, "ann", "Ann's own"), /^NO \[UNAVAILABLE\]/);
    await logged(server, /^error: external cannot be asked error="connect ENOENT/m);
  },
});

/** Answers whatever it is asked; keeps what that was, to the end of the client's half. */
async function withPeer(
  answer: string | undefined,
  body: (socket: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-external-" });
  const listener = Deno.listen({ transport: "unix", path: `${dir}/socket` });
  const asked: string[] = [];
  const held: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      const pieces: Uint8Array[] = [];
      const buffer = new Uint8Array(10_000);
      for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
        pieces.push(buffer.slice(0, n));
      }
      asked.push(pieces.map((piece) => new TextDecoder().decode(piece)).join(""));
      if (answer === undefined) {
        held.push(connection);
        continue;
      }
      await connection.write(new TextEncoder().encode(answer)).catch(() => {});
      connection.close();
    }
  })();
  try {
    await body(`${dir}/socket`, asked);
  } finally {
    for (const connection of held) connection.close();
    listener.close();
    await serving;
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("External sends two lines, and no name or password can make a third", () =>
  withPeer("0\n", async (socket, asked) => {
    const auth = open({ socket });
    strictEqual((await auth.checkPassword("jürgen x", " pass wörd ")).ok, true);
    for (const password of ["a\nb", "a\r", "\n"]) {
      deepStrictEqual(await auth.checkPassword("ann", password), {
        ok: false,
        reason: "bad-credentials",
        detail: "a line's end in the password",
      });
    }
    deepStrictEqual(asked, ["jürgen x\n pass wörd \n"]);
    await auth.close();
  }));

for (
  const [perdomain, domains, expected] of [
    [false, [], { "ann": "ann", "ann@a.example": undefined }],
    [false, ["A.example"], {
      "ann": "ann",
      "ann@a.example": "ann",
      "ann@A.EXAMPLE": "ann",
      "a@b@a.example": "a@b",
      "ann@b.example": undefined,
      "ann@": undefined,
    }],
    [true, ["a.example"], {
      "ann": undefined,
      "ann@a.example": "ann@a.example",
      "ann@b.example": undefined,
    }],
  ] as const
) {
  Deno.test(`External with perdomain=${perdomain} and domains=${domains} sends the right name`, () =>
    withPeer("0\n", async (socket, asked) => {
      const auth = open({ socket, perdomain, domains });
      for (const [username, name] of Object.entries(expected)) {
        const result = await auth.checkPassword(username, "x");
        if (name === undefined) strictEqual(!result.ok && result.reason, "bad-credentials");
        else deepStrictEqual(result, { ok: true, username });
        deepStrictEqual(asked.splice(0), name === undefined ? [] : [`${name}\nx\n`]);
      }
      await auth.close();
    }));
}

for (
  const [answer, reason, detail] of [
    ["0", undefined, ""],
    ["0\r\n", undefined, ""],
    ["1\n", "bad-credentials", "unknown user or wrong password"],
    ["2\n", "unavailable", "The program answered with status 2"],
    ["127\n", "unavailable", "The program answered with status 127"],
    ["00\n", "unavailable", "The program answered with status 00"],
    ["", "unavailable", "Expected a line with a status"],
    ["\n0\n", "unavailable", "Expected a line with a status"],
    ["0 is yes\n", "unavailable", "Expected a line with a status"],
    ["OK\n", "unavailable", "Expected a line with a status"],
    ["0".repeat(1000), "unavailable", "Expected a line with a status"],
  ]
) {
  Deno.test(`External takes ${JSON.stringify(answer?.slice(0, 12))} for ${reason ?? "yes"}`, () =>
    withPeer(answer, async (socket) => {
      const auth = open({ socket });
      const result = await auth.checkPassword("ann", "x");
      deepStrictEqual(
        result,
        reason === undefined ? { ok: true, username: "ann" } : { ok: false, reason, detail },
      );
      await auth.close();
    }));
}

Deno.test("External gives up on a program that does not answer", () =>
  withPeer(undefined, async (socket, asked) => {
    const auth = open({ socket, timeout: 50 });
    const result = await auth.checkPassword("ann", "x");
    ok(!result.ok);
    strictEqual(result.reason, "unavailable");
    strictEqual(result.detail, "No answer in time");
    await auth.close();
    // The end of the server waits for nobody.
    const closing = open({ socket });
    const under = closing.checkPassword("ann", "x");
    while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await closing.close();
    strictEqual((await under).ok, false);
  }));
