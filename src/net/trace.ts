/** What a client and the server say to each other, in the log, but for secrets (`io_debug`). */

import { mayLogInBy, withoutSecrets } from "../imap/table.ts";
import type { Log } from "../log.ts";
import type { FrameEvent } from "../wire/framer.ts";
import { tagOf } from "./frame_fault.ts";

/** The trace of one connection. */
export class Trace {
  /** A tag that may be a secret. */
  #hidden: string | undefined;
  /** The running command has secrets in what both sides say, not only in its own line. */
  #secret = false;

  constructor(private readonly log: Log) {}

  /** A command begins. */
  command({ text, literals }: Extract<FrameEvent, { readonly type: "command" }>): void {
    const shown = withoutSecrets(text, literals);
    // A client that leaves out the tag has its password taken for one.
    this.#hidden = shown === undefined ? tagOf(`${text} `) : undefined;
    this.#secret = shown !== text;
    this.log.info("C:", { text: shown ?? "***" });
  }

  /** A line that the running command asked for. */
  line(line: string): void {
    this.log.info("C:", { text: this.#secret || mayLogInBy(line) ? "***" : line });
  }

  /** What the server sends. */
  sent(text: string): void {
    const hidden = `${this.#hidden} `;
    const shown = text.startsWith(hidden) ? `*** ${text.slice(hidden.length)}` : this.#secret
      // A fault quotes what was wrong.
      ? text.replace(/^(\+|\S+ BAD) .*(?:\r\n)?/gm, "$1 ***")
      : text;
    this.log.info("S:", { text: shown });
  }

  /** The running command is answered. */
  answered(): void {
    this.#secret = false;
  }
}
