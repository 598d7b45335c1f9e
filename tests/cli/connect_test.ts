import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { clientTest } from "../clients/programs.ts";
import { PASSWORD } from "../harness.ts";
import { freePort } from "../tls/free_port.ts";
import { Authority, type Wanted } from "./authority.ts";
import { imapd, MAIN } from "./program.ts";

/** bcrypt (cost 4) of {@link PASSWORD}. */
const HASH = "$2a$04$p9YIi8TXWWDhzmsLRraC.OqTYO05Xe1pTcHzxt11Y6HHRLWpjbwvq";

interface Site extends AsyncDisposable {
  readonly dir: string;
  readonly ports: readonly number[];
  check(...args: string[]): ReturnType<typeof imapd>;
}

/** A server that runs with the config that `text` makes of three free ports and the folder. */
async function site(
  text: (dir: string, ports: readonly number[]) => string,
  { certificate, runs = true }: { certificate?: Wanted; runs?: boolean } = {},
): Promise<Site> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-connect-" });
  const ports = [await freePort(), await freePort(), await freePort()];
  if (certificate !== undefined) {
    await (await Authority.make(dir)).issue(`${dir}/cert.pem`, `${dir}/key.pem`, certificate);
  }
  const config = `${dir}/config.toml`;
  await Deno.writeTextFile(`${dir}/users`, `ann@example.org: bcrypt:${HASH}\n`);
  await Deno.writeTextFile(config, text(dir, ports));
  const server = runs ? await started(config) : undefined;
  return {
    dir,
    ports,
    check: (...args) => imapd(["check", "--connect", "--config", config, ...args], `${PASSWORD}\n`),
    async [Symbol.asyncDispose]() {
      server?.kill("SIGTERM");
      await server?.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function started(config: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "--config", config],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const ready = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      if (log.includes("server started")) ready.resolve();
    }
    ready.reject(new Error(`imapd did not start:\n${log}`));
  })();
  reading.catch(() => {});
  await ready.promise;
  return child;
}

function config(tls: string, listen: string, more = ""): string {
  return `hostname = "mail.example.org"\nstate_dir = "state"\nruntime_dir = "."\nwarm_up = "0s"\n` +
    `tls = ${tls}\n[[imap]]\nlisten = ${listen}\n` +
    `auth = ["pass_table", ["file", "users"]]\nstorage = "maildir"\n${more}`;
}

const FILES = '["cert.pem", "key.pem"]';
const both = ([a, b]: readonly number[]) => `["tcp://127.0.0.1:${a}", "tls://127.0.0.1:${b}"]`;
const MAIL = { names: "DNS:mail.example.org" };

/** What each target's steps came to, as `step state`. */
function states(out: string): string[] {
  return out.trim().split("\n").map((line) => JSON.parse(line)).map(({ step, state }) =>
    `${step} ${state}`
  );
}

const SECURE = ["TLS ok", "name ok", "time ok", "chain ok"];
const INSIDE = ["CAPABILITY ok", "login ok", "INBOX ok"];

clientTest(["openssl"], "imapd check --connect logs in over TLS and after STARTTLS", async () => {
  await using there = await site((_, ports) => config(FILES, both(ports)), { certificate: MAIL });
  const { code, out, err } = await there.check(
    ...["--user", "ann@example.org", "--ca", `${there.dir}/ca.pem`, "--json"],
  );
  strictEqual(err, "");
  deepStrictEqual(states(out), [
    ...["greeting ok", ...SECURE, ...INSIDE],
    ...[...SECURE, "greeting ok", ...INSIDE],
  ]);
  strictEqual(code, 0);
  const text = await there.check("--ca", `${there.dir}/ca.pem`);
  match(text.out, /no faults\ntcp:.*\n {2}ok {5}greeting: mail\.example\.org/);
  match(text.out, /login by PLAIN/);
});

clientTest(["openssl"], "imapd check --connect tells a wrong password", async () => {
  await using there = await site((_, ports) => config(FILES, both(ports)), { certificate: MAIL });
  const { code, out, err } = await there.check(
    ...["--user", "bob@example.org", "--ca", `${there.dir}/ca.pem`],
  );
  strictEqual(code, 1);
  match(out, /FAILED login: as bob@example\.org: NO \[AUTHENTICATIONFAILED\]/);
  match(out, /→ is the password right\? imapd user list/);
  strictEqual(err, "2 things FAILED\n");
});

