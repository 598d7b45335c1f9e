import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { dirname } from "node:path";
import { connect } from "node:tls";
import { executableFault, PERMISSIONS, runtimeFault } from "../scripts/compile.ts";
import { VERSION } from "../src/version.ts";
import { compileHere } from "./compiled_program.ts";
import { run } from "./clients/programs.ts";
import { PASSWORD, startServer } from "./harness.ts";
import { startWatched } from "./monitoring/serving.ts";

/** Sends `commands` one by one and returns all that the server says. */
function session(port: number, commands: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    let text = "";
    let next = 0;
    socket.setEncoding("latin1");
    socket.on("error", reject);
    socket.on("end", () => resolve(text));
    socket.on("data", (chunk: string) => {
      text += chunk;
      const answered = next === 0
        ? text.includes("\r\n")
        : new RegExp(`^t${next} .*\r\n`, "m").test(text);
      if (answered && next < commands.length) socket.write(`t${++next} ${commands[next - 1]}\r\n`);
    });
  });
}

Deno.test("runtimeFault() tells that DENORT_BIN is no file", async () => {
  strictEqual(
    await runtimeFault("/nonexistent/denort"),
    'Expected DENORT_BIN to be the path of a denort, got "/nonexistent/denort", which is no file',
  );
  strictEqual(await runtimeFault(Deno.execPath()), undefined);
  strictEqual(await runtimeFault(undefined), undefined);
});

Deno.test("executableFault() tells why a program does not run", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-compile-" });
  const program = `${dir}/program`;
  const script = async (text: string) => {
    await Deno.writeTextFile(program, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
    return await executableFault(program);
  };
  try {
    ok((await executableFault(program))?.includes(program));
    strictEqual(await script("echo broken >&2; exit 3"), "exit status 3: broken");
    strictEqual(await script("echo deno 2.9.6"), "exit status 0: it printed no version");
    strictEqual(await script(`echo imapd ${VERSION}`), undefined);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

const { path, skipped } = await compileHere();
globalThis.addEventListener("unload", () => {
  if (path !== undefined) Deno.removeSync(dirname(path), { recursive: true });
});
const reason = skipped === undefined ? "" : ` (skipped, ${skipped})`;

Deno.test({
  name: `compile() makes an executable that serves a session over TLS${reason}`,
  ignore: path === undefined,
  async fn() {
    ok(path);
    await using server = await startServer({ command: [path] });
    const text = await session(server.tlsPort, [
      `LOGIN ${server.freshUser()} ${PASSWORD}`,
      "SELECT INBOX",
      "LOGOUT",
    ]);
    for (const tag of ["t1", "t2", "t3"]) ok(text.includes(`\r\n${tag} OK`), text);
    ok(text.includes("* 0 EXISTS\r\n"), text);
    strictEqual(await server.stop(), 0);
    // What the narrow permissions take away shows up as a warning.
    const warnings = server.log().split("\n").filter((line) => line.startsWith("warning: "));
    const expected = /insecure_auth|STARTTLS is not offered|too few open files/;
    deepStrictEqual(warnings.filter((line) => !expected.test(line)), []);
  },
});

Deno.test({
  name: `compile() makes an executable whose commands are answered by the server${reason}`,
  ignore: path === undefined,
  async fn() {
    ok(path);
    await using server = await startServer({ command: [path] });
    const user = server.freshUser();
    const command = (...args: string[]) =>
      run([path, ...args, "--config", `${server.dir}/config.toml`]);
    strictEqual((await command("account", "create", user)).code, 0);
    for (let i = 0; i < 5; i++) {
      const { code, stdout, stderr } = await command("mailbox", "list", user);
      deepStrictEqual([code, stderr], [0, ""]);
      match(stdout, /^INBOX /m);
      match((await command("mailbox", "create", user, "INBOX")).stderr, /a mailbox INBOX already/);
    }
    // Deno itself opens an inspector by it, to everybody on the machine.
    Deno.kill(server.pid, "SIGUSR1");
    const doctor = await command("doctor");
    match(doctor.stdout, /server/);
    const backup = await command("backup", `${server.dir}/backup`);
    deepStrictEqual([backup.code, backup.stderr], [0, ""], backup.stdout);
    doesNotMatch(server.log(), /Debugger/);
  },
});

Deno.test({
  name: `compile() makes an executable that shows its status${reason}`,
  ignore: path === undefined,
  async fn() {
    ok(path);
    await using server = await startWatched({ command: [path] });
    for (
      const [page, content] of [
        ["", /<title>imapd<\/title>/],
        ["healthz", /^ok\n$/],
        ["metrics", /process_cpu_seconds_total \d[^]*# EOF\n$/],
        ["status.json", /"faults":\[\]/],
      ] as const
    ) match(await (await fetch(server.url + page)).text(), content);
  },
});

Deno.test({
  name: `compile() makes an executable that hashes and checks${reason}`,
  ignore: path === undefined,
  async fn() {
    ok(path);
    const { code, stdout } = await new Deno.Command(path, { args: ["--version"] }).output();
    strictEqual(code, 0);
    ok(new TextDecoder().decode(stdout).startsWith("imapd "));
    const child = new Deno.Command(path, { args: ["hash"], stdin: "piped", stdout: "piped" })
      .spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("secret\n"));
    await writer.close();
    ok(new TextDecoder().decode((await child.output()).stdout).startsWith("argon2:"));
  },
});

Deno.test("compile() gives no permissions but those that SECURITY.md tells of", () => {
  deepStrictEqual(
    PERMISSIONS.map((each) => each.replace(/^--allow-env=.*/, "--allow-env=")),
    [
      "--allow-net",
      "--allow-read",
      "--allow-write",
      "--allow-sys=hostname,uid,gid,statfs",
      "--allow-env=",
      "--allow-ffi",
    ],
  );
});

const confined = path === undefined ? {} : await compileHere("tests/confined_program.ts");
globalThis.addEventListener("unload", () => {
  if (confined.path !== undefined) Deno.removeSync(dirname(confined.path), { recursive: true });
});

Deno.test({
  name: `compile() makes an executable that starts no program and loads no code${reason}`,
  ignore: confined.path === undefined,
  async fn() {
    ok(confined.path);
    const { code, stdout, stderr } = await new Deno.Command(confined.path).output();
    strictEqual(code, 0, new TextDecoder().decode(stderr));
    const refused: Record<string, string> = JSON.parse(new TextDecoder().decode(stdout));
    for (const [attempt, outcome] of Object.entries(refused)) {
      match(
        outcome,
        /^NotCapable: .*run access|^TypeError: Module not found|^Error: Command failed: touch/,
        attempt,
      );
    }
    strictEqual(Object.keys(refused).length, 9);
    strictEqual(await Deno.stat("/tmp/imapd-was-here").catch(() => undefined), undefined);
  },
});
