import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { verifyPassword } from "../../src/auth/hashing.ts";
import { parsePasswordHash } from "../../src/auth/password_hash.ts";
import { loadConfig } from "../../src/config/load.ts";
import { clientTest, run } from "../clients/programs.ts";
import { Authority, type Wanted } from "./authority.ts";
import { type MachineImage, machineImage } from "./machine_image.ts";
import { imapd } from "./program.ts";

const HOST = ["--hostname", "mail.example.org"];
const PASSWD = "root:x:0:0:root:/root:/bin/sh\nvmail:x:5000:5000::/var/vmail:/usr/sbin/nologin\n" +
  "ann:x:1000:1000:Ann:/home/ann:/bin/sh\n";
const GROUP = "root:x:0:\nvmail:x:5000:\npostfix:x:110:\nann:x:1000:\n";
const SYSTEM = { "/etc/passwd": PASSWD, "/etc/group": GROUP };
const MASTER = "smtp      inet  n       -       y       -       -       smtpd\n" +
  "lmtp      unix  -       -       y       -       -       lmtp\n";

async function check(image: MachineImage): Promise<void> {
  const { code, out, err } = await imapd([
    "check",
    "--config",
    `${image.root}/etc/imapd/config.toml`,
  ]);
  deepStrictEqual([code, err], [0, ""], out);
}

async function configOf(image: MachineImage) {
  return await loadConfig(`${image.root}/etc/imapd/config.toml`);
}

