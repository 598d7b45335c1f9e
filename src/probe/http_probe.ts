/** Asks an HTTP server for one document. */

import { LineChannel, type Route } from "./line_channel.ts";
import { Findings, type Outcome, reasonOf } from "./outcome.ts";

/** One address that is served by HTTP. */
export interface HttpTarget {
  /** As the config spells it. */
  readonly url: string;
  readonly route: Route;
  readonly tls: boolean;
  readonly hostname: string;
  /** What is asked for. */
  readonly path: string;
}

/** Whether the document can be had: GET is answered 200. */
export async function probeHttp(
  { url, route, tls, hostname, path }: HttpTarget,
): Promise<Outcome[]> {
  const findings = new Findings(url);
  let channel: LineChannel | undefined;
  try {
    channel = tls && route.kind === "inet"
      ? (await LineChannel.openSecure(route, hostname, [])).channel
      : await LineChannel.open(route);
    channel.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n`);
    const line = await channel.line();
    if (/^HTTP\/1\.[01] 200\b/.test(line)) findings.ok("HTTP", `GET ${path} is answered`);
    else throw new Error(`GET ${path} was answered ${line.replace(/[^ -~]/g, "?")}`);
  } catch (error) {
    findings.failed("HTTP", reasonOf(error), "is the server running? Its log says more");
  } finally {
    channel?.close();
  }
  return findings.outcomes;
}
