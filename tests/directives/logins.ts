/** Logins to a running server, how they end, and the accounts that they open. */

import { Buffer } from "node:buffer";
import { ImapClient } from "../client.ts";
import { PASSWORD, type TestServer } from "../harness.ts";

/** The response code of a refused login. */
export const FAILED = "AUTHENTICATIONFAILED";

/** How one command AUTHENTICATE ends: "OK", or the response code of the NO. */
export async function authenticate(
  { port }: Pick<TestServer, "port">,
  mechanism: string,
  message: string,
): Promise<string> {
  await using client = await ImapClient.connect({ host: "127.0.0.1", port });
  await client.response();
  const initial = Buffer.from(message).toString("base64");
  client.line(`a AUTHENTICATE ${mechanism} ${initial}`);
  let reply = await client.response() ?? "";
  // A refused token is told of first.
  if (reply.startsWith("+ ")) {
    client.line("AQ==");
    reply = await client.response() ?? "";
  }
  return reply.startsWith("a OK ") ? "OK" : reply.match(/^a NO \[(\w+)\]/)?.[1] ?? reply;
}

/** How a login by name and password ends. */
export function login(
  server: Pick<TestServer, "port">,
  name: string,
  password = PASSWORD,
): Promise<string> {
  return authenticate(server, "PLAIN", `\0${name}\0${password}`);
}

/** Names of the accounts that were made, sorted. */
export async function accounts({ dir }: Pick<TestServer, "dir">): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(`${dir}/mail`), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
