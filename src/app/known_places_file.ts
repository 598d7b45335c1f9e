/** Keeps over restarts who is known where, in a file of `state_dir`. */

import { join } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { KnownPlaces } from "../auth/known_places.ts";
import { replaceFile } from "../durable_file.ts";
import type { Log } from "../log.ts";
import { Pace } from "../pace.ts";

/** In `state_dir`. */
export const KNOWN_PLACES_FILE = "known_places";

/** Milliseconds from one writing to the next. */
const WRITE_EVERY = 60_000;

/** {@link KnownPlaces} with a file, which is written now and then, and at the end. */
export class KnownPlacesFile {
  readonly #path: string;
  readonly #log: Log;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Those changes of {@link places} that are in the file. */
  #written = 0;
  /** Why the last try failed, so that it is said once and not at every try. */
  #failure: string | undefined;
  /** Ends with the last writing. */
  #last: Promise<void> = Promise.resolve();

  private constructor(readonly places: KnownPlaces, path: string, log: Log, every: number) {
    this.#path = path;
    this.#log = log;
    this.#timer = setInterval(() => this.#write(), every).unref();
  }

  /** Begins with what an earlier run knew, as far as that can be read; the log tells the rest. */
  static async open(
    stateDir: string,
    secret: Uint8Array,
    log: Log,
    every = WRITE_EVERY,
  ): Promise<KnownPlacesFile> {
    const path = join(stateDir, KNOWN_PLACES_FILE);
    const places = new KnownPlaces(secret);
    await read(path, places, log);
    return new KnownPlacesFile(places, path, log, every);
  }

  /** Writes what is new. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#write();
  }

  #write(): Promise<void> {
    return this.#last = this.#last.then(() => this.#writeIfChanged());
  }

  async #writeIfChanged(): Promise<void> {
    const { changes } = this.places;
    if (changes === this.#written) return;
    try {
      await replaceFile(this.#path, await textOf(this.places), 0o600);
      this.#written = changes;
      this.#failure = undefined;
    } catch (caught) {
      const error = String(caught);
      if (error === this.#failure) return;
      this.#failure = error;
      this.#log.warn("who is known where cannot be kept", { path: this.#path, error });
    }
  }
}

async function textOf(places: KnownPlaces): Promise<string> {
  const pace = new Pace();
  let text = "";
  for (const line of places.lines()) {
    text += `${line}\n`;
    if (pace.due()) await pace.turn();
  }
  return text;
}

async function read(path: string, places: KnownPlaces, log: Log): Promise<void> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) log.debug("nobody is known anywhere yet", { path });
    else log.warn("who is known where cannot be read", { path, error: String(error) });
    return;
  }
  const lines = text.split("\n").filter((line) => line !== "");
  const damaged = lines.filter((line) => !places.take(line)).length;
  if (damaged > 0) log.warn("who is known where is damaged in part", { path, lines: damaged });
}
