/** Speaks ACME with a certificate authority. @see RFC 8555 */

import type { KeyObject } from "node:crypto";
import { bindAccount, type ExternalAccount, publicJwk, signJson } from "./jws.ts";

export interface AcmeClientOptions {
  /** URL of the CA's directory. */
  readonly directory: string;
  /** Private key on P-256, which is the account. */
  readonly accountKey: KeyObject;
  /** PEM of the roots that the CA's own certificate may have; absent: those of the web. */
  readonly caRoots?: readonly string[];
  /** Ends requests that run. */
  readonly signal: AbortSignal;
}

/** What the CA refused, and why. @see RFC 8555 §6.7 */
export class AcmeProblem extends Error {
  override name = "AcmeProblem";

  constructor(
    /** Without "urn:ietf:params:acme:error:", such as "rateLimited". */
    readonly type: string,
    detail: string,
    /** Milliseconds that the CA wants to be left alone. */
    readonly retryAfter?: number,
  ) {
    super(`${type}: ${detail}`);
  }
}

/** An answer of the CA; `json` is undefined where the body is none. */
export interface AcmeAnswer {
  readonly json: unknown;
  readonly text: string;
  readonly location: string | undefined;
  /** Milliseconds. */
  readonly retryAfter: number | undefined;
}

/** URLs by what they are for. @see RFC 8555 §7.1.1 */
type Directory = Readonly<Record<"newNonce" | "newAccount" | "newOrder", string>>;

const REQUEST_TIMEOUT = 30_000;
/** A certificate with its chain is some 10 KB. */
const LONGEST_BODY = 1 << 20;
const NONCE_TRIES = 10;

export class AcmeClient {
  readonly #options: AcmeClientOptions;
  readonly #http: Deno.HttpClient;
  readonly #nonces: string[] = [];
  #directory: Directory | undefined;
  #account: string | undefined;

  constructor(options: AcmeClientOptions) {
    this.#options = options;
    const { caRoots } = options;
    this.#http = Deno.createHttpClient(caRoots === undefined ? {} : { caCerts: [...caRoots] });
  }

  close(): void {
    this.#http.close();
  }

  /**
   * Makes the account, or finds the one of the key.
   *
   * @throws {AcmeProblem}
   * @see RFC 8555 §7.3
   */
  async register(email: string | undefined, external: ExternalAccount | undefined): Promise<void> {
    const { newAccount } = await this.#urls();
    const key = this.#options.accountKey;
    const { location } = await this.#send(newAccount, { jwk: publicJwk(key) }, {
      termsOfServiceAgreed: true,
      ...email === undefined ? {} : { contact: [`mailto:${email}`] },
      ...external && { externalAccountBinding: bindAccount(external, key, newAccount) },
    });
    if (location === undefined) throw new Error("The CA gave no URL for the account");
    this.#account = location;
  }

  /** @see RFC 8555 §7.4 */
  async newOrder(names: readonly string[]): Promise<AcmeAnswer> {
    const { newOrder } = await this.#urls();
    return await this.post(newOrder, {
      identifiers: names.map((value) => ({ type: "dns", value })),
    });
  }

  /**
   * Sends a request under the account.
   *
   * @param payload undefined: only reads (POST-as-GET)
   * @throws {AcmeProblem} when the CA refuses it
   * @throws {Error} when {@link register} was not called, or the CA cannot be reached
   */
  async post(url: string, payload?: unknown): Promise<AcmeAnswer> {
    if (this.#account === undefined) throw new Error("There is no account at the CA yet");
    return await this.#send(url, { kid: this.#account }, payload);
  }

  /** A used nonce is refused with a new one, so try again. @see RFC 8555 §6.5 */
  async #send(url: string, identity: object, payload: unknown): Promise<AcmeAnswer> {
    for (let tries = 1;; tries++) {
      const nonce = this.#nonces.pop() ?? await this.#newNonce();
      const body = signJson(this.#options.accountKey, { ...identity, nonce, url }, payload);
      try {
        return await this.#request(url, {
          method: "POST",
          headers: { "Content-Type": "application/jose+json" },
          body: JSON.stringify(body),
        });
      } catch (error) {
        const again = error instanceof AcmeProblem && error.type === "badNonce";
        if (!again || tries === NONCE_TRIES) throw error;
      }
    }
  }

  async #newNonce(): Promise<string> {
    const { newNonce } = await this.#urls();
    await this.#request(newNonce, { method: "HEAD" });
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw new Error("The CA gave no nonce");
    return nonce;
  }

  async #urls(): Promise<Directory> {
    this.#directory ??= directoryOf((await this.#request(this.#options.directory, {})).json);
    return this.#directory;
  }

  async #request(url: string, init: RequestInit): Promise<AcmeAnswer> {
    const response = await fetch(url, {
      ...init,
      headers: { "User-Agent": "imapd", ...init.headers },
      client: this.#http,
      signal: AbortSignal.any([this.#options.signal, AbortSignal.timeout(REQUEST_TIMEOUT)]),
    }).catch((error) => {
      throw withReason(error);
    });
    const nonce = response.headers.get("Replay-Nonce");
    if (nonce !== null) this.#nonces.push(nonce);
    const text = await boundedText(response);
    const json = parsed(text);
    const retryAfter = milliseconds(response.headers.get("Retry-After"));
    if (!response.ok) throw problemOf(json, `HTTP status ${response.status}`, retryAfter);
    const location = response.headers.get("Location") ?? undefined;
    return { json, text, location, retryAfter };
  }
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LONGEST_BODY) throw new Error("The CA's answer is too long");
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds, or a date. @see RFC 9110 §10.2.3 */
function milliseconds(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  const wait = /^\d+$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function directoryOf(json: unknown): Directory {
  const url = (name: keyof Directory): string => {
    const value = field(json, name);
    if (typeof value === "string") return value;
    throw new Error(`Expected the directory of a CA with ${name}, got something else`);
  };
  return { newNonce: url("newNonce"), newAccount: url("newAccount"), newOrder: url("newOrder") };
}

/** The error that a problem document stands for. @see RFC 7807 §3.1 */
export function problemOf(json: unknown, otherwise: string, retryAfter?: number): AcmeProblem {
  const type = field(json, "type");
  const detail = field(json, "detail");
  return new AcmeProblem(
    typeof type === "string" ? type.replace("urn:ietf:params:acme:error:", "") : "unknown",
    typeof detail === "string" ? detail : otherwise,
    retryAfter,
  );
}

/** A member of what may be an object. */
export function field(json: unknown, name: string): unknown {
  if (typeof json !== "object" || json === null) return undefined;
  return Object.getOwnPropertyDescriptor(json, name)?.value;
}

/** fetch() says no more than "fetch failed"; its cause says why. */
function withReason(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? new Error(cause.message, { cause: error }) : error;
}
