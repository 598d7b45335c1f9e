/** Who may look at the status page and the metrics. */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { HttpRequest } from "./http.ts";

const COOKIE = "imapd_status";

/** What a request may see. */
export type Verdict = "allowed" | "no token" | "wrong token" | "foreign host";

/** Lets in who knows the token; without one, all who can connect. */
export class Access {
  readonly #token: string | undefined;
  readonly #secret: Uint8Array;

  /** @param secret nobody else knows it: else a cookie would be a way to try out a token unnoticed */
  constructor(token: string | undefined, secret: Uint8Array) {
    this.#token = token;
    this.#secret = secret;
  }

  /** By `Authorization: Bearer`, `?token=` or the cookie that {@link cookie} sets. */
  judge(request: HttpRequest): Verdict {
    if (this.#token === undefined) {
      // Else a page of somebody else could read this one under a name of its own.
      return isNamedByAddress(request.headers.get("host")) ? "allowed" : "foreign host";
    }
    const given = givenToken(request);
    if (given !== undefined) return this.isToken(given) ? "allowed" : "wrong token";
    const cookie = cookieOf(request.headers.get("cookie") ?? "");
    if (cookie === undefined) return "no token";
    return isSame(cookie, this.#session(this.#token)) ? "allowed" : "no token";
  }

  /** Whether the request is an attempt to show that somebody knows the token. */
  tries(request: HttpRequest): boolean {
    if (this.#token === undefined) return false;
    return givenToken(request) !== undefined || isLogin(request);
  }

  isToken(given: string): boolean {
    return this.#token !== undefined && isSame(given, this.#token);
  }

  /** The value of Set-Cookie for who knows the token. It is of no use once the token, or the secret, is another. */
  get cookie(): string | undefined {
    if (this.#token === undefined) return undefined;
    return `${COOKIE}=${this.#session(this.#token)}; Path=/; HttpOnly; SameSite=Strict`;
  }

  #session(token: string): string {
    return createHmac("sha256", this.#secret).update(token).digest("hex");
  }
}

/** Whether it is the form of the page that asks for the token. */
export function isLogin({ method, path }: HttpRequest): boolean {
  return path === "/login" && method === "POST";
}

function givenToken({ headers, query }: HttpRequest): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  return bearer ?? query.get("token") ?? undefined;
}

/** Digests are compared, so that neither the length nor the first difference shows in the time. */
function isSame(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(a, b);
}

function cookieOf(header: string): string | undefined {
  return header.split(/; */).find((pair) => pair.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);
}

function isNamedByAddress(host: string | undefined): boolean {
  if (host === undefined) return true;
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return name === "localhost" || isIP(name) !== 0;
}
