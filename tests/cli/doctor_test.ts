import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Finding } from "../../src/admin/operation.ts";
import { startServer, type TestServer } from "../harness.ts";
import { client, command } from "./administration.ts";
import { imapd } from "./program.ts";

/** What the doctor finds, and its exit status. */
async function findings(server: TestServer, ...words: string[]) {
  const { code, out } = await command(server, ["doctor", "--json", ...words]);
  const all: Finding[] = out.trim().split("\n").map((line) => JSON.parse(line));
  return { code, all, of: (subject: string) => all.filter((each) => each.subject === subject) };
}

/** All files below a folder with their times and sizes. */
async function snapshot(dir: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    const { size, mtime, mode, ino } = await Deno.lstat(path);
    lines.push(`${path} ${size} ${mtime?.getTime()} ${mode} ${ino}`);
    if (isDirectory) lines.push(...await snapshot(path));
  }
  return lines.sort();
}

for (const running of [true, false]) {
  Deno.test(`imapd doctor: finds files that are not as the index has them, ${running ? "through the server" : "by itself"}`, async () => {
    // Nothing but the test changes the Maildir.
    await using server = await startServer({ storage: "search_index = false" });
    const user = server.freshUser();
    await using writer = await client(server, user);
    for (const text of ["one", "two", "three"]) {
      await writer.append("INBOX", `Subject: ${text}\r\n\r\nbody\r\n`);
    }
    await writer.append("Sent", "Subject: sent\r\n\r\nbody\r\n");
    if (!running) await server.stop();
    const sound = await findings(server, user);
    strictEqual(sound.code, 0);
    deepStrictEqual(sound.of(`account ${user}`).map(({ level, text }) => [level, text]), [
      ["ok", "4 messages in 6 mailboxes, index and files agree"],
    ]);

    const cur = `${server.maildir(user)}/cur`;
    const files = Array.from(Deno.readDirSync(cur), ({ name }) => name)
      .sort(new Intl.Collator("en", { numeric: true }).compare);
    Deno.removeSync(`${cur}/${files[0]}`);
    Deno.writeTextFileSync(`${cur}/${files[1]}`, "more than before\r\n", { append: true });
    const sent = `${server.maildir(user)}/.Sent`;
    Deno.writeTextFileSync(`${sent}/cur/1700000000.M1P1Q1.elsewhere:2,S`, "Subject: new\n\nx\n");
    Deno.symlinkSync("/etc", `${server.maildir(user)}/link`);
    Deno.writeTextFileSync(`${server.maildir(user)}/dovecot-uidlist`, "3 V1 N1\n");
    if (Deno.uid() === 0) Deno.chownSync(`${cur}/${files[2]}`, 12345, null);

    const before = await snapshot(server.maildir(user));
    const sick = await findings(server, user);
    deepStrictEqual(await snapshot(server.maildir(user)), before);
    strictEqual(sick.code, 1);
    const told = sick.of(`account ${user}`);
    const has = (level: string, pattern: RegExp) =>
      ok(
        told.some((each) => each.level === level && pattern.test(each.text) && each.advice),
        JSON.stringify(told, undefined, 1),
      );
    has("failed", /INBOX: files of 1 message are missing \(UID 1\)/);
    has("failed", /INBOX: files of 1 message are not as long as they were \(UID 2\)/);
    has("warning", /Sent: 1 file not in the index yet/);
    has("warning", /symbolic links are not followed: link/);
    has("warning", /files of Dovecot are left: dovecot-uidlist/);
    if (Deno.uid() === 0) has("failed", /is not owned by the owner of the Maildir/);

    const mail = () => ["", "/.Sent"].flatMap((folder) => textsIn(server.maildir(user) + folder));
    const texts = mail();
    const { code, out } = await command(server, ["doctor", "--repair", user]);
    match(
      out,
      /^mended {3}account u1: INBOX: files of 1 message are missing \(UID 1\); they are expunged$/m,
    );
    match(out, /^mended .* not as long as they were \(UID 2\); .* under new UIDs$/m);
    match(out, /, [34] mended\n$/);
    strictEqual(code, 0, out);
    deepStrictEqual(mail(), texts);
    const left = (await findings(server, user)).of(`account ${user}`);
    deepStrictEqual(left.map(({ code }) => code).sort(), ["dovecot-files", "link"]);
    if (!running) return;
    await using reader = await client(server, user);
    const { untagged } = await reader.command("SELECT INBOX");
    ok(untagged.some((line) => line.startsWith("* 2 EXISTS")), untagged.join());
  });
}

/** Messages in `cur`, whatever they are called. */
function textsIn(folder: string): string[] {
  return Array.from(
    Deno.readDirSync(`${folder}/cur`),
    ({ name }) => Deno.readTextFileSync(`${folder}/cur/${name}`),
  ).sort();
}

Deno.test("imapd doctor: looks at the server and the machine, and finds a damaged index", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await using writer = await client(server, user);
  for (let i = 0; i < 50; i++) await writer.append("INBOX", `Subject: ${i}\r\n\r\nbody\r\n`);
  const running = await findings(server);
  match(running.of("server")[0].text, /running, process \d+/);
  match(running.of("certificate")[0].text, /self-signed/);
  for (const subject of ["state_dir", "runtime_dir", "mail", "disk", "clock", "port", "limits"]) {
    ok(running.of(subject).length > 0, subject);
  }
  await server.stop();
  const index = `${server.maildir(user)}/imapd.sqlite`;
  const octets = Deno.readFileSync(index);
  Deno.writeFileSync(index, octets.fill(0x55, 4096, octets.length));
  const { code, all } = await findings(server, user);
  strictEqual(code, 1);
  ok(
    all.some(({ level, text }) =>
      level === "failed" && /the index (is damaged|cannot be read)/.test(text)
    ),
  );
  const unknown = await command(server, ["doctor", "u"]);
  deepStrictEqual([unknown.code, unknown.out], [1, ""]);
  match(unknown.err, /no account u, did you mean u1\?/);
});

Deno.test("imapd doctor: tells faults of the config, and who has the port", async () => {
  const dir = await Deno.makeTempDir();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const text = `state_dir = "state"
runtime_dir = "."
tls = ["missing.pem", "missing.key"]
[[imap]]
listen = ["tls://127.0.0.1:${port}"]
auth = { module = "pass_table", table = { module = "file", path = "users" } }
storage = { module = "maildir" }
`;
  const config = `${dir}/config.toml`;
  try {
    await Deno.writeTextFile(config, text);
    const faulty = await imapd(["doctor", "--config", config]);
    strictEqual(faulty.code, 1);
    match(
      faulty.out,
      /^FAILED {3}config: .*config\.toml:3:8: .*missing\.pem, which does not exist\n/,
    );
    match(faulty.out, /\n1 failed, 0 to be looked at\n$/);
    await Deno.writeTextFile(config, text.replace(/tls = .*/, 'tls = "self_signed"'));
    const { code, out } = await imapd(["doctor", "--config", config]);
    strictEqual(code, 1);
    match(
      out,
      new RegExp(
        `FAILED {3}port: tls://127.0.0.1:${port} is taken by deno \\(process ${Deno.pid}\\)`,
      ),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