Deno.test("imapd init --yes makes a server of a bare machine, whose first user can log in", async () => {
  await using image = await machineImage({});
  const { code, out, err } = await image.init("--yes", ...HOST);
  deepStrictEqual([code, err], [0, ""], out);
  match(out, /ok {5}login: as postmaster@example\.org\n {2}ok {5}INBOX/);
  deepStrictEqual(await image.written(), [
    "/etc/imapd/config.toml",
    "/etc/imapd/users",
    "/etc/systemd/system/imapd.service",
  ]);
  await check(image);
  const [, password] = out.match(/password of postmaster@example\.org, shown only now: (\S+)/) ??
    [];
  match(password, /^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
  strictEqual(out.split(password).length, 2, "it is shown once");
  const users = await image.text("/etc/imapd/users");
  const hash = parsePasswordHash(users.replace(/^postmaster@example\.org: /, "").trim());
  ok(hash !== undefined && await verifyPassword(hash, password));
  const { mode } = await Deno.stat(`${image.root}/etc/imapd/users`);
  strictEqual((mode ?? 0) & 0o777, 0o640);
  match(out, /useradd --system .*\n.* imapd\n {4}chgrp imapd \/etc\/imapd\/config\.toml/);
  match(out, /_imaps\._tcp\.example\.org\. +3600 IN SRV +0 1 993 mail\.example\.org\./);
  match(out, /_submissions\._tcp\.example\.org\. +3600 IN SRV +0 0 0 \./);
});

Deno.test("imapd init writes the unit of the package, where the package is not", async () => {
  await using image = await machineImage({});
  strictEqual((await image.init("--yes", ...HOST, "--program", "/usr/bin/imapd")).code, 0);
  const sorted = (text: string) => text.split("\n").filter((line) => /^\w+=/.test(line)).sort();
  const unit = sorted(await image.text("/etc/systemd/system/imapd.service"));
  const packaged = sorted(
    await Deno.readTextFile(new URL("../../dist/imapd.service", import.meta.url)),
  );
  // Log files are for who names some in the config.
  deepStrictEqual(unit, packaged.filter((line) => !line.startsWith("LogsDirectory")));
});

Deno.test("imapd init takes what it is told, with the password from standard input", async () => {
  await using image = await machineImage(SYSTEM);
  const { code, out } = await imapd([
    ...["init", "--root", image.root, "--yes", "--hostname", "imap.example.net"],
    ...["--domain", "example.net", "--domain", "example.com", "--tls", "self_signed"],
    ...["--mail", "/srv/post/{domain}/{local}", "--user", "Ann@Example.NET", "--password-stdin"],
    ...["--service-user", "vmail", "--state-dir", "/srv/imapd", "--config", "/srv/imapd/c.toml"],
    ...["--program", "/opt/imapd/bin/imapd"],
  ], "open sesame\n");
  strictEqual(code, 0, out);
  ok(!out.includes("sesame"));
  const config = await loadConfig(`${image.root}/srv/imapd/c.toml`);
  strictEqual(config.hostname, "imap.example.net");
  strictEqual(config.stateDir, "/srv/imapd");
  strictEqual(config.imap[0].storage.path, "/srv/post/{domain}/{local}");
  match(await image.text("/srv/imapd/users"), /^ann@example\.net: argon2:/);
  const unit = await image.text("/etc/systemd/system/imapd.service");
  match(unit, /^ExecStart=\/opt\/imapd\/bin\/imapd --config \/srv\/imapd\/c\.toml$/m);
  match(
    unit,
    /^User=vmail\nSupplementaryGroups=postfix\nReadWritePaths=-\/srv\/imapd -\/srv\/post$/m,
  );
  match(out, /virtual_mailbox_domains = example\.net, example\.com'/);
  ok(!out.includes("useradd"));
});

Deno.test("imapd init overwrites nothing unasked, and changes nothing where it fails", async () => {
  await using image = await machineImage({ "/etc/imapd/config.toml": "mine\n" });
  const refused = await image.init("--yes", ...HOST);
  strictEqual(refused.code, 1);
  match(refused.err, /\/etc\/imapd\/config\.toml is there already: --force/);
  deepStrictEqual(await image.written(), ["/etc/imapd/config.toml"]);
  strictEqual(await image.text("/etc/imapd/config.toml"), "mine\n");
  const forced = await image.init("--yes", "--force", ...HOST);
  strictEqual(forced.code, 0, forced.err);
  strictEqual(await image.text("/etc/imapd/config.toml.old"), "mine\n");
  await check(image);
});

Deno.test("imapd init leaves nothing behind where the new config does not work", async () => {
  await using image = await machineImage({});
  const { code, out, err } = await image.init(
    "--yes",
    ...HOST,
    "--tls",
    "/nowhere/c.pem,/nowhere/k.pem",
  );
  strictEqual(code, 1);
  match(
    out,
    /FAILED start: Expected a certificate in PEM, got .*nowhere\/c\.pem, which does not exist/,
  );
  match(err, /Nothing was written/);
  deepStrictEqual(await Array.fromAsync(Deno.readDir(image.root)), []);
});

Deno.test("imapd init keeps the users that there are", async () => {
  await using image = await machineImage({ "/etc/imapd/users": "ann@example.org: bcrypt:x\n" });
  const { code, out } = await image.init("--yes", ...HOST, "--user", "bob@example.org");
  strictEqual(code, 0, out);
  match(
    await image.text("/etc/imapd/users"),
    /^ann@example\.org: bcrypt:x\nbob@example\.org: argon2:/,
  );
});

Deno.test("imapd init says what is wrong with its options", async () => {
  const cases: readonly [string[], RegExp][] = [
    [["--hostname", "a b"], /--hostname: Expected a host name such as mail\.example\.org, got a b/],
    [["--tls", "x"], /Expected acme, self_signed or CERT,KEY for --tls, got x/],
    [["--mail", "/srv/mail"], /--mail: Expected an absolute path with \{account\}/],
    [["--auth", "ldap"], /Expected file or pam for --auth, got ldap/],
    [["--service-user", "a;b"], /--service-user: Expected a user, got a;b/],
    [["--config", "/x/$(y)"], /--config: Expected an absolute path without blanks and quotes/],
    [["--user", "ann"], /Expected a whole mail address such as ann@example\.org, got ann/],
    [["--user", "a'b@example.org"], /Expected a user such as ann@example\.org/],
  ];
  await using image = await machineImage({});
  for (const [args, wanted] of cases) {
    const { code, err } = await image.init("--yes", ...args);
    strictEqual(code, 2, err);
    match(err, wanted);
  }
  const { code, err } = await image.init();
  strictEqual(code, 2);
  match(err, /Expected a terminal to ask on, or --yes/);
  deepStrictEqual(await image.written(), []);
});

/** Puts a certificate where a program keeps it; relative links are made as certbot makes them. */
async function certified(image: MachineImage, cert: string, key: string, wanted: Wanted) {
  const dir = `${image.root}/authority`;
  await Deno.mkdir(dir, { recursive: true });
  const authority = await Authority.make(dir);
  for (const path of [cert, key]) {
    await Deno.mkdir(`${image.root}${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
  }
  await authority.issue(`${image.root}${cert}`, `${image.root}${key}`, wanted);
  await Deno.chmod(`${image.root}${key}`, 0o600);
}

const OURS = { names: "DNS:mail.example.org" };

clientTest(
  ["openssl", "sh"],
  "imapd init takes certbot's certificate by copies that a hook renews",
  async () => {
    await using image = await machineImage(SYSTEM);
    const archive = "/etc/letsencrypt/archive/mail.example.org";
    const live = "/etc/letsencrypt/live/mail.example.org";
    await certified(image, `${archive}/fullchain1.pem`, `${archive}/privkey1.pem`, OURS);
    await Deno.mkdir(`${image.root}${live}`, { recursive: true });
    for (const name of ["fullchain", "privkey"]) {
      await Deno.symlink(
        `../../archive/mail.example.org/${name}1.pem`,
        `${image.root}${live}/${name}.pem`,
      );
    }
    await certified(
      image,
      "/etc/letsencrypt/live/www.example.org/fullchain.pem",
      "/etc/letsencrypt/live/www.example.org/privkey.pem",
      { names: "DNS:www.example.org" },
    );
    const { code, out } = await image.init("--yes", ...HOST);
    strictEqual(code, 0, out);
    match(out, /Not taking .*live\/www\.example\.org\/fullchain\.pem: it is for www\.example\.org/);
    match(out, /ok {5}login/);
    strictEqual(
      await image.text("/etc/imapd/tls/cert.pem"),
      await image.text(`${archive}/fullchain1.pem`),
    );
    const { mode } = await Deno.stat(`${image.root}/etc/imapd/tls/key.pem`);
    strictEqual((mode ?? 0) & 0o777, 0o640);
    const tls = (await configOf(image)).imap[0].tls?.loader;
    ok(tls?.module === "file");
    deepStrictEqual(tls.certs.map(({ path }) => path), ["/etc/imapd/tls/cert.pem"]);
    const hook = "/etc/letsencrypt/renewal-hooks/deploy/imapd";
    match(await image.text(hook), /install -m 0640 -g imapd "\$RENEWED_LINEAGE\/privkey\.pem"/);
    strictEqual(((await Deno.stat(`${image.root}${hook}`)).mode ?? 0) & 0o777, 0o755);
    deepStrictEqual((await run(["sh", "-n", `${image.root}${hook}`])).stderr, "");
  },
);

clientTest(
  ["openssl"],
  "imapd init names certificates where they are if its user may read them",
  async () => {
    await using image = await machineImage(SYSTEM);
    const folder = "/etc/letsencrypt/live/mail.example.org";
    await certified(image, `${folder}/fullchain.pem`, `${folder}/privkey.pem`, OURS);
    await Deno.chmod(`${image.root}${folder}/privkey.pem`, 0o644);
    const { code, out } = await image.init("--yes", ...HOST);
    strictEqual(code, 0, out);
    match(
      await image.text("/etc/imapd/config.toml"),
      new RegExp(`certs = \\["${folder}/fullchain`),
    );
  },
);

clientTest(["openssl"], "imapd init finds the certificates of acme.sh and of Caddy", async () => {
  await using acmeSh = await machineImage(SYSTEM);
  const folder = "/root/.acme.sh/mail.example.org_ecc";
  await certified(acmeSh, `${folder}/fullchain.cer`, `${folder}/mail.example.org.key`, OURS);
  const first = await acmeSh.init("--yes", ...HOST);
  strictEqual(first.code, 0, first.out);
  match(
    first.out,
    /acme\.sh --install-cert -d mail\.example\.org --ecc \\\n +--fullchain-file \/etc\/imapd\/tls\/cert\.pem/,
  );
  await using caddy = await machineImage(SYSTEM);
  const stored = "/var/lib/caddy/.local/share/caddy/certificates/acme-v02/mail.example.org";
  await certified(caddy, `${stored}/mail.example.org.crt`, `${stored}/mail.example.org.key`, OURS);
  const second = await caddy.init("--yes", ...HOST);
  strictEqual(second.code, 0, second.out);
  match(second.out, /systemctl enable --now imapd-certificate\.path/);
  match(
    await caddy.text("/etc/systemd/system/imapd-certificate.path"),
    new RegExp(`^PathChanged=${stored}/mail.example.org.crt$`, "m"),
  );
});

clientTest(["openssl"], "imapd init takes no certificate that has expired", async () => {
  await using image = await machineImage(SYSTEM);
  const folder = "/etc/letsencrypt/live/mail.example.org";
  const names = "DNS:mail.example.org";
  await certified(image, `${folder}/fullchain.pem`, `${folder}/privkey.pem`, { names, days: -1 });
  const { code, out } = await image.init("--yes", ...HOST);
  strictEqual(code, 0, out);
  match(out, /Not taking .*fullchain\.pem: it has expired on/);
  strictEqual((await configOf(image)).imap[0].tls?.loader.module, "self_signed");
});

/** SHA512-CRYPT of "secret", with few rounds so that the test is fast. */
const SHA512 = "$6$rounds=1000$saltsalt$" +
  "x".repeat(86);

const VIRTUAL = {
  ...SYSTEM,
  "/etc/hostname": "mail\n",
  "/etc/postfix/main.cf": "myhostname = mail.example.org\nmydomain = example.org\n" +
    "mydestination = $myhostname, $mydomain,\n    localhost\n" +
    "virtual_mailbox_domains = example.net\nrecipient_delimiter = +\ncompatibility_level = 3.6\n",
  "/etc/postfix/master.cf": MASTER,
  "/etc/dovecot/dovecot.conf":
    "protocols = imap # lmtp\n!include conf.d/*.conf\n!include_try local.conf\n",
  "/etc/dovecot/conf.d/10-mail.conf": "mail_location = maildir:/var/vmail/%d/%n\n",
  "/etc/dovecot/conf.d/10-auth.conf": "passdb {\n  driver = passwd-file\n" +
    "  args = scheme=SHA512-CRYPT username_format=%u /etc/dovecot/users\n}\n" +
    "userdb {\n  driver = static\n  args = uid=vmail gid=vmail home=/var/vmail/%d/%n\n}\n",
  "/etc/dovecot/users": `ann@example.org:${SHA512}:5000:5000::/var/vmail/example.org/ann\n` +
    "bob@example.net:{CRAM-MD5}0123:5000:5000::\n",
  "/usr/sbin/dovecot": "",
  "/var/vmail/example.org/ann/": "",
  "/var/vmail/example.net/bob/": "",
  "/var/vmail/lost+found/x": "",
};

Deno.test("imapd init takes over the mail and the users of Dovecot", async () => {
  await using image = await machineImage(VIRTUAL);
  await own(image, "/var/vmail/example.org/ann", 5000);
  await own(image, "/var/vmail/example.net/bob", 5000);
  const { code, out } = await image.init("--yes");
  strictEqual(code, 0, out);
  match(out, /Mail: \/var\/vmail\/\{domain\}\/\{local\}, 2 accounts \(Dovecot's config\)/);
  match(out, /Users of whom only Dovecot can say .* to be added anew if so: bob@example\.net/);
  const config = await configOf(image);
  deepStrictEqual(
    [config.hostname, config.imap[0].storage.path],
    ["mail.example.org", "/var/vmail/{domain}/{local}"],
  );
  strictEqual(await image.text("/etc/imapd/users"), `ann@example.org: ${SHA512}\n`);
  const unit = await image.text("/etc/systemd/system/imapd.service");
  if (Deno.uid() === 0) match(unit, /^User=vmail$/m);
  match(unit, /^ReadWritePaths=-\/var\/vmail$/m);
  match(out, /systemctl disable --now dovecot\.socket dovecot\n/);
  await check(image);
});

clientTest(
  ["postconf"],
  "imapd init prints commands that Postfix takes, and keeps what it has",
  async () => {
    await using image = await machineImage(VIRTUAL);
    const { out } = await image.init("--yes", "--domain", "example.org", "--domain", "example.net");
    const commands = out.split("\n").map((line) => line.trim())
      .filter((line) => line.startsWith("postconf "));
    const folder = `${image.root}/etc/postfix`;
    for (const command of commands) {
      const { code, stderr } = await run([
        "sh",
        "-c",
        command.replace("postconf", `postconf -c ${folder}`),
      ]);
      deepStrictEqual([code, stderr], [0, ""], command);
    }
    const value = async (...args: string[]) =>
      (await run(["postconf", "-c", folder, "-h", ...args])).stdout.trim();
    strictEqual(await value("mydestination"), "$myhostname, localhost");
    strictEqual(await value("virtual_mailbox_domains"), "example.net, example.org");
    strictEqual(await value("virtual_transport"), "lmtp:unix:/run/imapd/lmtp.sock");
    match(await value("smtpd_recipient_restrictions"), /reject_unverified_recipient$/);
    match(await value("-F", "lmtp/unix/chroot"), /n$/);
  },
);

Deno.test("imapd init takes over no users whom Dovecot keeps out, and no master users", async () => {
  const passdb = (name: string, more: string) =>
    `passdb {\n  driver = passwd-file\n  args = scheme=CRYPT /etc/dovecot/${name}\n${more}}\n`;
  await using image = await machineImage({
    ...SYSTEM,
    "/etc/dovecot/dovecot.conf": "mail_location = maildir:/var/vmail/%n\n" +
      passdb("denied", "  deny = yes\n") + passdb("masters", "  master = yes\n") +
      passdb("users", ""),
    "/etc/dovecot/denied": "bob@example.org:\n",
    "/etc/dovecot/masters": `master:${SHA512}\n`,
    "/etc/dovecot/users": `ann@example.org:${SHA512}\nbob@example.org:${SHA512}\n` +
      `hal@example.org:${SHA512}::::::nologin\n` +
      `fay@example.org:${SHA512}::::::allow_nets=10.0.0.0/8\n`,
  });
  const { code, out } = await image.init("--yes", ...HOST);
  strictEqual(code, 0, out);
  const names = (await image.text("/etc/imapd/users")).match(/^[^:\n]+(?=: )/gm);
  ok(names?.includes("ann@example.org"), String(names));
  for (const kept of ["bob@example.org", "master", "hal@example.org", "fay@example.org"]) {
    ok(!names?.includes(kept), kept);
  }
  match(out, /to be added anew if so: bob@example\.org, hal@example\.org, fay@example\.org/);
});

Deno.test("imapd init reads Dovecot 2.4, too", async () => {
  await using image = await machineImage({
    ...SYSTEM,
    "/etc/dovecot/dovecot.conf": "dovecot_config_version = 2.4.0\nmail_driver = maildir\n" +
      "mail_path = %{home}/Maildir\n" +
      "passdb passwd-file {\n  passwd_file_path = /etc/dovecot/%{user | domain}/passwd\n" +
      "  default_password_scheme = sha512-crypt\n}\n" +
      "userdb static {\n  fields {\n    home = /srv/vmail/%{user | domain}/%{user | username}\n  }\n}\n",
    "/etc/dovecot/example.org/passwd": `ann:${SHA512}\n`,
    "/srv/vmail/example.org/ann/Maildir/": "",
  });
  const { code, out } = await image.init("--yes", ...HOST);
  strictEqual(code, 0, out);
  strictEqual((await configOf(image)).imap[0].storage.path, "/srv/vmail/{domain}/{local}/Maildir");
  match(await image.text("/etc/imapd/users"), /^ann@example\.org: \$6\$/);
});

Deno.test("imapd init says what of Dovecot cannot stay as it is", async () => {
  for (
    const [location, why] of [
      ["mdbox:~/mdbox", /since it is kept as mdbox, not as Maildir/],
      ["maildir:~/Maildir:LAYOUT=fs", /since its folders have the layout fs/],
      ["maildir:/var/vmail/%2.256Nu/%u", /since its path has variables that imapd has not/],
    ] as const
  ) {
    await using image = await machineImage({
      "/etc/dovecot/dovecot.conf": `mail_location = ${location}\n`,
    });
    const { code, out } = await image.init("--yes", ...HOST);
    strictEqual(code, 0, out);
    match(out, why);
    strictEqual((await configOf(image)).imap[0].storage.path, "/var/lib/imapd/mail/{account}");
  }
});

Deno.test("imapd init finds where Postfix's own delivery put the mail", async () => {
  await using image = await machineImage({
    ...SYSTEM,
    "/etc/postfix/main.cf": "virtual_mailbox_base = /srv/boxes\n" +
      "virtual_mailbox_maps = hash:/etc/postfix/vmailbox\nvirtual_mailbox_domains = example.org\n",
    "/etc/postfix/vmailbox": "# boxes\nann@example.org  example.org/ann/mail/\n",
    "/srv/boxes/example.org/ann/mail/": "",
  });
  const { code, out } = await image.init("--yes", ...HOST);
  strictEqual(code, 0, out);
  strictEqual((await configOf(image)).imap[0].storage.path, "/srv/boxes/{domain}/{local}/mail");
  ok(!out.includes("reject_unverified_recipient"), "virtual_mailbox_maps tells who there is");
  match(out, /password of ann@example\.org/);
});

Deno.test("imapd init lets the users of the machine log in where the mail is theirs", async () => {
  await using image = await machineImage({
    ...SYSTEM,
    "/etc/postfix/main.cf": "myhostname = mail.example.org\nhome_mailbox = Maildir/\n" +
      "mydestination = $myhostname, example.org, localhost\n",
    "/etc/postfix/master.cf": MASTER,
    "/home/ann/Maildir/": "",
  });
  const { code, out } = await image.init("--yes");
  strictEqual(code, 0, out);
  const [imap] = (await configOf(image)).imap;
  deepStrictEqual([imap.auth[0].module, imap.storage.path], ["pam", "/home/{local}/Maildir"]);
  deepStrictEqual(
    [imap.storageMap.module, imap.authMap.module, imap.storage.deliveryMap.module],
    Array(3).fill("email_localpart_optional"),
  );
  match(await image.text("/etc/pam.d/imapd"), /^auth +required +pam_unix\.so$/m);
  const unit = await image.text("/etc/systemd/system/imapd.service");
  match(unit, /^User=root\nReadWritePaths=-\/home\nProtectHome=false$/m);
  match(out, /postconf -e 'mailbox_transport = lmtp:unix:/);
  ok(!out.includes("mydestination ="), "the domain is there already");
  await check(image);
});

clientTest(
  ["systemd-analyze"],
  "imapd init writes a unit that systemd takes, alone and beside the package's",
  async () => {
    await using image = await machineImage(SYSTEM);
    strictEqual((await image.init("--yes", ...HOST, "--program", "/bin/true")).code, 0);
    const unit = `${image.root}/etc/systemd/system/imapd.service`;
    // Only what the machine that runs the test has can be verified.
    await Deno.writeTextFile(
      unit,
      (await Deno.readTextFile(unit)).replace("Type=notify", "Type=exec"),
    );
    const verified = await run(["systemd-analyze", "verify", "--man=no", unit]);
    deepStrictEqual([verified.code, verified.stderr], [0, ""]);
    await using packaged = await machineImage({
      ...SYSTEM,
      "/usr/lib/systemd/system/imapd.service": "",
    });
    strictEqual((await packaged.init("--yes", ...HOST, "--program", "/usr/bin/imapd")).code, 0);
    strictEqual(
      await packaged.text("/etc/systemd/system/imapd.service.d/init.conf"),
      "# Made by `imapd init`.\n[Service]\nUser=imapd\nSupplementaryGroups=postfix\n",
    );
  },
);

async function own(image: MachineImage, path: string, uid: number): Promise<void> {
  if (Deno.uid() === 0) await Deno.chown(`${image.root}${path}`, uid, uid);
}