const BAD: readonly [string, Wanted, boolean, string, RegExp][] = [
  ["another name", { names: "DNS:other.example.org" }, true, "name failed", /is for other\.exam/],
  [
    "a wildcard of another level",
    { names: "DNS:*.org" },
    true,
    "name failed",
    /not for mail\.example\.org/,
  ],
  [
    "an end in the past",
    { ...MAIL, days: -1 },
    true,
    "time failed",
    /has expired on/,
  ],
  ["an unknown authority", MAIL, false, "chain failed", /does not lead to an authority/],
];

for (const [what, certificate, trusted, wanted, said] of BAD) {
  clientTest(["openssl"], `imapd check --connect finds a certificate with ${what}`, async () => {
    await using there = await site(
      (_, ports) => config(FILES, `["tls://127.0.0.1:${ports[0]}"]`),
      { certificate },
    );
    const ca = trusted ? ["--ca", `${there.dir}/ca.pem`] : [];
    const { code, out } = await there.check(...ca, "--json");
    const failed = states(out).filter((each) => each.endsWith("failed"));
    deepStrictEqual([code, failed], [1, [wanted]]);
    match(out, said);
  });
}

Deno.test("imapd check --connect notes a self-signed certificate that is wanted", async () => {
  await using there = await site((_, ports) => config('"self_signed"', both(ports)));
  const { code, out } = await there.check("--user", "ann@example.org");
  strictEqual(code, 0);
  match(out, /note {3}chain: is self-signed\n {9}→ clients ask whether to trust it/);
});

Deno.test("imapd check --connect tells that no server runs", async () => {
  await using there = await site((_, ports) => config('"self_signed"', both(ports)), {
    runs: false,
  });
  const { code, out } = await there.check("--json");
  strictEqual(code, 1);
  deepStrictEqual(states(out), ["connection failed", "connection failed"]);
  match(out, /is the server running\?/);
});

Deno.test("imapd check --connect speaks as a proxy where only proxies may, and over unix sockets", async () => {
  await using there = await site((_, [a, b]) =>
    config(
      '"self_signed"',
      `["tls://127.0.0.1:${a}", "tcp://127.0.0.1:${b}", "unix://imap.sock"]`,
      'proxy_protocol = ["127.0.0.1"]\n',
    )
  );
  const { code, out } = await there.check("--user", "ann@example.org", "--json");
  const wanted = ["TLS ok", "name ok", "time ok", "chain note"];
  deepStrictEqual(states(out), [
    ...["proxy ok", ...wanted, "greeting ok", ...INSIDE],
    ...["proxy ok", "greeting ok", ...wanted, ...INSIDE],
    ...["greeting ok", ...INSIDE],
  ]);
  strictEqual(code, 0);
});

Deno.test("imapd check --connect notes what it cannot reach", async () => {
  await using there = await site(
    () => config('"self_signed"', '["tcp://127.0.0.1:0", "fd://imap"]'),
    { runs: false },
  );
  const { code, out } = await there.check("--json");
  deepStrictEqual([code, states(out)], [0, ["connection note", "connection note"]]);
});

Deno.test("imapd check takes --user, --ca and --json only beside --connect", async () => {
  const { code, err } = await imapd(["check", "--user", "ann"]);
  strictEqual(code, 2);
  match(err, /Expected --connect beside --user, got none/);
});

Deno.test("imapd check --connect greets LMTP, and asks for the forms and the health", async () => {
  await using there = await site((_, [a, b, c]) =>
    config(
      '"self_signed"',
      `["tls://127.0.0.1:${a}"]`,
      `[[lmtp]]\nlisten = ["unix://lmtp.sock"]\n` +
        `[autoconfig]\nlisten = ["tcp://127.0.0.1:${b}"]\n`,
    ).replace("tls =", `openmetrics = "tcp://127.0.0.1:${c}"\ntls =`)
  );
  const { code, out } = await there.check();
  strictEqual(code, 0, out);
  match(out, /unix:.*lmtp\.sock\n {2}ok {5}LHLO: .*PIPELINING/);
  match(out, /ok {5}HTTP: GET \/ is answered/);
  match(out, /ok {5}HTTP: GET \/healthz is answered/);
});
