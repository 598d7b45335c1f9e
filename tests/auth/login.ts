/** Logs in to a server over a connection of its own. */

import { ImapClient } from "../client.ts";
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
