/** The running program with a status page. */

import { startServer, type TestServer, type TestServerOptions } from "../harness.ts";

export const TOKEN = "a-token-for-tests-only";

/** A server whose status page is at `url` (with a slash at its end). */
export async function startWatched(
  options: TestServerOptions & { readonly openmetrics?: string } = {},
): Promise<TestServer & { readonly url: string }> {
  const { openmetrics = '"tcp://127.0.0.1:0"' } = options;
  const server = await startServer({
    ...options,
    top: `openmetrics = ${openmetrics}\n${options.top ?? ""}`,
  });
  const ports = portsOf(server.log()).filter((port) => port !== server.port);
  return Object.assign(server, { url: `http://127.0.0.1:${ports.at(-1)}/` });
}

/** All ports that the log names, in its order. */
export function portsOf(log: string): number[] {
  return [...log.matchAll(/^listening on tcp:\/\/[^:]+:(\d+)$/gm)].map(([, port]) => Number(port));
}
