import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { clientTest, PATIENCE_MS } from "../clients/programs.ts";
import { machineImage } from "./machine_image.ts";
import { MAIN } from "./program.ts";

/** A program on a pseudo terminal, as a person sees it. */
class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #seen = "";
  #from = 0;
  #look = () => {};

  constructor(args: readonly string[]) {
    const command = [Deno.execPath(), "run", "-A", MAIN, ...args].join(" ");
    const child = new Deno.Command("script", {
      args: ["-qefc", command, "/dev/null"],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).spawn();
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#reading = (async () => {
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        this.#seen += text;
        this.#look();
      }
    })();
  }

  /** Waits until the program has asked for `question`, then types `answer`. */
  async answer(question: string, answer: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#look = () => {
      const at = this.#seen.indexOf(question, this.#from);
      if (at < 0) return;
      this.#from = at + question.length;
      resolve();
    };
    this.#look();
    await Promise.race([promise, this.#reading]);
    ok(this.#seen.indexOf(question) >= 0, `"${question}" in ${this.#seen}`);
    await this.#writer.write(new TextEncoder().encode(answer));
  }

  async end(): Promise<{ code: number; seen: string }> {
    const { code } = await this.#child.status;
    await this.#reading;
    return { code, seen: this.#seen };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#child.status;
    await this.#reading;
  }
}

const FILES = { "/etc/hostname": "mail.example.net\n", "/srv/mail/example.net/ann/": "" };

clientTest(["script"], "imapd init asks, and Enter is an answer to everything", async () => {
  await using image = await machineImage(FILES);
  await using terminal = new Terminal(["init", "--root", image.root]);
  await terminal.answer("Name of this mail server [mail.example.net]: ", "\n");
  await terminal.answer("Domains of its mail addresses [example.net]: ", "\n");
  await terminal.answer("Where is the mail:", "");
  await terminal.answer("Which one [1]: ", "\n");
  await terminal.answer("User that the server runs as [", "\n");
  await terminal.answer("Which certificate:", "");
  await terminal.answer("Which one [1]: ", "\n");
  await terminal.answer("First user, or none [ann@example.net]: ", "\n");
  await terminal.answer("Password of ann@example.net (Enter for a random one): ", "\n");
  await terminal.answer("Write these [Y/n]: ", "\n");
  const { code, seen } = await terminal.end();
  strictEqual(code, 0, seen);
  match(seen, /password of ann@example\.net, shown only now/);
  const config = await image.text("/etc/imapd/config.toml");
  match(config, /path = "\/srv\/mail\/\{domain\}\/\{local\}"/);
  match(config, /loader = "acme"\nagreed = true/);
});

clientTest(["script"], "imapd init asks again where an answer will not do", async () => {
  await using image = await machineImage(FILES);
  await using terminal = new Terminal([
    ...["init", "--root", image.root, "--tls", "self_signed", "--domain", "example.net"],
    ...["--service-user", "imapd"],
  ]);
  await terminal.answer("Name of this mail server [mail.example.net]: ", "not a name\n");
  await terminal.answer("got not a name", "");
  await terminal.answer("Name of this mail server [mail.example.net]: ", "imap.example.net\n");
  await terminal.answer("Which one [1]: ", "9\n");
  await terminal.answer("Expected a number from 1 to 3, got 9", "");
  await terminal.answer("Which one [1]: ", "3\n");
  await terminal.answer("Path, with {account}, or {local} and {domain} [", "/srv/new/{account}\n");
  await terminal.answer("First user, or none [", "bob\n");
  await terminal.answer("Expected a whole mail address", "");
  await terminal.answer("First user, or none [", "bob@example.net\n");
  await terminal.answer("Password of bob@example.net", "hidden words\n");
  await terminal.answer("Again: ", "hidden words\n");
  await terminal.answer("Write these [Y/n]: ", "y\n");
  const { code, seen } = await terminal.end();
  strictEqual(code, 0, seen);
  ok(!seen.includes("hidden words"));
  match(await image.text("/etc/imapd/users"), /^bob@example\.net: argon2:/);
  match(await image.text("/etc/imapd/config.toml"), /hostname = "imap\.example\.net"/);
});

clientTest(["script"], "imapd init leaves nothing behind at Ctrl-C and at no", async () => {
  await using image = await machineImage(FILES);
  const told = ["init", "--root", image.root, "--tls", "self_signed", "--user", "none"];
  await using stopped = new Terminal(told);
  await stopped.answer("Name of this mail server", "\n");
  await stopped.answer("Domains of its mail addresses", "\x03");
  ok((await stopped.end()).code !== 0);
  await using secret = new Terminal([
    ...told.slice(0, -1),
    "bob@example.net",
    "--hostname",
    "a.b.c",
  ]);
  await secret.answer("Domains of its mail addresses", "\n");
  await secret.answer("Which one [1]: ", "\n");
  await secret.answer("User that the server runs as", "\n");
  await secret.answer("Password of bob@example.net", "half\x03");
  ok((await secret.end()).code !== 0);
  await using refused = new Terminal([...told, "--hostname", "mail.example.net"]);
  await refused.answer("Domains of its mail addresses", "\n");
  await refused.answer("Which one [1]: ", "\n");
  await refused.answer("User that the server runs as", "\n");
  await refused.answer("Write these [Y/n]: ", "n\n");
  const { code, seen } = await refused.end();
  strictEqual(code, 1);
  match(seen, /Nothing was written/);
  deepStrictEqual(await image.written(), []);
});
