/** Logs in to a server over a connection of its own, and waits for what it logs of that. */

import { ImapClient, PATIENCE } from "../client.ts";
import type { TestServer } from "../harness.ts";

/** The tagged reply to LOGIN, without the tag. */
export async function loginReply(
  server: TestServer,
  username: string,
  password: string,
): Promise<string> {
  const client = await ImapClient.connect({ host: "127.0.0.1", port: server.tlsPort }, "tls");
  try {
    await client.response();
    const quoted = [username, password].map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`);
    return (await client.command(`LOGIN ${quoted.join(" ")}`)).reply;
  } finally {
    client.close();
  }
}

/** Waits until the log has what fits: its lines come by another way than the replies. */
export async function logged(server: TestServer, pattern: RegExp): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!pattern.test(server.log())) {
    if (Date.now() > deadline) throw new Error(`Expected ${pattern} in:\n${server.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
