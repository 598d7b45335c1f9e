/** Writes all files of a new server, or none. */

import { basename, dirname, join } from "node:path";
import type { Machine, SystemUser } from "./machine.ts";

/** A file to write. */
export interface SetupFile {
  /** Of the machine. */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** The server's user may read it, by its group. */
  readonly forService?: boolean;
  /** What is there is part of the new text already. */
  readonly mayReplace?: boolean;
}

/** Files that lie beside their places until they are all there. */
export class StagedFiles {
  readonly #staged: { readonly file: SetupFile; readonly real: string; readonly at: string }[] = [];
  readonly #folders: string[] = [];
  #done = false;

  private constructor(private readonly machine: Machine) {}

  /** @throws {Error} when one cannot be written; then nothing is left behind */
  static write(
    machine: Machine,
    files: readonly SetupFile[],
    service: SystemUser | undefined,
  ): StagedFiles {
    const staged = new StagedFiles(machine);
    try {
      for (const file of files) staged.#write(file, service);
      return staged;
    } catch (error) {
      staged.discard();
      throw error;
    }
  }

  /** Where the new file at `path` is for now; undefined where it is none of these. */
  at(path: string): string | undefined {
    return this.#staged.find(({ file }) => file.path === path)?.at;
  }

  /**
   * Puts all in their places. What was there is kept under a name that ends in `.old`.
   *
   * @throws {Error} when one cannot be put there; then all is as it was
   */
  commit(): void {
    const undo: (() => void)[] = [];
    try {
      for (const { file, real, at } of this.#staged) {
        const old = `${real}.old`;
        if (exists(real)) {
          if (file.mayReplace) Deno.copyFileSync(real, old);
          else Deno.renameSync(real, old);
          undo.push(() => Deno.renameSync(old, real));
        } else undo.push(() => Deno.removeSync(real));
        Deno.renameSync(at, real);
      }
      this.#done = true;
    } catch (error) {
      for (const each of undo.reverse()) attempt(each);
      this.discard();
      throw error;
    }
  }

  /** Removes what was not put in its place. */
  discard(): void {
    if (this.#done) return;
    this.#done = true;
    for (const { at } of this.#staged) attempt(() => Deno.removeSync(at));
    // From the inside out; what others put there meanwhile stays.
    for (const folder of this.#folders.reverse()) attempt(() => Deno.removeSync(folder));
  }

  #write(file: SetupFile, service: SystemUser | undefined): void {
    const real = this.machine.real(file.path);
    this.#makeFolder(dirname(real), file.forService === true ? service : undefined);
    const at = join(dirname(real), `.${basename(real)}.init-${Deno.pid}`);
    this.#staged.push({ file, real, at });
    Deno.writeTextFileSync(at, file.text, { mode: file.mode, createNew: true });
    Deno.chmodSync(at, file.mode);
    if (file.forService && service !== undefined && Deno.uid() === 0) {
      Deno.chownSync(at, 0, service.gid);
    }
  }

  #makeFolder(path: string, service: SystemUser | undefined): void {
    if (exists(path)) return;
    this.#makeFolder(dirname(path), service);
    Deno.mkdirSync(path, { mode: 0o755 });
    this.#folders.push(path);
  }
}

/** Those of `files` that are there already and must not be replaced unasked. */
export function filesInTheWay(machine: Machine, files: readonly SetupFile[]): readonly string[] {
  return files.filter(({ path, mayReplace }) => !mayReplace && exists(machine.real(path)))
    .map(({ path }) => path);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // It is not there, or not ours any more.
  }
}
