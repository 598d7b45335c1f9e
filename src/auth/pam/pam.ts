/** Passwords that PAM checks. */

import { setTimeout } from "node:timers/promises";
import type { Log } from "../../log.ts";
import type { Authenticator, AuthResult, ClientInfo } from "../auth.ts";
import { checkRemotely, PeerUnavailable, refused } from "../remote_check.ts";
import { Turns } from "../turns.ts";
import { LibPam, type PamOutcome } from "./libpam.ts";

/** Each holds a thread for as long as the modules take. */
const AT_ONCE = 8;

/**
 * Return codes that say no to the user: permission denied, wrong password, unknown user, too many
 * tries, password or account expired, token errors. The others say that PAM could not tell.
 */
const NO_TO_THE_USER: ReadonlySet<number> = new Set([6, 7, 10, 11, 12, 13, 16, 17, 20, 27]);

export interface PamOptions {
  /** Name of the file in /etc/pam.d. */
  readonly service: string;
  readonly log: Log;
}

/** Asks the modules of one PAM service, about the password and then about the account. */
export class Pam implements Authenticator {
  readonly can = { password: true, scram: [], token: false };
  readonly #service: string;
  readonly #log: Log;
  readonly #library: LibPam;
  readonly #turns = new Turns({ atOnce: AT_ONCE });
  readonly #closing = new AbortController();

  private constructor(options: PamOptions, library: LibPam) {
    this.#service = options.service;
    this.#log = options.log;
    this.#library = library;
  }

  /** @throws {Error} where there is no PAM */
  static open(options: PamOptions): Pam {
    return new Pam(options, LibPam.open());
  }

  checkPassword(username: string, password: string, client: ClientInfo): Promise<AuthResult> {
    return checkRemotely(
      "pam",
      this.#log,
      username,
      password,
      () => this.#check(username, password, client),
    );
  }

  /** Does not wait for modules under way, which nothing can make hurry. */
  close(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    this.#closing.abort();
    this.#turns.close().then(() => this.#library.close());
    return Promise.resolve();
  }

  async #check(username: string, password: string, client: ClientInfo): Promise<AuthResult> {
    const remoteHost = client.remote === "unix" ? undefined : client.remote;
    const service = this.#service;
    const outcome = await this.#turns.take(
      () => this.#library.authenticate({ service, username, password, remoteHost }),
      client.standing,
    );
    if (outcome.code === 0) return { ok: true, username };
    await this.#wait(outcome);
    if (NO_TO_THE_USER.has(outcome.code)) return refused(outcome.text);
    throw new PeerUnavailable(outcome.text);
  }

  /** Lets a failure take the time that the modules want, without holding a turn for it. */
  async #wait({ delay }: PamOutcome): Promise<void> {
    const signal = this.#closing.signal;
    // Cut short by the end of the server.
    await setTimeout(delay, undefined, { signal }).catch(() => {});
  }
}
