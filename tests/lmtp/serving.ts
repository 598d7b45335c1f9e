/** The real program with an `[[lmtp]]` endpoint. */

import { PASSWORD, startServer, type TestServer, type TestServerOptions } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

export interface LmtpTestServer extends TestServer {
  /** Where its LMTP endpoint is. */
  readonly lmtp: { readonly path: string };
  /** A user whose account is there. */
  accountUser(): Promise<string>;
}

export interface LmtpTestServerOptions extends TestServerOptions {
  /** Lines of TOML put at the end of `[[lmtp]]`. */
  readonly lmtp?: string;
  /** The value of `delivery_map`. Users of the harness have no domain, which is the default's. */
  readonly deliveryMap?: string;
  /** The group that may use the socket, too. */
  readonly group?: string;
}

export async function startLmtpServer(
  { lmtp = "", group, deliveryMap = '"email_localpart"', ...options }: LmtpTestServerOptions = {},
): Promise<LmtpTestServer> {
  const folder = await Deno.makeTempDir({ prefix: "imapd-lmtp-" });
  await Deno.chmod(folder, 0o755);
  const path = `${folder}/lmtp.sock`;
  const permissions = group === undefined ? "" : `, mode = "0660", group = "${group}"`;
  const server = await startServer({
    ...options,
    top: `${options.top ?? ""}
[[lmtp]]
listen = [{ address = "unix://${path}"${permissions} }]
${lmtp}`,
    // Users of the harness have no domain.
    storage: `delivery_map = ${deliveryMap}\n${options.storage ?? ""}`,
  });
  return Object.assign(server, {
    lmtp: { path },
    async accountUser() {
      const user = server.freshUser();
      await using _ = await RawConnection.login(server.tlsPort, user, PASSWORD);
      return user;
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await Deno.remove(server.dir, { recursive: true });
      await Deno.remove(folder, { recursive: true });
    },
  });
}

/** The messages of a mailbox as a client sees them, in order. */
export async function messagesOf(
  server: TestServer,
  user: string,
  mailbox = "INBOX",
): Promise<string[]> {
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  const status = (await client.ok(`SELECT "${mailbox}"`)).join("\n");
  if (/^\* 0 EXISTS/m.test(status)) return [];
  const fetched = await client.ok("FETCH 1:* BODY.PEEK[]");
  return fetched.map((text) => /^[^{]*\{\d+\}\r\n([^]*)\)$/.exec(text)?.[1] ?? text);
}
