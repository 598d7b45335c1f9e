/** Commands of administration on a test server, and without it. */

import { ImapClient } from "../client.ts";
import { PASSWORD, type TestServer } from "../harness.ts";
import { imapd, type Result } from "./program.ts";

/** Runs a command on the server's config. */
export function command(
  server: TestServer,
  words: readonly string[],
  input: string | Uint8Array = "",
): Promise<Result> {
  return imapd([...words, "--config", `${server.dir}/config.toml`], input);
}

/** What a command that must succeed prints. @throws {Error} when it fails */
export async function output(
  server: TestServer,
  words: readonly string[],
  input: string | Uint8Array = "",
): Promise<string> {
  const { code, out, err } = await command(server, words, input);
  if (code !== 0) throw new Error(`imapd ${words.join(" ")} exits with ${code}: ${err}`);
  return out;
}

/** A client of `user`, logged in. */
export function client(server: TestServer, user: string): Promise<ImapClient> {
  return ImapClient.login({ host: "127.0.0.1", port: server.port }, user, PASSWORD);
}
