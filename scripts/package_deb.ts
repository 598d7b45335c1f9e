/** Makes a Debian package around a compiled program: `deno run -A scripts/package_deb.ts`. */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { COMMANDS } from "../src/cli/commands.ts";
import { bashScript } from "../src/cli/completion/bash.ts";
import { fishScript } from "../src/cli/completion/fish.ts";
import { zshScript } from "../src/cli/completion/zsh.ts";
import { commandPage } from "../src/cli/manual/command_page.ts";
import { configPage } from "../src/cli/manual/config_page.ts";
import { print, printError } from "../src/cli/output.ts";
import { exampleConfig } from "../src/config/document.ts";
import { VERSION, VERSION_DATE } from "../src/version.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** For packages that nobody publishes. */
const MAINTAINER = "The imapd authors <nobody@imapd.invalid>";

/** What administrators may change. */
const CONFFILES = ["/etc/fail2ban/filter.d/imapd.conf", "/etc/logrotate.d/imapd"];

/** Architectures as Debian calls them. */
export const DEBIAN_ARCHITECTURES = ["amd64", "arm64"] as const;
export type DebianArchitecture = typeof DEBIAN_ARCHITECTURES[number];

export interface Package {
  /** Path of the compiled program. */
  readonly program: string;
  readonly architecture: DebianArchitecture;
  /** Folder that the package is put into. */
  readonly output: string;
  /** Such as "0.1.0"; that of the program unless given. */
  readonly version?: string;
  /** As `dpkg-deb -Z` takes it; xz, the smallest, unless given. */
  readonly compression?: "none" | "gzip" | "xz";
  /** Such as "Ann <ann@example.org>"; who publishes it has to be named. */
  readonly maintainer?: string;
}

/** A file of the package. */
interface PackedFile {
  /** Where it is installed, without the first slash. */
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode?: number;
}

/**
 * Makes the package and returns its path, `OUTPUT/imapd_VERSION_ARCH.deb`.
 *
 * @throws when a file is missing or `dpkg-deb` fails, with what it said
 */
