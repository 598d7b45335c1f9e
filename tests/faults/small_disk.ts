/** A small file system of memory, for what happens when it is full or read-only; root only. */

import { clientTest, run } from "../clients/programs.ts";

/** A mounted file system. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all room that is left; what is returned gives it back. */
  fill(): () => void;
  /** Makes files until there can be no more of them. */
  useUpInodes(): void;
  remount(option: "ro" | "rw"): Promise<void>;
}

/** Mounts a file system of so many KiB at `path`, with so many inodes. */
export async function smallDisk(
  path: string,
  kib: number,
  inodes = 10_000,
): Promise<SmallDisk> {
  await Deno.mkdir(path, { recursive: true });
  await mount(["-t", "tmpfs", "-o", `size=${kib}k,nr_inodes=${inodes},mode=0755`, "tmpfs", path]);
  return {
    path,
    fill() {
      const ballast = `${path}/ballast`;
      using file = Deno.openSync(ballast, { write: true, create: true });
      for (const size of [65_536, 4096]) {
        try {
          for (;;) file.writeSync(new Uint8Array(size));
        } catch {
          // It is full.
        }
      }
      return () => Deno.removeSync(ballast);
    },
    useUpInodes() {
      try {
        for (let i = 0;; i++) Deno.writeTextFileSync(`${path}/ballast${i}`, "");
      } catch {
        // There are none.
      }
    },
    remount: (option) => mount(["-o", `remount,${option}`, path]),
    async [Symbol.asyncDispose]() {
      await run(["umount", "-l", path]);
    },
  };
}

async function mount(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(["mount", ...args]);
  if (code !== 0) throw new Error(`Expected mount to work: got ${stderr}`);
}

/** A test that mounts file systems, and needs some programs. */
export function mountingTest(
  name: string,
  fn: () => Promise<void>,
  programs: readonly string[] = [],
): void {
  if (mounts()) return clientTest(programs, name, fn);
  Deno.test.ignore(`${name} (skipped: file systems cannot be mounted here)`, fn);
}

function mounts(): boolean {
  const dir = Deno.makeTempDirSync({ prefix: "imapd-mount-" });
  try {
    const mounted = new Deno.Command("mount", { args: ["-t", "tmpfs", "tmpfs", dir] }).outputSync();
    if (!mounted.success) return false;
    return new Deno.Command("umount", { args: [dir] }).outputSync().success;
  } catch {
    return false;
  } finally {
    Deno.removeSync(dir);
  }
}
