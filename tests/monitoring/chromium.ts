/** A real Chromium, driven over its DevTools protocol. */

import { until } from "../until.ts";

/** How long Chromium may take for an answer; never what decides a test that passes. */
const PATIENCE_MS = 60_000;

/** A browser with one page. */
export class Browser implements AsyncDisposable {
  /** Errors of the page: exceptions, messages of the console, requests that failed. */
  readonly errors: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<
    number,
    { resolve(result: Record<string, unknown>): void; reject(error: Error): void }
  >();
  #next = 1;
  #session = "";

  private constructor(process: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(String(data))));
  }

  static async open(): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "imapd-chromium-" });
    const process = new Deno.Command("chromium", {
      args: [
        ..."--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run".split(" "),
        ..."--disable-background-networking --disable-component-update --disable-sync".split(" "),
        ..."--disable-dev-shm-usage --hide-scrollbars --remote-debugging-port=0".split(" "),
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let place: string[] = [];
    await until(async () => {
      const text = await Deno.readTextFile(`${profile}/DevToolsActivePort`).catch(() => "");
      place = text.split("\n");
      return place.length > 1;
    }, "Chromium to start");
    const socket = new WebSocket(`ws://127.0.0.1:${place[0]}${place[1]}`);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    const browser = new Browser(process, profile, socket);
    await browser.#attach();
    return browser;
  }

  async #attach(): Promise<void> {
    const { targetId } = await this.#ask("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.#ask("Target.attachToTarget", { targetId, flatten: true });
    this.#session = String(sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.#ask(`${domain}.enable`);
  }

  /** Shows the page at a width and height in CSS pixels. */
  async size(width: number, height: number, scale = 1): Promise<void> {
    await this.#ask("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: scale, mobile: width < 600 },
    });
  }

  async dark(on: boolean): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: on ? "dark" : "light" }];
    await this.#ask("Emulation.setEmulatedMedia", { features });
  }

  async goto(url: string): Promise<void> {
    await this.#ask("Page.navigate", { url });
    await this.until("document.readyState === 'complete'");
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#ask("Runtime.evaluate", {
      ...{ expression, returnByValue: true, awaitPromise: true },
    }) as { result: { value: unknown }; exceptionDetails?: { text: string } };
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    // A page that is just being left has no values.
    await until(() => this.evaluate(expression).then(Boolean, () => false), expression);
  }

  /** The text of an element. */
  async text(selector: string): Promise<string> {
    return String(
      await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).textContent`),
    );
  }

  /** The whole page as PNG. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.#ask("Page.captureScreenshot", { captureBeyondViewport: true });
    return Uint8Array.from(atob(String(data)), (char) => char.charCodeAt(0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask("Browser.close").catch(() => {});
    this.#socket.close();
    await this.#process.status;
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }

  #ask(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const sessionId = this.#session === "" || method.startsWith("Browser.") ? {} : {
      sessionId: this.#session,
    };
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    const timer = setTimeout(() => reject(new Error(`No answer to ${method}`)), PATIENCE_MS);
    this.#waiting.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id, method, params, ...sessionId }));
    return promise.finally(() => clearTimeout(timer));
  }

  #receive(message: {
    readonly id?: number;
    readonly method?: string;
    readonly result?: Record<string, unknown>;
    readonly error?: { readonly message: string };
    readonly params?: Record<string, Record<string, unknown>>;
  }): void {
    const { id, method, result, error, params } = message;
    if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error !== undefined) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result ?? {});
      return;
    }
    const isError = method === "Runtime.exceptionThrown" ||
      method === "Log.entryAdded" && params?.entry.level === "error" ||
      method === "Runtime.consoleAPICalled" && String(params?.type) === "error";
    if (isError) this.errors.push(JSON.stringify(params));
  }
}
