/** Requests to an authorization server. */

import { PeerUnavailable } from "../remote_check.ts";

/** Octets of an answer; real ones are much smaller. */
const LARGEST = 1 << 20;

/** Whether tokens and keys may be had from there: by TLS, or from this machine. */
export function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  const local = hostname === "localhost" || hostname === "[::1]" ||
    /^127(\.\d+){3}$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && local);
}

export interface JsonRequest {
  readonly url: string;
  /** Sent by POST where there is one. */
  readonly form?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the request. */
  readonly signal: AbortSignal;
}

/**
 * Asks for a JSON object.
 *
 * @throws {PeerUnavailable} where anything else comes
 */
export async function fetchJson(request: JsonRequest): Promise<Readonly<Record<string, unknown>>> {
  const { url, form, headers, signal } = request;
  try {
    const response = await fetch(url, {
      method: form === undefined ? "GET" : "POST",
      headers: { accept: "application/json", ...headers },
      body: form,
      // Where it leads to was not configured.
      redirect: "error",
      signal,
    });
    const text = await textOf(response);
    if (response.status !== 200) throw new Error(`HTTP status ${response.status}`);
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) throw new Error("Expected a JSON object");
    return value;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PeerUnavailable(`${url}: ${reason}`, { cause: error });
  }
}

async function textOf(response: Response): Promise<string> {
  let text = "";
  if (response.body === null) return text;
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.length > LARGEST) throw new Error("The answer is too long");
  }
  return text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
