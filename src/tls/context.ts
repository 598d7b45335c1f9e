/** Serves certificates to clients: which one answers, and under which rules. */

import { createSecureContext, type SecureContext, type SecureVersion } from "node:tls";
import type { TlsContext } from "../net/endpoint.ts";
import type { Certificates } from "./certificate_set.ts";
import type { Pair } from "./pair.ts";

/** Lowest and highest version on offer. */
export interface ProtocolRange {
  readonly lowest: "tls1.2" | "tls1.3";
  readonly highest: "tls1.2" | "tls1.3";
}

/** The rules of the handshakes of one endpoint. */
export interface TlsRules {
  readonly protocols: ProtocolRange;
  /** Absent: clients are not asked for certificates. */
  readonly clients?: ClientRules;
}

/** Which certificates of clients count. */
export interface ClientRules {
  /** Certificates, in PEM, of those who may vouch for them. */
  readonly authorities: readonly string[];
  /** Whether a client has to show one. */
  readonly required: boolean;
}

/**
 * Shows the first certificate by default, and another one when the client asks for a name that it
 * is for; a full name goes before a wildcard.
 */
export function tlsContext(certificates: Certificates, rules: TlsRules): TlsContext {
  const made = new WeakMap<Pair, SecureContext>();
  const options = ({ cert, key }: Pair) => ({
    cert,
    key,
    minVersion: versionName(rules.protocols.lowest),
    maxVersion: versionName(rules.protocols.highest),
    ...rules.clients && { ca: [...rules.clients.authorities] },
  });
  return {
    context(serverName) {
      certificates.refresh();
      const pair = chosen(certificates.current, serverName);
      const context = made.get(pair) ?? createSecureContext(options(pair));
      made.set(pair, context);
      return context;
    },
    certificate: (serverName) => chosen(certificates.current, serverName).cert,
    clientCertificate: rules.clients === undefined
      ? "unasked"
      : rules.clients.required
      ? "required"
      : "optional",
    options: () => options(certificates.current[0]),
    get choosesByName() {
      return certificates.current.length > 1;
    },
    watch: (listener) => certificates.watch(listener),
  };
}

function chosen(pairs: readonly Pair[], serverName: string | undefined): Pair {
  const name = serverName?.toLowerCase();
  if (name === undefined) return pairs[0];
  return pairs.find(({ names }) => names.includes(name)) ??
    pairs.find(({ names }) => names.some((pattern) => fitsWildcard(pattern, name))) ??
    pairs[0];
}

/** A wildcard stands for exactly one label. @see RFC 9525 §6.3 */
function fitsWildcard(pattern: string, name: string): boolean {
  if (!pattern.startsWith("*.")) return false;
  const dot = name.indexOf(".");
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}

function versionName(version: "tls1.2" | "tls1.3"): SecureVersion {
  return version === "tls1.2" ? "TLSv1.2" : "TLSv1.3";
}
