/** A server whose users log in by tokens that it knows. */

import { EndpointLogin } from "../src/auth/login.ts";
import { memoryLog } from "../src/log.ts";
import { ConnectionCounts } from "../src/net/connection_counts.ts";
import { Listeners } from "../src/net/listeners.ts";
import { ImapServer } from "../src/net/server.ts";
import { MaildirStore } from "../src/store/maildir/store.ts";
import { fakeAuthenticator, SAME_NAMES } from "./auth/authenticators.ts";

/** One that runs, without TLS. */
export interface BearerServer extends AsyncDisposable {
  readonly port: number;
  readonly lines: readonly string[];
}

/** @param tokens users by their tokens; "down" as a token's user cannot be checked */
export async function bearerServer(
  tokens: Readonly<Record<string, string>>,
  down = false,
): Promise<BearerServer> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-bearer-" });
  const lines: string[] = [];
  const log = memoryLog(lines, false);
  const store = new MaildirStore({
    path: (name) => `${dir}/${name}`,
    specialFolders: [],
    memoryBudget: 1 << 20,
    log,
  });
  const login = new EndpointLogin({
    auth: fakeAuthenticator({ tokens, down }),
    names: SAME_NAMES,
    accountFault: () => undefined,
    secret: new Uint8Array(32),
    log,
  });
  let connections = 0;
  const minute = 60_000;
  const server = new ImapServer({
    endpoint: {
      insecureAuth: true,
      saslLogin: false,
      channelBinding: true,
      certificateName: "email",
      ioDebug: true,
      ioErrors: true,
      limits: {
        ...{ line: 65536, append: 65536, literals: 65536, login: minute, idle: minute },
        ...{ lineBeforeLogin: 8192, literalsBeforeLogin: 8192, read: minute, buffers: 1 << 28 },
        ...{ write: minute, keepalive: minute, connections: 100 },
        ...{ badBeforeLogin: 3, badAfterLogin: 20, failedLogins: 10 },
      },
    },
    counts: ConnectionCounts.unbounded(),
    ...{ login, store, log, hostname: "mail.example.org", version: "0" },
    nextId: () => String(++connections),
  });
  const listeners = new Listeners({ log, handover: { names: [] }, libc: undefined });
  const address = { kind: "inet", tls: false, host: "127.0.0.1", port: 0 } as const;
  const [opened] = await listeners.apply([{ address, acceptor: server }]);
  if (opened.kind !== "inet") throw new Error("Expected a port");
  return {
    port: opened.port,
    lines,
    async [Symbol.asyncDispose]() {
      await listeners.close();
      await server.close(0);
      await store.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