export async function buildPackage(options: Package): Promise<string> {
  const { program, architecture, output, version = VERSION, compression = "xz" } = options;
  const maintainer = options.maintainer ?? MAINTAINER;
  const tree = await Deno.makeTempDir({ prefix: "imapd-deb-" });
  try {
    // mkdtemp(3) makes it for its owner alone, and its mode would become that of "/".
    await Deno.chmod(tree, 0o755);
    for (const file of await packedFiles(version, maintainer)) await put(tree, file);
    await Deno.mkdir(`${tree}/usr/bin`, { recursive: true });
    await Deno.copyFile(program, `${tree}/usr/bin/imapd`);
    await Deno.chmod(`${tree}/usr/bin/imapd`, 0o755);
    for (const file of await controlFiles(tree, { architecture, version, maintainer })) {
      await put(tree, file);
    }
    const path = `${output}/imapd_${version}_${architecture}.deb`;
    const { success, stderr } = await new Deno.Command("dpkg-deb", {
      args: ["--root-owner-group", `-Z${compression}`, "--build", tree, path],
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`dpkg-deb failed: ${new TextDecoder().decode(stderr)}`);
    return path;
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
}

async function packedFiles(version: string, maintainer: string): Promise<PackedFile[]> {
  return [
    { path: "lib/systemd/system/imapd.service", content: await source("dist/imapd.service") },
    { path: "lib/systemd/system/imapd.socket", content: await source("dist/imapd.socket") },
    { path: "usr/lib/sysusers.d/imapd.conf", content: await source("dist/imapd.sysusers") },
    { path: "usr/lib/tmpfiles.d/imapd.conf", content: await source("dist/imapd.tmpfiles") },
    { path: "etc/logrotate.d/imapd", content: await source("dist/imapd.logrotate") },
    {
      path: "etc/fail2ban/filter.d/imapd.conf",
      content: await source("dist/fail2ban/filter.d/imapd.conf"),
    },
    {
      path: "usr/share/doc/imapd/examples/fail2ban-jail.conf",
      content: await source("dist/fail2ban/jail.d/imapd.conf"),
    },
    { path: "usr/share/man/man1/imapd.1.gz", content: compressed(commandPage(COMMANDS)) },
    { path: "usr/share/man/man5/imapd-config.5.gz", content: compressed(configPage()) },
    { path: "usr/share/bash-completion/completions/imapd", content: bashScript(COMMANDS) },
    { path: "usr/share/zsh/vendor-completions/_imapd", content: zshScript(COMMANDS) },
    { path: "usr/share/fish/vendor_completions.d/imapd.fish", content: fishScript(COMMANDS) },
    { path: "usr/share/doc/imapd/copyright", content: await source("dist/debian/copyright") },
    {
      path: "usr/share/doc/imapd/changelog.gz",
      content: compressed(changelog(version, maintainer)),
    },
    { path: "usr/share/doc/imapd/NEWS.gz", content: compressed(await source("CHANGELOG.md")) },
    { path: "usr/share/doc/imapd/examples/config.toml", content: exampleConfig() },
    {
      path: "usr/share/lintian/overrides/imapd",
      content: await source("dist/debian/lintian-overrides"),
    },
  ];
}

type ControlFacts = Required<Pick<Package, "architecture" | "version" | "maintainer">>;

async function controlFiles(tree: string, facts: ControlFacts): Promise<PackedFile[]> {
  const scripts = ["postinst", "prerm", "postrm"].map(async (name) => ({
    path: `DEBIAN/${name}`,
    content: await source(`dist/debian/${name}`),
    mode: 0o755,
  }));
  return [
    ...await Promise.all(scripts),
    { path: "DEBIAN/control", content: control(facts, await installedSize(tree)) },
    { path: "DEBIAN/conffiles", content: CONFFILES.map((path) => `${path}\n`).join("") },
    { path: "DEBIAN/md5sums", content: await md5sums(tree) },
  ];
}

/** @param size in KiB */
function control({ architecture, version, maintainer }: ControlFacts, size: number): string {
  return [
    "Package: imapd",
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${size}`,
    "Section: mail",
    "Priority: optional",
    // What Deno's runtime is linked with
    "Depends: libc6 (>= 2.27), libgcc-s1, passwd",
    "Recommends: systemd",
    "Suggests: default-mta | mail-transport-agent, logrotate, fail2ban",
    "Provides: imap-server",
    "Description: IMAP server in one executable",
    " imapd gives mail programs access to mail in Maildirs, by IMAP over TLS. It",
    " needs no database server and no other daemon beside the mail transport agent.",
    " .",
    " Its config is made by `imapd init`; the service does not start before.",
    "",
  ].join("\n");
}

/** Debian's form of a changelog; what changed is in NEWS. */
function changelog(version: string, maintainer: string): string {
  const date = new Date(`${VERSION_DATE}T00:00:00Z`).toUTCString().replace("GMT", "+0000");
  return `imapd (${version}) stable; urgency=medium\n\n` +
    "  * What changed is told by /usr/share/doc/imapd/NEWS.gz.\n\n" +
    ` -- ${maintainer}  ${date}\n`;
}

async function installedSize(tree: string): Promise<number> {
  let size = 0;
  for await (const path of filesBelow(tree)) size += (await Deno.stat(path)).size;
  return Math.ceil(size / 1024);
}

async function md5sums(tree: string): Promise<string> {
  const paths = (await Array.fromAsync(filesBelow(tree))).map((path) => path.slice(tree.length + 1))
    .filter((path) => !path.startsWith("etc/") && !path.startsWith("DEBIAN/")).sort();
  const { success, stdout } = await new Deno.Command("md5sum", { args: paths, cwd: tree }).output();
  if (!success) throw new Error("md5sum failed");
  return new TextDecoder().decode(stdout);
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(path);
    else yield path;
  }
}

/** Without a time, so that the same source makes the same file. */
function compressed(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}

async function source(path: string): Promise<string> {
  return await Deno.readTextFile(`${ROOT}${path}`);
}

/** Modes do not depend on the umask. */
async function put(tree: string, { path, content, mode = 0o644 }: PackedFile): Promise<void> {
  const levels = path.split("/").slice(0, -1);
  for (const i of levels.keys()) {
    const folder = `${tree}/${levels.slice(0, i + 1).join("/")}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.chmod(folder, 0o755);
  }
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(`${tree}/${path}`, bytes);
  await Deno.chmod(`${tree}/${path}`, mode);
}

/** @throws {Error} for another one */
function architectureNamed(name: string): DebianArchitecture {
  const found = DEBIAN_ARCHITECTURES.find((each) => each === name);
  if (found !== undefined) return found;
  throw new Error(`Expected ${DEBIAN_ARCHITECTURES.join(" or ")} for --architecture, got ${name}`);
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: {
        program: { type: "string", default: "imapd" },
        architecture: {
          type: "string",
          default: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
        },
        output: { type: "string", default: "." },
        maintainer: { type: "string" },
      },
    });
    const { program, output, maintainer } = values;
    const architecture = architectureNamed(values.architecture);
    print(`Made ${await buildPackage({ program, output, maintainer, architecture })}`);
  } catch (error) {
    printError(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
