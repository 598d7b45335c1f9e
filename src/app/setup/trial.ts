/** Starts a server on a new config for a moment, and logs in as a client does. */

import { startApp } from "../../app.ts";
import { type AuthConfig, type Config, type ImapConfig, parseConfig } from "../../config/load.ts";
import type { LoaderConfig, TlsConfig } from "../../config/tls_setting.ts";
import { createLog } from "../../log.ts";
import { probeImap } from "../../probe/imap_probe.ts";
import { Findings, type Outcome, reasonOf } from "../../probe/outcome.ts";

/** What is tried. */
export interface Trial {
  readonly text: string;
  /** Where the config will be. */
  readonly file: string;
  /** Where a file of the config is for now. */
  readonly place: (path: string) => string;
  /** Absent: nobody logs in. */
  readonly user?: { readonly name: string; readonly password: string };
}

const LOOPBACK = { kind: "inet", tls: true, host: "127.0.0.1", port: 0 } as const;

/**
 * The config's names, users and certificate, on a free port of loopback. Mail and state lie in a
 * folder that is thrown away, so that nothing is left that belongs to the wrong user.
 *
 * @throws {ConfigError} when the config has faults
 */
export async function tryConfig({ text, file, place, user }: Trial): Promise<readonly Outcome[]> {
  const config = parseConfig(text, file);
  const findings = new Findings("The new config");
  const dir = await Deno.makeTempDir({ prefix: "imapd-init-" });
  const log = createLog(["off"], false);
  try {
    const app = await startApp(forTrial(config, dir, place), log);
    try {
      const [address] = app.listening;
      const { hostname = Deno.hostname() } = config;
      return await probeImap({
        url: findings.target,
        route: {
          kind: "inet",
          host: "127.0.0.1",
          port: address.kind === "inet" ? address.port : 0,
        },
        tls: "implicit",
        certificate: { hostname, selfSigned: config.imap[0].tls?.loader.module !== "file" },
      }, { user, authorities: [], now: Date.now() });
    } finally {
      await app.close(0);
    }
  } catch (error) {
    findings.failed("start", reasonOf(error));
    return findings.outcomes;
  } finally {
    await log.close();
    await Deno.remove(dir, { recursive: true });
  }
}

function forTrial(config: Config, dir: string, place: (path: string) => string): Config {
  const [imap] = config.imap;
  return {
    ...config,
    stateDir: dir,
    // There is no such folder, so there is no socket.
    controlPath: `${dir}/none/control.sock`,
    warmUp: 0,
    lmtp: [],
    autoconfig: undefined,
    openmetrics: undefined,
    imap: [endpointForTrial(imap, dir, place)],
  };
}

function endpointForTrial(
  imap: ImapConfig,
  dir: string,
  place: (path: string) => string,
): ImapConfig {
  return {
    ...imap,
    listen: [LOOPBACK],
    tls: imap.tls && tlsForTrial(imap.tls, place),
    auth: imap.auth.map((auth) => authForTrial(auth, place)),
    storage: { ...imap.storage, path: `${dir}/mail/{account}` },
  };
}

/** Let's Encrypt is asked only at the real start. */
function tlsForTrial(tls: TlsConfig, place: (path: string) => string): TlsConfig {
  const { loader } = tls;
  const tried: LoaderConfig = loader.module === "file"
    ? {
      ...loader,
      certs: loader.certs.map((each) => ({ ...each, path: place(each.path) })),
      keys: loader.keys.map((each) => ({ ...each, path: place(each.path) })),
    }
    : { module: "self_signed", names: undefined };
  return { ...tls, loader: tried };
}

function authForTrial(auth: AuthConfig, place: (path: string) => string): AuthConfig {
  if (auth.module !== "pass_table" || auth.table.module !== "file") return auth;
  return { ...auth, table: { ...auth.table, path: place(auth.table.path) } };
}
