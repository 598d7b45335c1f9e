/** A server whose users log in by tokens that it knows. */

import { EndpointLogin, SAME_NAMES } from "../src/auth/login.ts";
import { memoryLog } from "../src/log.ts";
import { ImapServer } from "../src/net/server.ts";
import { MaildirStore } from "../src/store/maildir/store.ts";
import { fakeAuthenticator } from "./auth/authenticators.ts";

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
      listen: [{ tls: false, host: "127.0.0.1", port: 0 }],
      insecureAuth: true,
      saslLogin: false,
      channelBinding: true,
      ioDebug: true,
      ioErrors: true,
      limits: {
        ...{ line: 65536, append: 65536, literals: 65536, login: minute, idle: minute },
        ...{ write: minute, keepalive: minute, connections: 100 },
        ...{ badBeforeLogin: 3, badAfterLogin: 20 },
      },
    },
    ...{ login, store, log, hostname: "mail.example.org", version: "0" },
    nextId: () => String(++connections),
  });
  const [{ port }] = await server.listen();
  return {
    port,
    lines,
    async [Symbol.asyncDispose]() {
      await server.close(0);
      await store.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
