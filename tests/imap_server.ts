/** A server in this process, made without a config: a test may have its ends of the connections. */

import type { Socket } from "node:net";
import { EndpointLogin } from "../src/auth/login.ts";
import { memoryLog } from "../src/log.ts";
import { ConnectionCounts } from "../src/net/connection_counts.ts";
import type { Endpoint, Limits } from "../src/net/endpoint.ts";
import { Networks } from "../src/net/ip_address.ts";
import { Listeners } from "../src/net/listeners.ts";
import { ImapServer } from "../src/net/server.ts";
import { MaildirStore } from "../src/store/maildir/store.ts";
import { fakeAuthenticator, type Known, SAME_NAMES } from "./auth/authenticators.ts";

/** One that runs, without TLS. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /** Each user's Maildir is in it. */
  readonly dir: string;
  readonly lines: readonly string[];
  /** The server's ends of all connections, in the order in which they came. */
  readonly sockets: readonly Socket[];
}

export interface RunningServerOptions {
  /** Who may log in. */
  readonly known?: Known;
  /** Where the log goes. */
  readonly lines?: string[];
  /** Debug lines are logged, too. */
  readonly debugging?: boolean;
  /** All who connect are proxies. */
  readonly proxied?: boolean;
  /** Connections at once. */
  readonly connections?: number;
  /** Hands a connection to the server by calling `accept`; absent: at once. */
  readonly arrived?: (accept: () => void) => void;
}

export async function imapServer(options: RunningServerOptions): Promise<RunningServer> {
  const { known = {}, lines = [], debugging = false, arrived = (accept) => accept() } = options;
  const dir = await Deno.makeTempDir({ prefix: "imapd-server-" });
  const log = memoryLog(lines, debugging);
  const store = new MaildirStore({
    path: (name) => `${dir}/${name}`,
    specialFolders: [],
    memoryBudget: 1 << 20,
    log,
  });
  const login = new EndpointLogin({
    auth: fakeAuthenticator(known),
    names: SAME_NAMES,
    accountFault: () => undefined,
    secret: new Uint8Array(32),
    log,
  });
  let connections = 0;
  const server = new ImapServer({
    endpoint: endpoint(options),
    counts: ConnectionCounts.unbounded(),
    ...{ login, store, log, hostname: "mail.example.org", version: "0" },
    nextId: () => String(++connections),
  });
  const sockets: Socket[] = [];
  const acceptor = {
    accept(...[socket, arrival]: Parameters<ImapServer["accept"]>) {
      sockets.push(socket);
      arrived(() => server.accept(socket, arrival));
    },
  };
  const listeners = new Listeners({ log, handover: { names: [] }, libc: undefined });
  const address = { kind: "inet", tls: false, host: "127.0.0.1", port: 0 } as const;
  const [opened] = await listeners.apply([{ address, acceptor }]);
  if (opened.kind !== "inet") throw new Error("Expected a port");
  return {
    port: opened.port,
    ...{ dir, lines, sockets },
    async [Symbol.asyncDispose]() {
      await listeners.close();
      await server.close(0);
      await store.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function endpoint({ proxied = false, connections = 100 }: RunningServerOptions): Endpoint {
  const minute = 60_000;
  const limits: Limits = {
    ...{ line: 65536, append: 65536, literals: 65536, login: minute, idle: minute },
    ...{ lineBeforeLogin: 8192, literalsBeforeLogin: 8192, read: minute, buffers: 1 << 28 },
    ...{ write: minute, keepalive: minute, connections },
    ...{ badBeforeLogin: 3, badAfterLogin: 20, failedLogins: 10 },
  };
  return {
    insecureAuth: true,
    saslLogin: false,
    channelBinding: true,
    certificateName: "email",
    ioDebug: true,
    ioErrors: true,
    proxyProtocol: proxied
      ? { trust: new Networks(["127.0.0.1"]), tlsOffloaded: false }
      : undefined,
    limits,
  };
}
