import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { clientTest, type Finished, isInstalled, run } from "../clients/programs.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/install.sh", import.meta.url));
const PROGRAM = gzipSync("#!/bin/sh\necho imapd 1.2.3\n");
const BROKEN = gzipSync("#!/bin/sh\nexit 3\n");
const LINUX = "imapd-linux-x86_64.gz";

/** What a request for a file of a release is answered with; undefined: there is none. */
type Answer = Uint8Array | string | ReadableStream | undefined;

/** A release on a real HTTP server, and a place to install it to. */
class Site implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(readonly dir: string, files: Readonly<Record<string, () => Answer>>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { pathname } = new URL(request.url);
      this.asked.push(pathname);
      const answer = files[pathname.slice(pathname.lastIndexOf("/") + 1)]?.();
      if (answer === undefined) return new Response("none", { status: 404 });
      return new Response(typeof answer === "string" ? answer : answer as BodyInit);
    });
  }

  static async make(files: Readonly<Record<string, () => Answer>> = release()): Promise<Site> {
    const dir = await Deno.makeTempDir({ prefix: "imapd-install-" });
    await Deno.mkdir(`${dir}/tmp`);
    await Deno.mkdir(`${dir}/tools`);
    return new Site(dir, files);
  }

  get releases(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/releases`;
  }

  /** Puts a script before all other programs. */
  async pretend(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.dir}/tools/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  async install(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Finished> {
    return await run(["/bin/sh", SCRIPT, "--prefix", `${this.dir}/prefix`, ...args], {
      env: {
        PATH: `${this.dir}/tools:${Deno.env.get("PATH")}`,
        TMPDIR: `${this.dir}/tmp`,
        IMAPD_RELEASES: this.releases,
        ...env,
      },
    });
  }

  /** All files that there are in the prefix, and what was left in the folder for temporary ones. */
  async left(): Promise<string[]> {
    const names: string[] = [];
    for (const folder of ["prefix/bin", "tmp"]) {
      try {
        for await (const { name } of Deno.readDir(`${this.dir}/${folder}`)) names.push(name);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    return names.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await Deno.remove(this.dir, { recursive: true });
  }
}

function sums(name: string, content: Uint8Array): string {
  return `${"0".repeat(64)}  other\n${
    createHash("sha256").update(content).digest("hex")
  }  ${name}\n`;
}

function release(name = LINUX, program: Uint8Array = PROGRAM): Record<string, () => Answer> {
  return { SHA256SUMS: () => sums(name, program), [name]: () => program };
}

/** All of `content` is announced, and half of it comes. */
function cutShort(content: Uint8Array): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(content.slice(0, content.length / 2));
    },
    pull(controller) {
      controller.error(new Error("cut short"));
    },
  });
}

/** The test's own machine counts as Linux with x86-64. */
async function onLinux(site: Site): Promise<void> {
  await site.pretend("uname", '[ "$1" = -s ] && echo Linux || echo x86_64');
}

clientTest(["curl", "gzip"], "install.sh installs the newest release", async () => {
  await using site = await Site.make();
  await onLinux(site);
  const { code, stdout, stderr } = await site.install();
  deepStrictEqual([code, stderr], [0, ""]);
  match(stdout, /^Installed imapd 1\.2\.3 as .*\/prefix\/bin\/imapd$/m);
  match(stdout, /^Put .*\/prefix\/bin into your PATH$/m);
  match(stdout, /imapd (init|check)/);
  deepStrictEqual(await site.left(), ["imapd"]);
  strictEqual(((await Deno.stat(`${site.dir}/prefix/bin/imapd`)).mode ?? 0) & 0o777, 0o755);
  deepStrictEqual(site.asked, [
    "/releases/latest/download/SHA256SUMS",
    `/releases/latest/download/${LINUX}`,
  ]);
});

clientTest(["wget", "gzip"], "install.sh works with wget alone", async () => {
  await using site = await Site.make();
  const tools = "awk cat chmod cut grep gzip ldd mkdir mktemp mv rm sha256sum wget bash sed".split(
    " ",
  );
  for (const tool of tools.filter(isInstalled)) {
    const folder = Deno.env.get("PATH")?.split(":").find((each) => exists(`${each}/${tool}`));
    await Deno.symlink(`${folder}/${tool}`, `${site.dir}/tools/${tool}`);
  }
  await onLinux(site);
  const { code, stderr } = await site.install([], { PATH: `${site.dir}/tools` });
  deepStrictEqual([code, stderr], [0, ""]);
  deepStrictEqual(await site.left(), ["imapd"]);
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

clientTest(["curl", "gzip"], "install.sh installs the version that is asked for", async () => {
  await using site = await Site.make();
  await onLinux(site);
  strictEqual((await site.install(["--version", "v1.2.3"])).code, 0);
  ok(site.asked.includes(`/releases/download/v1.2.3/${LINUX}`));
  const other = await site.install(["--version", "1.2.4"]);
  strictEqual(other.code, 1);
  match(other.stderr, /Expected imapd 1\.2\.4, got imapd 1\.2\.3: nothing was changed/);
  const odd = await site.install(["--version", "../../x"]);
  match(odd.stderr, /Expected a version such as 0\.1\.0, got \.\.\/\.\.\/x/);
});

const FAILURES: readonly [string, () => Record<string, () => Answer>, RegExp][] = [
  [
    "another checksum",
    () => ({ ...release(), [LINUX]: () => BROKEN }),
    /Expected imapd-linux-x86_64\.gz with the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}/,
  ],
  ["no checksum", () => ({ ...release(), SHA256SUMS: () => sums("x", PROGRAM) }), /got none/],
  [
    "a download that breaks off",
    () => ({ ...release(), [LINUX]: () => cutShort(PROGRAM) }),
    /Could not download http.*imapd-linux-x86_64\.gz/,
  ],
  [
    "half of the file",
    () => ({ ...release(), [LINUX]: () => PROGRAM.slice(0, 20) }),
    /with the SHA-256/,
  ],
  ["no such release", () => ({}), /Could not download http.*SHA256SUMS/],
  ["a program that does not run", () => release(LINUX, BROKEN), /does not run on this machine/],
];

for (const [what, files, message] of FAILURES) {
  clientTest(["curl", "gzip"], `install.sh leaves all as it was: ${what}`, async () => {
    await using site = await Site.make(files());
    await onLinux(site);
    await Deno.mkdir(`${site.dir}/prefix/bin`, { recursive: true });
    await Deno.writeTextFile(`${site.dir}/prefix/bin/imapd`, "old");
    const { code, stderr } = await site.install();
    strictEqual(code, 1);
    match(stderr, message);
    match(stderr, /nothing was changed/);
    deepStrictEqual(await site.left(), ["imapd"]);
    strictEqual(await Deno.readTextFile(`${site.dir}/prefix/bin/imapd`), "old");
  });
}

const MACHINES: readonly [string, string, string, RegExp][] = [
  ["Linux", "aarch64", "", /\/imapd-linux-aarch64\.gz,/],
  ["Darwin", "arm64", "", /\/imapd-macos-aarch64\.gz,/],
  ["Darwin", "x86_64", "", /\/imapd-macos-x86_64\.gz,/],
  ["Darwin", "x86_64", "echo 1", /\/imapd-macos-aarch64\.gz,/],
  ["FreeBSD", "amd64", "", /Expected Linux or macOS, got FreeBSD/],
  ["Linux", "riscv64", "", /Expected a processor with x86-64 or arm64, got riscv64/],
];

clientTest(
  ["curl"],
  "install.sh --dry-run names the program of the machine, and asks nobody",
  async () => {
    await using site = await Site.make();
    for (const [system, machine, sysctl, message] of MACHINES) {
      await site.pretend("uname", `[ "$1" = -s ] && echo ${system} || echo ${machine}`);
      await site.pretend("sysctl", sysctl);
      const { stdout, stderr } = await site.install(["--dry-run"]);
      match(stdout + stderr, message);
    }
    await onLinux(site);
    await site.pretend("ldd", "echo 'musl libc (x86_64)' >&2; exit 1");
    const musl = await site.install();
    strictEqual(musl.code, 1);
    match(musl.stderr, /Expected a Linux with glibc, got one with musl/);
    deepStrictEqual([site.asked, await site.left()], [[], []]);
  },
);

clientTest(["curl"], "install.sh takes no program from addresses without HTTPS", async () => {
  await using site = await Site.make();
  await onLinux(site);
  for (const address of ["http://example.org/releases", "@RELEASES@", "ftp://127.0.0.1:1/"]) {
    const { code, stderr } = await site.install([], { IMAPD_RELEASES: address });
    strictEqual(code, 1);
    ok(stderr.includes(`Expected the releases at https://, got ${address}`), stderr);
  }
});

Deno.test("install.sh does nothing when only a part of it came", async () => {
  const text = await Deno.readTextFile(SCRIPT);
  match(text, /\nmain "\$@"\n$/);
  await using site = await Site.make();
  await onLinux(site);
  const part = `${site.dir}/part.sh`;
  await Deno.writeTextFile(part, text.slice(0, text.lastIndexOf("main")));
  const { code, stdout } = await run(["/bin/sh", part], {
    env: { IMAPD_RELEASES: site.releases, HOME: site.dir },
  });
  deepStrictEqual([code, stdout, site.asked], [0, "", []]);
});
