import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { dirname } from "node:path";
import { buildPackage } from "../../scripts/package_deb.ts";
import { bashScript } from "../../src/cli/completion/bash.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { VERSION } from "../../src/version.ts";
import { clientTest, isInstalled, run } from "../clients/programs.ts";
import { compileHere } from "../compiled_program.ts";

const ROOT = new URL("../../", import.meta.url);
const MAINTAINER = "Ann <ann@users.noreply.github.com>";
const CONFIG = "etc/imapd/config.toml";
const MAIL = "var/lib/imapd/mail/ann/cur/1.a:2,S";

/** A system of nothing but dpkg's own files, and packages for it. */
class Machine implements AsyncDisposable {
  private constructor(readonly root: string, readonly program: string) {}

  static async make(): Promise<Machine> {
    const root = await Deno.makeTempDir({ prefix: "imapd-deb-" });
    await Deno.chmod(root, 0o755);
    for (const folder of ["etc", "var/lib/dpkg/info", "var/lib/dpkg/updates", "packages"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    await Deno.writeTextFile(`${root}/var/lib/dpkg/status`, "");
    const { path } = await compileHere();
    if (path !== undefined) {
      await Deno.rename(path, `${root}/packages/imapd`);
      await Deno.remove(dirname(path));
    } else {
      const text = `#!/bin/sh\necho imapd ${VERSION}\n`;
      await Deno.writeTextFile(`${root}/packages/imapd`, text, { mode: 0o755 });
    }
    return new Machine(root, `${root}/packages/imapd`);
  }

  async build(version: string): Promise<string> {
    return await buildPackage({
      program: this.program,
      architecture: "amd64",
      output: `${this.root}/packages`,
      compression: "none",
      maintainer: MAINTAINER,
      version,
    });
  }

  /** Runs dpkg and returns what it printed. */
  async dpkg(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run([
      "dpkg",
      `--root=${this.root}`,
      // What it depends on is installed on the machine of the test, not in its folder.
      "--force-depends",
      "--force-script-chrootless",
      ...args,
    ]);
    strictEqual(code, 0, stderr);
    return stdout;
  }

  async write(path: string, text: string): Promise<void> {
    await Deno.mkdir(dirname(`${this.root}/${path}`), { recursive: true });
    await Deno.writeTextFile(`${this.root}/${path}`, text);
  }

  async read(path: string): Promise<string | undefined> {
    return await Deno.readTextFile(`${this.root}/${path}`).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

async function source(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** dpkg gives files to the user imapd, which only root may. */
function rootTest(programs: readonly string[], name: string, fn: () => Promise<void>): void {
  if (Deno.uid() === 0) clientTest(programs, name, fn);
  else Deno.test({ name: `${name} (skipped: not root)`, ignore: true, fn });
}

const PROGRAMS = ["dpkg", "dpkg-deb", "systemd-sysusers", "systemd-tmpfiles"];

rootTest(PROGRAMS, "buildPackage(): dpkg installs, upgrades, removes and purges it", async () => {
  await using machine = await Machine.make();
  await machine.dpkg("-i", await machine.build("0.0.1"));

  const { stdout } = await run([`${machine.root}/usr/bin/imapd`, "--version"]);
  strictEqual(stdout, `imapd ${VERSION}\n`);
  const unit = "lib/systemd/system/imapd.service";
  strictEqual(await machine.read(unit), await source("dist/imapd.service"));
  const wanted = `${machine.root}/etc/systemd/system/multi-user.target.wants/imapd.service`;
  if (isInstalled("deb-systemd-helper")) strictEqual(await Deno.readLink(wanted), `/${unit}`);
  match(await machine.read("etc/passwd") ?? "", /^imapd:x:\d+:\d+:IMAP server:\/var\/lib\/imapd:/m);
  const user = Number((await machine.read("etc/passwd"))?.match(/^imapd:x:(\d+)/m)?.[1]);
  const state = await Deno.stat(`${machine.root}/var/lib/imapd`);
  deepStrictEqual([state.uid, (state.mode ?? 0) & 0o777], [user, 0o750]);
  const folder = await Deno.stat(`${machine.root}/etc/imapd`);
  deepStrictEqual([folder.uid, (folder.mode ?? 0) & 0o777], [0, 0o750]);
  strictEqual(await machine.read(CONFIG), undefined);
  const completion = await machine.read("usr/share/bash-completion/completions/imapd");
  strictEqual(completion, bashScript(COMMANDS));

  await machine.write(CONFIG, "# mine\n");
  await machine.write(MAIL, "Subject: x\n");
  await machine.write("etc/logrotate.d/imapd", "# none\n");
  await machine.dpkg("-i", await machine.build("0.0.2"));
  match(await machine.read("var/lib/dpkg/status") ?? "", /^Version: 0\.0\.2$/m);
  strictEqual(await machine.read(CONFIG), "# mine\n");
  strictEqual(await machine.read("etc/logrotate.d/imapd"), "# none\n");

  await machine.dpkg("-r", "imapd");
  strictEqual(await machine.read("usr/bin/imapd"), undefined);
  strictEqual(await machine.read(CONFIG), "# mine\n");
  strictEqual(await machine.read(MAIL), "Subject: x\n");

  match(await machine.dpkg("-P", "imapd"), /mail and users are kept/);
  strictEqual(await machine.read(CONFIG), undefined);
  strictEqual(await machine.read("etc/logrotate.d/imapd"), undefined);
  strictEqual(await machine.read(MAIL), "Subject: x\n");
});

clientTest(["dpkg-deb", "lintian"], "buildPackage(): lintian finds nothing", async () => {
  const output = await Deno.makeTempDir();
  try {
    const path = await buildPackage({
      program: "/bin/true",
      architecture: "amd64",
      output,
      compression: "gzip",
      maintainer: MAINTAINER,
    });
    strictEqual(path, `${output}/imapd_${VERSION}_amd64.deb`);
    const { stdout } = await run(["lintian", "--allow-root", path]);
    strictEqual(stdout, "");
  } finally {
    await Deno.remove(output, { recursive: true });
  }
});

clientTest(["shellcheck"], "the scripts of the packages are sound sh", async () => {
  const files = [
    "scripts/install.sh",
    ...["postinst", "prerm", "postrm"].map((name) => `dist/debian/${name}`),
  ];
  const paths = files.map((file) => new URL(file, ROOT).pathname);
  deepStrictEqual(await run(["shellcheck", "-s", "sh", ...paths]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
});

clientTest(["systemd-analyze"], "imapd.service is valid and confined", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const unit = await source("dist/imapd.service");
    const path = `${dir}/imapd.service`;
    // systemd looks whether the program is there.
    await Deno.writeTextFile(path, unit.replace("/usr/bin/imapd", "/bin/true"));
    const verified = await run(["systemd-analyze", "verify", "--man=no", path]);
    deepStrictEqual([verified.code, verified.stderr], [0, ""]);
    const security = ["systemd-analyze", "security", "--offline=true", "--threshold=20", path];
    const { code, stdout } = await run(security);
    strictEqual(code, 0, stdout);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("docs/running.md shows the unit that there is", async () => {
  const unit = (await source("dist/imapd.service")).replace(/^(?=.)/gm, "    ");
  ok((await source("docs/running.md")).includes(`\n\n${unit}\n`));
});
