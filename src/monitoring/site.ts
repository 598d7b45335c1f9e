/** What is served over HTTP: the status page, its data, the metrics and the health. */

import { createHash, randomBytes } from "node:crypto";
import { memoryUsage } from "node:process";
import type { Log } from "../log.ts";
import { OPENMETRICS_TYPE } from "../metrics.ts";
import type { Admission, Guess, Penalties } from "../auth/auth.ts";
import { Access, isLogin } from "./access.ts";
import { addGauges, type Surroundings } from "./gauges.ts";
import { History, INTERVAL } from "./history.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import type { Measurements } from "./measurements.ts";

/** Rows of the lists of the page. */
const LISTED = 8;
/** What penalties call the token: no user can have such a name. */
const TOKEN_NAME = "status page\0";
/** Milliseconds that a look at the health counts for: pages ask often. */
const HEALTH_KEPT = 1000;

export interface SiteOptions {
  readonly measurements: Measurements;
  readonly around: Surroundings;
  /** Those of the whole server: the token may be guessed at, too. */
  readonly penalties: Penalties;
  readonly log: Log;
}

/** Answers requests; it keeps its history over reloads. */
export class Site {
  readonly #options: SiteOptions;
  readonly #history: History;
  readonly #secret = randomBytes(32);
  #access = new Access(undefined, this.#secret);
  #pages: Promise<{ readonly status: Page; readonly login: Page }> | undefined;
  #health: { readonly time: number; readonly faults: Promise<readonly string[]> } | undefined;

