/** Whether the certificate that a server shows will please its clients. */

import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Findings } from "./outcome.ts";

/** What the certificate should be. */
export interface WantedCertificate {
  /** The name that clients connect to. */
  readonly hostname: string;
  /** The config asks for a self-signed one. */
  readonly selfSigned: boolean;
}

const DAY = 86_400_000;
const SOON = 14;

/** Notes what clients will make of it: protocol, name, time, chain. */
export function lookAtCertificate(
  socket: TLSSocket,
  { hostname, selfSigned }: WantedCertificate,
  findings: Findings,
  now: number,
): void {
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined) return findings.failed("TLS", "the server showed no certificate");
  const certificate = new X509Certificate(raw);
  findings.ok("TLS", `${protocolOf(socket)}, certificate from ${issuerOf(certificate)}`);
  lookAtName(certificate, hostname, findings);
  lookAtTime(certificate, findings, now);
  lookAtChain(socket, certificate, selfSigned, findings);
}

/** Deno before 2.7.13 does not tell. */
function protocolOf(socket: Partial<Pick<TLSSocket, "getProtocol">>): string {
  return socket.getProtocol?.() ?? "TLS";
}

function lookAtName(certificate: X509Certificate, hostname: string, findings: Findings): void {
  const names = certificateNames(certificate);
  if (names.some((name) => isFor(name, hostname))) return findings.ok("name", `is for ${hostname}`);
  findings.failed(
    "name",
    `is for ${names.join(", ") || "no name"}, not for ${hostname}`,
    "clients that connect to that name refuse it: get a certificate for it, or set hostname to a " +
      "name of the certificate",
  );
}

function lookAtTime(certificate: X509Certificate, findings: Findings, now: number): void {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const days = Math.floor((to - now) / DAY);
  const date = new Date(to).toISOString().slice(0, 10);
  const advice = "renew it: the server takes changed files by itself";
  if (now < from) {
    findings.failed("time", `is valid from ${certificate.validFrom} on`, "is the clock right?");
  } else if (now > to) findings.failed("time", `has expired on ${date}`, advice);
  else if (days < SOON) findings.note("time", `expires on ${date}, in ${days} days`, advice);
  else findings.ok("time", `is valid until ${date}, for ${days} days`);
}

function lookAtChain(
  { authorized, authorizationError }: Pick<TLSSocket, "authorized" | "authorizationError">,
  certificate: X509Certificate,
  selfSigned: boolean,
  findings: Findings,
): void {
  const error = String(authorizationError ?? "");
  if (certificate.issuer === certificate.subject || /SELF_SIGNED/.test(error)) {
    const say = selfSigned ? findings.note : findings.failed;
    return say.call(
      findings,
      "chain",
      "is self-signed",
      "clients ask whether to trust it, and phones may refuse: a certificate of Let's Encrypt " +
        'does better (tls.loader = "acme")',
    );
  }
  // Name and time have been looked at.
  if (authorized || /ALTNAME|HOSTNAME|EXPIRED|NOT_YET_VALID/.test(error)) {
    return findings.ok("chain", "leads to an authority that is known");
  }
  findings.failed(
    "chain",
    `does not lead to an authority that is known${error === "" ? "" : ` (${error})`}`,
    "the file of the certificate must have those above it, too, such as fullchain.pem; for an " +
      "authority of your own give --ca FILE",
  );
}

/** DNS names and IP addresses of a certificate. */
export function certificateNames(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "").split(", ")
    .map((entry) => entry.slice(entry.indexOf(":") + 1).toLowerCase())
    .filter((name) => name !== "");
}

/** A wildcard stands for exactly one label. @see RFC 9525 §6.3 */
export function isFor(name: string, hostname: string): boolean {
  const wanted = hostname.toLowerCase();
  if (name === wanted) return true;
  if (!name.startsWith("*.") || isIP(wanted) > 0) return false;
  const dot = wanted.indexOf(".");
  return dot > 0 && wanted.slice(dot) === name.slice(1);
}

function issuerOf({ issuer }: X509Certificate): string {
  const part = (key: string) => issuer.match(new RegExp(`(?:^|[\\n,] ?)${key}=([^\\n,]+)`))?.[1];
  return [part("O"), part("CN")].filter((each) => each !== undefined).join(" ") || "nobody";
}
