/** PAM services of the tests: files in /etc/pam.d, which only root may write. */

const FOLDER = "/etc/pam.d";

/** What is not there of what {@link pamService} needs. */
export function missingForPam(modules: readonly string[]): string[] {
  const missing: string[] = [];
  if (Deno.uid() !== 0 || !isFolder(FOLDER)) missing.push("right to write to /etc/pam.d");
  for (const name of modules) {
    const places = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"];
    if (!places.some((place) => isFile(`${place}/security/${name}.so`))) missing.push(name);
  }
  return missing;
}

function isFolder(path: string): boolean {
  return stat(path)?.isDirectory ?? false;
}

function isFile(path: string): boolean {
  return stat(path)?.isFile ?? false;
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

export interface PamService extends AsyncDisposable {
  readonly name: string;
  /** A folder for what the modules need. */
  readonly dir: string;
  /** Changes the lines of the service. */
  write(text: string): Promise<void>;
}

/** Makes a service with a name of its own. */
export async function pamService(lines: (dir: string) => string): Promise<PamService> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-pam-" });
  const name = `imapd-test-${crypto.randomUUID()}`;
  // A new file, so that a reader sees either the one or the other.
  const write = async (text: string) => {
    await Deno.writeTextFile(`${dir}/service`, text, { mode: 0o644 });
    await Deno.copyFile(`${dir}/service`, `${FOLDER}/.${name}`);
    await Deno.rename(`${FOLDER}/.${name}`, `${FOLDER}/${name}`);
  };
  await write(lines(dir));
  return {
    name,
    dir,
    write,
    async [Symbol.asyncDispose]() {
      await Deno.remove(`${FOLDER}/${name}`);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Lines that let a script decide: its status 0 is yes. It gets the password as its input. */
export function scriptLines(phase: "auth" | "account", script: string): string {
  const expose = phase === "auth" ? "expose_authtok " : "";
  return `${phase} [success=1 default=ignore] pam_exec.so quiet ${expose}${script}\n` +
    `${phase} requisite pam_deny.so\n${phase} required pam_permit.so\n`;
}
