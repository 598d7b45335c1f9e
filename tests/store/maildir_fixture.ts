/** A Maildir store in a temporary folder, and what another Maildir program would do there. */

import type { Log } from "../../src/log.ts";
import type { LogFields } from "../../src/log_format.ts";
import { MaildirStore, type MaildirStoreOptions } from "../../src/store/maildir/store.ts";

/** A log that keeps its lines. */
export interface KeptLog extends Log {
  readonly lines: { level: string; event: string; fields: LogFields }[];
}

export function silentLog(): KeptLog {
  const lines: KeptLog["lines"] = [];
  const at = (level: string) => (event: string, fields: LogFields = {}) => {
    lines.push({ level, event, fields });
  };
  const log: KeptLog = {
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    bug: (error) => at("bug")(String(error)),
    with: () => log,
    debugged: () => log,
    debugging: false,
  };
  return log;
}

/** One account's Maildir and the stores opened on it. */
export class MaildirFixture implements AsyncDisposable {
  readonly log = silentLog();
  #store: MaildirStore | undefined;

  private constructor(readonly dir: string) {}

  static async make(): Promise<MaildirFixture> {
    return new MaildirFixture(await Deno.makeTempDir({ prefix: "imapd-store-" }));
  }

  /** The Maildir of the account "ann". */
  get root(): string {
    return `${this.dir}/ann`;
  }

  /** Opens a store after closing the last one. */
  async open(options: Partial<MaildirStoreOptions> = {}): Promise<MaildirStore> {
    await this.#store?.close();
    this.#store = new MaildirStore({
      path: (account) => `${this.dir}/${account}`,
      specialFolders: [],
      log: this.log,
      writeBackDelay: 1,
      ...options,
    });
    return this.#store;
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
  }

  /** Makes a folder as another program does. */
  makeFolder(folder: string): void {
    for (const directory of ["tmp", "new", "cur"]) {
      Deno.mkdirSync(`${this.root}/${folder}/${directory}`, { recursive: true });
    }
  }

  /** Delivers a message as another program does. */
  put(file: string, text: string | Uint8Array, folder = ""): void {
    const path = `${this.root}/${folder}`;
    const tmp = `${path}/tmp/${crypto.randomUUID()}`;
    if (typeof text === "string") Deno.writeTextFileSync(tmp, text);
    else Deno.writeFileSync(tmp, text);
    Deno.renameSync(tmp, `${path}/${file}`);
  }

  /** Names in `new` or `cur`, in the order in which they were given: parts of a second are not padded. */
  names(directory: "new" | "cur" | "tmp", folder = ""): string[] {
    return [...Deno.readDirSync(`${this.root}/${folder}/${directory}`)].map(({ name }) => name)
      .sort(new Intl.Collator("en", { numeric: true }).compare);
  }

  /** SQLite's log is there exactly as long as the index is open. */
  indexIsOpen(): boolean {
    try {
      return Deno.statSync(`${this.root}/imapd.sqlite-wal`).isFile;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}
