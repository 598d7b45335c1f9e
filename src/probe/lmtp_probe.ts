/** Greets an LMTP server as an MTA does. */

import { LineChannel, type Route } from "./line_channel.ts";
import { Findings, type Outcome, reasonOf } from "./outcome.ts";

/** One address of an `[[lmtp]]` endpoint. */
export interface LmtpTarget {
  /** As the config spells it. */
  readonly url: string;
  readonly route: Route;
}

/** Greeting, LHLO and QUIT. */
export async function probeLmtp({ url, route }: LmtpTarget): Promise<Outcome[]> {
  const findings = new Findings(url);
  let channel: LineChannel | undefined;
  let step = "connection";
  try {
    channel = await LineChannel.open(route);
    step = "greeting";
    const greeting = await replyOf(channel);
    if (!greeting[0].startsWith("220")) throw new Error(`answered ${greeting[0]}`);
    step = "LHLO";
    channel.write("LHLO localhost");
    const lines = await replyOf(channel);
    if (!lines[0].startsWith("250")) throw new Error(`answered ${lines[0]}`);
    findings.ok("LHLO", lines.slice(1).map((line) => line.slice(4)).join(", "));
    step = "QUIT";
    channel.write("QUIT");
    await replyOf(channel);
  } catch (error) {
    findings.failed(step, reasonOf(error), "is the server running? Its log says more");
  } finally {
    channel?.close();
  }
  return findings.outcomes;
}

async function replyOf(channel: LineChannel): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const line = (await channel.line()).replace(/[^ -~]/g, "?");
    lines.push(line);
    if (!/^\d{3}-/.test(line)) return lines;
  }
}
