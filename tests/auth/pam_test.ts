import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Pam } from "../../src/auth/pam/pam.ts";
import { memoryLog } from "../../src/log.ts";
import { isInstalled } from "../clients/programs.ts";
import { authenticatorContract, CLIENT } from "../contracts/authenticator_contract.ts";
import { startServer } from "../harness.ts";
import { logged, loginReply } from "./login.ts";
import { missingForPam, type PamService, pamService, scriptLines } from "./pam_service.ts";

const MODULES = ["pam_exec", "pam_deny", "pam_permit", "pam_debug", "pam_faildelay"];
const missing = missingForPam(MODULES);

function test(name: string, fn: () => Promise<void>, lacking: readonly string[] = missing): void {
  const reason = lacking.length > 0 ? ` (skipped: no ${lacking.join(", ")} here)` : "";
  Deno.test({ name: `${name}${reason}`, ignore: lacking.length > 0, fn });
}

/** Knows ann; the account of bob, whose password is right, is locked. Keeps what it was told. */
const SCRIPT = `#!/bin/sh
cd "$(dirname "$0")"
echo "$PAM_TYPE $PAM_USER $PAM_RHOST $PAM_TTY $PAM_SERVICE" >>told
case "$PAM_TYPE" in
account) [ "$PAM_USER" != bob ] ;;
auth) [ "$PAM_USER: $(tr -d '\\0')" = "$PAM_USER: $(cat "./$PAM_USER.password" 2>/dev/null)" ] ;;
esac
`;

const LINES = (dir: string) =>
  scriptLines("auth", `${dir}/script`) +
  scriptLines("account", `${dir}/script`);

async function scripted(more = ""): Promise<PamService> {
  const service = await pamService((dir) => more + LINES(dir));
  await Deno.writeTextFile(`${service.dir}/script`, SCRIPT, { mode: 0o755 });
  await Deno.writeTextFile(`${service.dir}/ann.password`, "Ann's own");
  await Deno.writeTextFile(`${service.dir}/bob.password`, "Bob's own");
  return service;
}

authenticatorContract("Pam", missing, async () => {
  const service = await scripted();
  const lines: string[] = [];
  const auth = Pam.open({ service: service.name, log: memoryLog(lines) });
  return {
    auth,
    lines,
    username: "ann",
    password: "Ann's own",
    stopPeer: () => service.write("auth required pam_debug.so auth=authinfo_unavail\n"),
    startPeer: () => service.write(LINES(service.dir)),
    async [Symbol.asyncDispose]() {
      await auth.close();
      await service[Symbol.asyncDispose]();
    },
  };
});

async function withPam(
  service: PamService,
  body: (auth: Pam, lines: readonly string[]) => Promise<void>,
): Promise<void> {
  const lines: string[] = [];
  const auth = Pam.open({ service: service.name, log: memoryLog(lines) });
  try {
    await body(auth, lines);
  } finally {
    await auth.close();
  }
}

test("Pam tells the modules who asks, and asks about the account too", async () => {
  await using service = await scripted();
  const told = async () => {
    const lines = (await Deno.readTextFile(`${service.dir}/told`)).trim().split("\n");
    await Deno.remove(`${service.dir}/told`);
    return lines;
  };
  await withPam(service, async (auth) => {
    ok((await auth.checkPassword("ann", "Ann's own", CLIENT)).ok);
    deepStrictEqual(await told(), [
      `auth ann 192.0.2.7 imapd ${service.name}`,
      `account ann 192.0.2.7 imapd ${service.name}`,
    ]);
    const result = await auth.checkPassword("bob", "Bob's own", { ...CLIENT, remote: "unix" });
    strictEqual(!result.ok && result.reason, "bad-credentials");
    deepStrictEqual(await told(), [
      `auth bob  imapd ${service.name}`,
      `account bob  imapd ${service.name}`,
    ]);
  });
});