  constructor(options: SiteOptions) {
    this.#options = options;
    const { around, measurements } = options;
    addGauges(measurements.registry, around);
    this.#history = new History(measurements, () => {
      const counts = around.connections();
      const loggedIn = (counts.get("authenticated") ?? 0) + (counts.get("selected") ?? 0);
      const connections = [...counts.values()].reduce((sum, count) => sum + count, 0);
      return { connections, loggedIn, memory: memoryUsage().rss };
    });
  }

  /** Asks for another token from now on; undefined: for none. */
  protect(token: string | undefined): void {
    this.#access = new Access(token, this.#secret);
  }

  /** Answers a request. */
  async answer(request: HttpRequest): Promise<HttpResponse> {
    const { method, path, remote } = request;
    if (!isLogin(request) && method !== "GET" && method !== "HEAD") {
      return { status: 405, headers: { Allow: "GET, HEAD" }, body: "Expected GET\n" };
    }
    const tries = this.#access.tries(request);
    const guess = tries ? this.#options.penalties.guess(TOKEN_NAME, remote) : undefined;
    const admission = guess?.ask() ?? "now";
    if (admission !== "now") return await this.#putOff(path, admission);
    if (isLogin(request)) return this.#logIn(request, guess);
    const verdict = this.#access.judge(request);
    if (verdict === "foreign host") {
      return { status: 421, body: "Ask by localhost or an IP address, or set a token\n" };
    }
    if (verdict === "wrong token") this.#failed(request, guess);
    if (verdict === "allowed") guess?.succeeded();
    if (path === "/healthz") return await this.#healthOf(verdict === "allowed");
    if (verdict !== "allowed") return await this.#refuse(path);
    const response = await this.#serve(request);
    const { cookie } = this.#access;
    if (!request.query.has("token") || cookie === undefined) return response;
    return { ...response, headers: { ...response.headers, "Set-Cookie": cookie } };
  }

  close(): void {
    this.#history.close();
  }

  async #serve({ path, query }: HttpRequest): Promise<HttpResponse> {
    switch (path) {
      case "/":
        // The token shall not stay in the address bar.
        if (query.has("token")) return { status: 303, headers: { Location: "./" }, body: "" };
        return pageResponse(200, (await this.#files()).status);
      case "/metrics": {
        const body = this.#options.measurements.registry.text();
        return { status: 200, headers: { "Content-Type": OPENMETRICS_TYPE }, body };
      }
      case "/status.json": {
        const body = JSON.stringify(await this.#status(Number(query.get("since")) || 0));
        return { status: 200, headers: { "Content-Type": "application/json" }, body };
      }
      default:
        return { status: 404, body: "There are /, /metrics, /healthz and /status.json\n" };
    }
  }

  #logIn(request: HttpRequest, guess: Guess | undefined): HttpResponse {
    const given = new URLSearchParams(request.body).get("token") ?? "";
    const { cookie } = this.#access;
    if (cookie === undefined || !this.#access.isToken(given)) {
      this.#failed(request, guess);
      return { status: 303, headers: { Location: "./?refused" }, body: "" };
    }
    guess?.succeeded();
    return { status: 303, headers: { Location: "./", "Set-Cookie": cookie }, body: "" };
  }

  /** In the form of all failed logins, for programs that ban addresses. */
  #failed({ source }: HttpRequest, guess: Guess | undefined): void {
    const ending = { reason: "wrong token for the status page", src_ip: source, username: "" };
    this.#options.log.warn("authentication failed", { mechanism: "HTTP" }, ending);
    guess?.failed();
  }

  /** What is known without a look at the token: nothing may tell whether it is right. */
  async #putOff(path: string, until: Exclude<Admission, "now">): Promise<HttpResponse> {
    if (path === "/healthz") return await this.#healthOf(false);
    const seconds = until === "never" ? undefined : Math.ceil(until.milliseconds / 1000);
    const headers = seconds === undefined ? undefined : { "Retry-After": String(seconds) };
    return { status: 429, headers, body: "Too many wrong tokens from here, try later\n" };
  }

  async #refuse(path: string): Promise<HttpResponse> {
    const headers = { "WWW-Authenticate": 'Bearer realm="imapd"' };
    if (path !== "/") return { status: 401, headers, body: "Expected a token\n" };
    return pageResponse(401, (await this.#files()).login, headers);
  }

  async #healthOf(all: boolean): Promise<HttpResponse> {
    const faults = await this.#faults();
    if (faults.length === 0) return { status: 200, body: "ok\n" };
    return { status: 503, body: all ? faults.join("\n") + "\n" : "not healthy\n" };
  }

  #faults(): Promise<readonly string[]> {
    const now = performance.now();
    if (this.#health === undefined || now - this.#health.time > HEALTH_KEPT) {
      this.#health = { time: now, faults: this.#options.around.faults() };
    }
    return this.#health.faults;
  }

  async #status(since: number) {
    const { measurements, around } = this.#options;
    const connections = Object.fromEntries(around.connections());
    return {
      version: around.version,
      hostname: around.hostname,
      started: around.started,
      now: Date.now(),
      faults: await this.#faults(),
      connections,
      mail: around.mail(),
      certificates: around.certificates(),
      commands: measurements.byCommand(),
      growing: measurements.arrivals.top(LISTED).map(({ key, count }) => {
        const [account, mailbox] = key.split("\0");
        return { account, mailbox, messages: count };
      }),
      failedLogins: measurements.failedLogins.top(LISTED)
        .map(({ key, count }) => ({ network: key, attempts: count })),
      interval: INTERVAL,
      newest: this.#history.newest,
      points: this.#history.after(since),
    };
  }

  #files() {
    return this.#pages ??= (async () => {
      const [status, login] = await Promise.all(["status", "login"].map(readPage));
      return { status, login };
    })();
  }
}

/** A page, and the rules by which the browser runs only what is in it. */
interface Page {
  readonly html: string;
  readonly policy: string;
}

/** Pages lie beside this file, and in the executable. */
async function readPage(name: string): Promise<Page> {
  const html = await Deno.readTextFile(new URL(`${name}.html`, import.meta.url));
  const hashes = (element: string) =>
    [...html.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, "g"))]
      .map(([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`)
      .join(" ") || "'none'";
  const policy = `default-src 'none'; style-src ${hashes("style")}; script-src ${
    hashes("script")
  }; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
  return { html, policy };
}

function pageResponse(
  status: number,
  { html, policy }: Page,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: {
      ...headers,
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy,
    },
    body: html,
  };
}
