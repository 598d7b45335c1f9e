/** Puts the files of messages into a backup: as links where that is as good, else as copies. */

import type { SnapshotFile } from "../store/store.ts";
import { codeOf, copyFile, hashFile, linkFile, lstat, Several } from "./files.ts";
import type { FileEntry } from "./manifest.ts";

/** An account in an earlier backup. */
export interface Earlier {
  /** Its folder there. */
  readonly path: string;
  readonly files: readonly FileEntry[];
}

/** How often each was done. */
export interface MessageCounts {
  linked: number;
  copied: number;
  copiedOctets: number;
}

/** Takes the messages of one account. */
export class MessageFiles {
  readonly entries: FileEntry[] = [];
  readonly counts: MessageCounts = { linked: 0, copied: 0, copiedOctets: 0 };
  /** Files that are nowhere. */
  readonly missing: SnapshotFile[] = [];
  /** Of {@link entries}. */
  octets = 0;
  readonly #root: string;
  readonly #to: string;
  readonly #earlier: Earlier | undefined;
  readonly #known: ReadonlyMap<string, FileEntry>;
  readonly #linksToMail: boolean;
  readonly #copies = new Several();
  /** Names by their base, of directories in which files were looked for. */
  readonly #listings = new Map<string, Map<string, string>>();

  /**
   * @param root the account's folder
   * @param to its folder in the backup, in which those of mailboxes are there
   * @param linksToMail whether links to the mail itself are good enough
   */
  constructor(
    root: string,
    to: string,
    { earlier, linksToMail }: { earlier: Earlier | undefined; linksToMail: boolean },
  ) {
    this.#root = root;
    this.#to = to;
    this.#earlier = earlier;
    this.#linksToMail = linksToMail;
    this.#known = new Map(earlier?.files.map((entry) => [keyOf(entry.path), entry]));
  }

  async take(file: SnapshotFile): Promise<void> {
    const { folder, directory, name } = file;
    const path = pathOf(folder, directory, name);
    let from = `${this.#root}/${path}`;
    for (let tries = 0; tries < 5; tries++) {
      const stat = lstat(from);
      if (stat?.isFile()) {
        try {
          return await this.#put(from, path, stat);
        } catch (error) {
          // It got another name just now.
          if (codeOf(error) !== "ENOENT") throw error;
        }
      } else if (stat !== undefined) break;
      const found = this.#find(file, tries === 0);
      if (found === undefined && tries > 0) break;
      if (found !== undefined) from = found;
    }
    this.missing.push(file);
  }

  /** Settles when all is on the disk but the folders. */
  async end(): Promise<void> {
    await this.#copies.end();
  }

  async #put(
    from: string,
    path: string,
    stat: { size: number; mtimeMs: number },
  ): Promise<void> {
    const { size } = stat;
    const modified = Math.floor(stat.mtimeMs);
    const to = `${this.#to}/${path}`;
    const known = this.#known.get(keyOf(path));
    if (known !== undefined && known.size === size && known.modified === modified) {
      if (this.#linkEarlier(known, to)) return this.#linked({ ...known, path });
    }
    if (this.#linksToMail && linkFile(from, to)) {
      return this.#linked({ path, modified, ...hashFile(to) });
    }
    await this.#copies.run(async () => {
      try {
        const digest = await copyFile(from, to);
        this.counts.copied++;
        this.counts.copiedOctets += digest.size;
        this.#add({ path, modified, ...digest });
      } catch (error) {
        if (codeOf(error) !== "ENOENT") throw error;
        // Renamed or removed between a look at it and this: the whole account is tried again.
        this.missing.push({ folder: "", directory: "cur", name: path, base: path });
      }
    });
  }

  #linkEarlier(known: FileEntry, to: string): boolean {
    if (this.#earlier === undefined) return false;
    try {
      return linkFile(`${this.#earlier.path}/${known.path}`, to);
    } catch (error) {
      // Somebody took it out of that backup.
      if (codeOf(error) === "ENOENT") return false;
      throw error;
    }
  }

  #linked(entry: FileEntry): void {
    this.counts.linked++;
    this.#add(entry);
  }

  #add(entry: FileEntry): void {
    this.entries.push(entry);
    this.octets += entry.size;
  }

  /** Where a file is now that had another name in the index. */
  #find({ folder, base }: SnapshotFile, mayBeKnown: boolean): string | undefined {
    for (const directory of ["cur", "new"]) {
      const path = `${this.#root}/${folder === "" ? "" : `${folder}/`}${directory}`;
      const known = mayBeKnown ? this.#listings.get(path) : undefined;
      const listing = known ?? listingOf(path);
      this.#listings.set(path, listing);
      const name = listing.get(base);
      if (name !== undefined) return `${path}/${name}`;
    }
    return undefined;
  }
}

function listingOf(path: string): Map<string, string> {
  try {
    return new Map(Array.from(Deno.readDirSync(path), ({ name }) => [baseOf(name), name]));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return new Map();
    throw error;
  }
}

function pathOf(folder: string, directory: string, name: string): string {
  return folder === "" ? `${directory}/${name}` : `${folder}/${directory}/${name}`;
}

/** The same for a message whatever its flags are. */
function keyOf(path: string): string {
  const [name, , ...folders] = path.split("/").reverse();
  return `${folders.join("/")}/${baseOf(name)}`;
}

function baseOf(name: string): string {
  const colon = name.lastIndexOf(":");
  return colon < 0 ? name : name.slice(0, colon);
}
