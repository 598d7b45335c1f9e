/** A machine below a folder, for `imapd init --root`. */

import { imapd, type Result } from "./program.ts";

/** Files of a machine, and the program that works on them. */
export interface MachineImage extends AsyncDisposable {
  readonly root: string;
  init(...args: string[]): Promise<Result>;
  text(path: string): Promise<string>;
  /** All files below the folders that `init` writes to. */
  written(): Promise<string[]>;
}

/** @param files texts by path; those of Maildirs end in "/" and are made with cur, new and tmp */
export async function machineImage(files: Readonly<Record<string, string>>): Promise<MachineImage> {
  const root = await Deno.makeTempDir({ prefix: "imapd-root-" });
  for (const [path, text] of Object.entries(files)) {
    const real = `${root}${path}`;
    if (path.endsWith("/")) {
      for (const name of ["cur", "new", "tmp"]) {
        await Deno.mkdir(`${real}${name}`, { recursive: true });
      }
      continue;
    }
    await Deno.mkdir(real.slice(0, real.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(real, text);
  }
  return {
    root,
    init: (...args) => imapd(["init", "--root", root, ...args]),
    text: (path) => Deno.readTextFile(`${root}${path}`),
    async written() {
      const found: string[] = [];
      for (const folder of ["/etc/imapd", "/etc/systemd", "/etc/pam.d", "/var/lib/imapd"]) {
        found.push(...await filesBelow(root, folder));
      }
      return found;
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

async function filesBelow(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(`${root}${folder}`)) {
      if (isDirectory) found.push(...await filesBelow(root, `${folder}/${name}`));
      else found.push(`${folder}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort();
}
