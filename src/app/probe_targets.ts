/** Where a server of a config is looked at from outside. */

import type { Address } from "../config/addresses.ts";
import type { Config, ImapConfig } from "../config/load.ts";
import { Networks, UNIX_PEER } from "../net/ip_address.ts";
import { isImplicitTls, urlOf } from "../net/listen_address.ts";
import type { HttpTarget } from "../probe/http_probe.ts";
import type { ImapTarget } from "../probe/imap_probe.ts";
import type { Route } from "../probe/line_channel.ts";
import type { LmtpTarget } from "../probe/lmtp_probe.ts";
import type { Outcome } from "../probe/outcome.ts";

/** What can be looked at, and notes on what cannot. */
export interface ProbeTargets {
  readonly imap: readonly ImapTarget[];
  readonly lmtp: readonly LmtpTarget[];
  readonly http: readonly HttpTarget[];
  readonly notes: readonly Outcome[];
}

/** @param hostname the server's name where the config has none */
export function probeTargets(config: Config, hostname: string): ProbeTargets {
  const name = config.hostname ?? hostname;
  const imap = config.imap.flatMap((endpoint) =>
    endpoint.listen.map((address) => ({ endpoint, address }))
  );
  const lmtp = config.lmtp.flatMap(({ listen }) => listen.map(({ address }) => address));
  const forms = config.autoconfig?.listen ?? [];
  const metrics = config.openmetrics === undefined ? [] : [config.openmetrics.listen];
  return {
    imap: imap.flatMap(({ endpoint, address }) => imapTarget(endpoint, address, name)),
    lmtp: lmtp.flatMap((address) => {
      const route = routeOf(address);
      return route === undefined ? [] : [{ url: urlOf(address), route }];
    }),
    http: [
      ...forms.flatMap((address) => httpTarget(address, "/", name)),
      ...metrics.flatMap((address) => httpTarget(address, "/healthz", "localhost")),
    ],
    notes: [...imap.map(({ address }) => address), ...lmtp, ...forms, ...metrics].flatMap(noteOn),
  };
}

function httpTarget(address: Address, path: string, hostname: string): HttpTarget[] {
  const route = routeOf(address);
  if (route === undefined) return [];
  return [{ url: urlOf(address), route, tls: isImplicitTls(address), hostname, path }];
}

function imapTarget(endpoint: ImapConfig, address: Address, hostname: string): ImapTarget[] {
  const route = routeOf(address);
  if (route === undefined) return [];
  const { tls, proxyProtocol: proxy } = endpoint;
  const peer = route.kind === "unix" ? UNIX_PEER : route.host === "::1" ? "::1" : "127.0.0.1";
  const isProxy = proxy !== undefined && new Networks(proxy.trust).includes(peer);
  return [{
    url: urlOf(address),
    route,
    tls: address.kind === "inet" && address.tls
      ? "implicit"
      : tls !== undefined && address.kind === "inet"
      ? "starttls"
      : "none",
    ...isProxy && { proxy: { tls: proxy.tls !== undefined } },
    certificate: {
      hostname: tls?.loader.module === "acme" ? tls.loader.hostname ?? hostname : hostname,
      selfSigned: tls?.loader.module === "self_signed",
    },
  }];
}

/** Undefined where nobody can say from outside where it is. */
function routeOf(address: Address): Route | undefined {
  if (address.kind === "unix") return { kind: "unix", path: address.path };
  if (address.kind === "fd" || address.port === 0) return undefined;
  const { host, port } = address;
  const local = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return { kind: "inet", host: local, port };
}

function noteOn(address: Address): Outcome[] {
  if (routeOf(address) !== undefined) return [];
  const detail = address.kind === "fd"
    ? "was not tried: the service manager knows where it is"
    : "was not tried: the port is another one at each start";
  return [{ target: urlOf(address), step: "connection", state: "note", detail }];
}