for (
  const [code, reason] of [
    ["perm_denied", "bad-credentials"],
    ["auth_err", "bad-credentials"],
    ["user_unknown", "bad-credentials"],
    ["maxtries", "bad-credentials"],
    ["new_authtok_reqd", "bad-credentials"],
    ["acct_expired", "bad-credentials"],
    ["cred_expired", "bad-credentials"],
    ["authtok_expired", "bad-credentials"],
    ["cred_insufficient", "unavailable"],
    ["authinfo_unavail", "unavailable"],
    ["system_err", "unavailable"],
    ["service_err", "unavailable"],
    ["buf_err", "unavailable"],
    ["conv_err", "unavailable"],
    ["abort", "unavailable"],
  ]
) {
  test(`Pam takes ${code} for "${reason}"`, async () => {
    await using service = await pamService(() =>
      `auth required pam_debug.so auth=${code}\naccount required pam_permit.so\n`
    );
    await withPam(service, async (auth) => {
      const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
      strictEqual(!result.ok && result.reason, reason);
    });
  });
}

test("Pam is unavailable where the service has a module that is not there", async () => {
  await using service = await pamService(() => "auth required pam_not_there.so\n");
  await withPam(service, async (auth, lines) => {
    const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
    strictEqual(!result.ok && result.reason, "unavailable");
    strictEqual(lines.length, 1);
    match(lines[0], /^error: pam cannot be asked error=/);
  });
});

test("Pam lets a failure take as long as the modules want", async () => {
  // libpam makes it between 0.5 and 1.5 times as long.
  await using service = await scripted("auth optional pam_faildelay.so delay=200000\n");
  await withPam(service, async (auth) => {
    const started = performance.now();
    strictEqual((await auth.checkPassword("ann", "wrong", CLIENT)).ok, false);
    ok(performance.now() - started >= 100);
  });
});

test("Pam lets nobody else wait for the delay of a failure, and close() neither", async () => {
  await using service = await scripted("auth optional pam_faildelay.so delay=1000000000\n");
  await withPam(service, async (auth) => {
    const failures = Array.from(
      { length: 16 },
      () => auth.checkPassword("ann", "wrong", CLIENT),
    );
    strictEqual((await auth.checkPassword("ann", "Ann's own", CLIENT)).ok, true);
    await auth.close();
    for (const failure of failures) strictEqual((await failure).ok, false);
  });
});

const missingForUserdb = [
  ...missingForPam(["pam_userdb"]),
  ...["db_load"].filter((program) => !isInstalled(program)),
];

test("imapd lets in whom PAM knows (pam_userdb)", async () => {
  await using service = await pamService((dir) =>
    ["auth", "account"].map((phase) => `${phase} required pam_userdb.so db=${dir}/users\n`).join("")
  );
  const load = new Deno.Command("db_load", {
    args: ["-T", "-t", "hash", `${service.dir}/users.db`],
    stdin: "piped",
  }).spawn();
  const writer = load.stdin.getWriter();
  await writer.write(new TextEncoder().encode("ann\nAnn's own\nbob\nBob's own\n"));
  await writer.close();
  strictEqual((await load.status).code, 0);
  await using server = await startServer({ authReference: `["pam", "${service.name}"]` });
  match(await loginReply(server, "ann", "Ann's own"), /^OK /);
  match(await loginReply(server, "bob", "Bob's own"), /^OK /);
  match(await loginReply(server, "ann", "Bob's own"), /^NO \[AUTHENTICATIONFAILED\]/);
  match(await loginReply(server, "nobody", "Ann's own"), /^NO \[AUTHENTICATIONFAILED\]/);
  await service.write("auth required pam_debug.so auth=authinfo_unavail\n");
  match(await loginReply(server, "ann", "Ann's own"), /^NO \[UNAVAILABLE\]/);
  await logged(server, /^error: pam cannot be asked error="Authentication service cannot/m);
}, missingForUserdb);
