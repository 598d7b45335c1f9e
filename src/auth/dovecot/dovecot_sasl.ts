/** Passwords that Dovecot's auth process checks. */

import type { Log } from "../../log.ts";
import type { Authenticator, AuthResult, ClientInfo } from "../auth.ts";
import { checkRemotely, PeerUnavailable, refused } from "../remote_check.ts";
import { type AuthAnswer, DovecotConnection, type DovecotEndpoint } from "./connection.ts";

export interface DovecotSaslOptions {
  readonly endpoint: DovecotEndpoint;
  /** Milliseconds, handshake included. */
  readonly connectTimeout: number;
  /** Milliseconds. */
  readonly requestTimeout: number;
  readonly log: Log;
}

/** Logins that may be under way at once. */
const MOST = 1000;

/** Asks over one connection, made when it is first needed and again when it was lost. */
export class DovecotSasl implements Authenticator {
  readonly can = { password: true, scram: [], token: false };
  readonly #options: DovecotSaslOptions;
  readonly #closing = new AbortController();
  #connection?: Promise<DovecotConnection>;
  #underWay = 0;

  constructor(options: DovecotSaslOptions) {
    this.#options = options;
  }

  checkPassword(username: string, password: string, client: ClientInfo): Promise<AuthResult> {
    return checkRemotely(
      "dovecot_sasl",
      this.#options.log,
      username,
      password,
      async () => resultOf(await this.#ask(username, password, client)),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(new PeerUnavailable("The server is closing"));
    (await this.#connection?.catch(() => undefined))?.close();
  }

  async #ask(username: string, password: string, client: ClientInfo): Promise<AuthAnswer> {
    this.#closing.signal.throwIfAborted();
    if (this.#underWay >= MOST) throw new PeerUnavailable(`${MOST} logins are waiting already`);
    this.#underWay++;
    const remoteIp = client.remote === "unix" ? undefined : client.remote;
    const request = { username, password, remoteIp, secured: client.secure };
    try {
      for (let attempt = 1;; attempt++) {
        const connection = await this.#connected();
        try {
          return await connection.ask(request, this.#options.requestTimeout);
        } catch (error) {
          // What was lost may have been lost long before.
          if (connection.open || attempt === 2 || this.#closing.signal.aborted) throw error;
        }
      }
    } finally {
      this.#underWay--;
    }
  }

  /** The connection; a new one where there is none, or the last one was lost. */
  async #connected(): Promise<DovecotConnection> {
    const kept = this.#connection ??= this.#open();
    const connection = await kept;
    if (connection.open) return connection;
    if (this.#connection === kept) this.#connection = undefined;
    return await (this.#connection ??= this.#open());
  }

  #open(): Promise<DovecotConnection> {
    const { endpoint, connectTimeout } = this.#options;
    const patience = { deadline: Date.now() + connectTimeout, closing: this.#closing.signal };
    const opening = DovecotConnection.open(endpoint, patience);
    opening.catch(() => {
      if (this.#connection === opening) this.#connection = undefined;
    });
    return opening;
  }
}

function resultOf({ type, fields }: AuthAnswer): AuthResult {
  const reason = fields.get("reason");
  switch (type) {
    case "ok": {
      const username = fields.get("user") ?? "";
      if (username === "") throw new PeerUnavailable("Expected Dovecot to name the user");
      // The password was right, but nobody may log in by it.
      if (fields.has("nologin")) return refused(reason ?? "logins are not allowed");
      return { ok: true, username };
    }
    case "fail":
      if (fields.has("temp") || fields.get("code") === "temp_fail") {
        throw new PeerUnavailable(reason ?? "Dovecot has a temporary failure");
      }
      return refused(reason ?? fields.get("code") ?? "unknown user or wrong password");
    case "continue":
      throw new PeerUnavailable("Expected an answer from Dovecot, got another question");
  }
}
