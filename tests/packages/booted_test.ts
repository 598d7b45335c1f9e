import { match, notStrictEqual, strictEqual } from "node:assert/strict";
import { dirname } from "node:path";
import { buildPackage } from "../../scripts/package_deb.ts";
import { isInstalled, run } from "../clients/programs.ts";
import { compileHere } from "../compiled_program.ts";
import { BootedMachine, noMachine } from "./booted_machine.ts";

const PROGRAMS = ["unshare", "nsenter", "dpkg", "systemctl", "curl", "usermod"];

const CONFIG = `tls = "self_signed"
log = ["stderr", "/var/log/imapd/imapd.log"]
[[imap]]
listen = ["tls://127.0.0.1:993", { address = "unix://imap.sock", mode = "0660", group = "mail" }]
auth = "&local"
storage = { module = "maildir" }
[auth.local]
module = "pass_table"
table = { module = "file", path = "/var/lib/imapd/users" }
`;

const MAIL = "curl -sk --url 'imaps://127.0.0.1/INBOX;UID=1' -u ann:secret";

async function obstacle(): Promise<string | undefined> {
  const missing = PROGRAMS.filter((program) => !isInstalled(program));
  if (missing.length > 0) return `no ${missing.join(", ")} here`;
  return await noMachine();
}

async function packageHere(program: string, version: string): Promise<string> {
  return await buildPackage({
    program,
    architecture: "amd64",
    output: dirname(program),
    compression: "none",
    version,
  });
}

/** With sockets that systemd opens the server needs no capability. */
async function tryHandover(machine: BootedMachine): Promise<void> {
  // PrivateUsers cannot be tried: the kernel gives no user namespaces to who is in a chroot.
  await machine.does("mkdir -p /etc/systemd/system/imapd.service.d");
  await machine.does(
    `printf '[Service]\\nSockets=imapd.socket\\nAmbientCapabilities=\\n` +
      `CapabilityBoundingSet=\\n' ` +
      `>/etc/systemd/system/imapd.service.d/sockets.conf`,
  );
  await machine.does(
    `sed -i 's|^listen = .*|listen = ["fd+tls://imaps"]|' /etc/imapd/config.toml`,
  );
  await machine.does("systemctl daemon-reload && systemctl stop imapd");
  await machine.does("systemctl start imapd.socket");
  match(await machine.does(MAIL), /^Subject: kept/);
  const bare = await machine.does("cat /proc/$(systemctl show -P MainPID imapd)/status");
  match(bare, /^CapEff:\t0000000000000000$/m);
  match(bare, /^CapBnd:\t0000000000000000$/m);
  await machine.does("rm -r /etc/systemd/system/imapd.service.d && systemctl daemon-reload");
  await machine.does("systemctl stop imapd.socket imapd");
  await machine.does(`cat >/etc/imapd/config.toml <<'END'\n${CONFIG}END\n`);
  await machine.does("systemctl start imapd");
}

/** Listening on descriptors works from Deno 2.7.13. */
async function canListenOnDescriptors(): Promise<boolean> {
  const { stdout } = await run([Deno.env.get("DENO_COMPILE") ?? Deno.execPath(), "--version"]);
  const [major, minor, patch] = /^deno (\d+)\.(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ??
    [];
  return major > 2 || (major === 2 && (minor > 7 || (minor === 7 && patch >= 13)));
}

const handsOver = await canListenOnDescriptors();
const program = await compileHere();
const reason = program.skipped ?? await obstacle();
globalThis.addEventListener("unload", () => {
  if (program.path !== undefined) Deno.removeSync(dirname(program.path), { recursive: true });
});

Deno.test({
  name: "imapd.service: systemd runs what the package brings, confined, through upgrade and purge" +
    (reason !== undefined
      ? ` (skipped: ${reason})`
      : handsOver
      ? ""
      : " (imapd.socket is skipped: no Deno 2.7.13)"),
  ignore: reason !== undefined,
  async fn() {
    if (program.path === undefined) return;
    const [old, current] = [
      await packageHere(program.path, "0.0.1"),
      await packageHere(program.path, "0.0.2"),
    ];
    await using machine = await BootedMachine.boot();
    const state = async () => (await machine.run("systemctl is-active imapd")).stdout.trim();
    const pid = () => machine.does("systemctl show --property MainPID --value imapd");

    match(
      await machine.does(`dpkg -i --no-triggers --force-unsafe-io ${old}`),
      /there is no \/etc\/imapd\/config/,
    );
    strictEqual(await machine.does("systemctl is-enabled imapd"), "enabled\n");
    await machine.does("usermod --append --groups mail imapd");
    await machine.does("systemctl start imapd");
    strictEqual(await state(), "inactive");

    await machine.does(`cat >/etc/imapd/config.toml <<'END'\n${CONFIG}END\n`);
    await machine.does("echo secret | imapd user add ann");
    await machine.does("systemctl start imapd");
    await machine.does(
      "printf 'Subject: kept\\r\\n\\r\\n' >/root/mail && " +
        "curl -sk imaps://127.0.0.1/INBOX -u ann:secret -T /root/mail",
    );
    match(await machine.does(MAIL), /^Subject: kept/);
    match(
      await machine.does("stat -c '%A %U %G' /run/imapd/imap.sock"),
      /^srw-rw---- imapd mail$/m,
    );
    const status = await machine.does(`cat /proc/$(systemctl show -P MainPID imapd)/status`);
    match(status, /^CapEff:\t0000000000000400$/m);
    match(status, /^NoNewPrivs:\t1$/m);
    match(status, /^Seccomp:\t2$/m);
    await machine.does("systemctl reload imapd && mailbox=$(imapd mailbox list ann)");
    match(await machine.does("imapd doctor --repair ann"), /1 message in \d+ mailboxes/);

    // Inside, nothing but the server itself can be started.
    const inside = "nsenter -m -r -w -t $(systemctl show -P MainPID imapd) -S $(id -u imapd) --";
    match((await machine.run(`${inside} /usr/bin/id`)).stderr, /Permission denied/);
    match(await machine.does(`${inside} /usr/bin/imapd --version`), /^imapd /);

    const first = await pid();
    await machine.does(`dpkg -i --no-triggers --force-unsafe-io ${current}`);
    strictEqual(await state(), "active");
    const second = await pid();
    notStrictEqual(second, first);
    strictEqual(await machine.does("cat /etc/imapd/config.toml"), CONFIG);

    if (handsOver) await tryHandover(machine);
    const third = await pid();

    await machine.does("echo 'x = 1' >>/etc/imapd/config.toml");
    const faulty = await machine.run(`dpkg -i --no-triggers --force-unsafe-io ${current}`);
    match(faulty.stderr, /unknown key x|not started anew/);
    strictEqual(await pid(), third);
    await machine.does(`cat >/etc/imapd/config.toml <<'END'\n${CONFIG}END\n`);

    await machine.does("dpkg -r --no-triggers imapd");
    strictEqual(await state(), "inactive");
    await machine.does(`dpkg -i --no-triggers --force-unsafe-io ${current}`);
    match(await machine.does(MAIL), /^Subject: kept/);

    await machine.does("dpkg -P --no-triggers imapd");
    await machine.does("test ! -e /etc/imapd && test ! -e /var/log/imapd");
    match(await machine.does("cat /var/lib/imapd/mail/ann/cur/*"), /^Subject: kept/);
  },
});
