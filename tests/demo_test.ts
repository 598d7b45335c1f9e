import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ImapFlow } from "imapflow";
import { demoMessages } from "../scripts/demo_mail.ts";

const DEMO = fileURLToPath(new URL("../scripts/demo.ts", import.meta.url));

interface Demo {
  readonly text: string;
  readonly password: string;
  readonly port: number;
  readonly tlsPort: number;
  /** Presses Ctrl-C and returns the exit status. */
  stop(): Promise<number>;
}

async function start(dir: string, port = "0"): Promise<Demo> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", DEMO, "--dir", dir, "--port", port, "--tls-port", "0"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  const logged = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) log += chunk;
  })();
  let text = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!text.includes("Ctrl-C")) {
    const { value, done } = await reader.read();
    if (done) {
      await logged;
      throw new Error(`The demo did not start:\n${log}`);
    }
    text += value;
  }
  return {
    text,
    password: text.match(/password (\S+)/)?.[1] ?? "",
    port: Number(text.match(/STARTTLS +127\.0\.0\.1:(\d+)/)?.[1]),
    tlsPort: Number(text.match(/over TLS +127\.0\.0\.1:(\d+)/)?.[1]),
    async stop() {
      child.kill("SIGINT");
      const { code } = await child.status;
      await reader.cancel();
      await logged;
      return code;
    },
  };
}

async function withClient<T>(demo: Demo, use: (client: ImapFlow) => Promise<T>): Promise<T> {
  const client = new ImapFlow({
    host: "127.0.0.1",
    port: demo.tlsPort,
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: "demo", pass: demo.password },
    logger: false,
  });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.logout();
  }
}

Deno.test("demo serves a mailbox full of mail and keeps it for the second start", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-demo-" });
  try {
    const first = await start(dir);
    match(first.password, /^[a-z2-9]{16}$/);
    const expected = demoMessages(new Date()).filter(({ mailbox }) => mailbox === "INBOX").length;
    await withClient(first, async (client) => {
      const uses = (await client.list()).map(({ path, specialUse }) => [path, specialUse ?? ""]);
      deepStrictEqual(uses.sort(), [
        ["Archive", "\\Archive"],
        ["Drafts", "\\Drafts"],
        ["INBOX", "\\Inbox"],
        ["Junk", "\\Junk"],
        ["Lists", ""],
        ["Lists/maildir-users", ""],
        ["Projects", ""],
        ["Projects/2026", ""],
        ["Sent", "\\Sent"],
        ["Trash", "\\Trash"],
      ]);
      const lock = await client.getMailboxLock("INBOX");
      const messages = await client.fetchAll("1:*", { envelope: true, bodyStructure: true });
      lock.release();
      strictEqual(messages.length, expected);
      const subjects = messages.map(({ envelope }) => envelope?.subject);
      ok(subjects.includes("Neues Logo – zur Prüfung"), subjects.join("\n"));
      ok(subjects.includes("¿Comemos mañana? 🌮"), subjects.join("\n"));
      await client.mailboxCreate("Kept");
    });
    strictEqual(await first.stop(), 0);

    const second = await start(dir);
    strictEqual(second.password, first.password);
    await withClient(second, async (client) => {
      const status = await client.status("INBOX", { messages: true });
      strictEqual(status && status.messages, expected);
      ok((await client.list()).some(({ path }) => path === "Kept"));
    });
    strictEqual(await second.stop(), 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("demo keeps its secrets to its owner", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-demo-" });
  try {
    const demo = await start(dir);
    strictEqual(await demo.stop(), 0);
    for (const file of ["password", "users", "tls/self_signed.key.pem"]) {
      strictEqual(((await Deno.stat(`${dir}/${file}`)).mode ?? 0) & 0o077, 0, file);
    }
    ok(!(await Deno.readTextFile(`${dir}/users`)).includes(demo.password));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("demo tells how to choose other ports when one is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dir = await Deno.makeTempDir({ prefix: "imapd-demo-" });
  try {
    const at = String(taken.addr.port);
    await rejects(start(dir, at), (error: Error) => {
      match(error.message, new RegExp(`imap\\.listen: cannot open tcp://127\\.0\\.0\\.1:${at}: `));
      match(error.message, /\nChoose other ports with --port NUMBER and --tls-port NUMBER/);
      return true;
    });
    // The config that the first start made has the taken port.
    const demo = await start(dir);
    notStrictEqual(demo.port, taken.addr.port);
    strictEqual(await demo.stop(), 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("demo prints lines that can be pasted", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-demo-" });
  try {
    const demo = await start(dir);
    await demo.stop();
    const at = `127.0.0.1:${demo.tlsPort}`;
    ok(demo.text.includes(`  curl -k --user demo:${demo.password} imaps://${at}/\n`), demo.text);
    ok(demo.text.includes(`-f imaps://demo@${at}/INBOX\n`), demo.text);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("demoMessages() are mail: CRLF everywhere, a Date and an id of their own", () => {
  const now = new Date("2026-09-01T12:00:00Z");
  const messages = demoMessages(now);
  ok(messages.length >= 14);
  const ids = messages.map(({ text }) => {
    const whole = new TextDecoder("utf-8", { fatal: true }).decode(text);
    ok(!/[^\r]\n|\r[^\n]/.test(whole), whole);
    match(whole, /^Date: \w{3}, \d\d \w{3} 2026 \d\d:\d\d:\d\d \+0000\r$/m);
    return whole.match(/^Message-ID: (\S+)\r$/m)?.[1];
  });
  strictEqual(new Set(ids).size, messages.length);
  ok(messages.every(({ date }, i) => i === 0 || messages[i - 1].date <= date));
});
