/** Certificates that other programs of the machine renew. */

import { reasonOf } from "../../probe/outcome.ts";
import { isFor } from "../../probe/certificate_look.ts";
import { type Pair, readPair } from "../../tls/pair.ts";
import type { Machine, SystemUser } from "./machine.ts";

/** Programs that renew certificates. */
export type Renewer = "certbot" | "acme.sh" | "Caddy";

/** A certificate that was found, and whether it will do. */
export interface FoundCertificate {
  readonly renewer: Renewer;
  /** With the chain above it. */
  readonly cert: string;
  readonly key: string;
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  /** Why it will not do, as the end of a sentence. */
  readonly unfit?: string;
  /** Whether the server's user may read it where it is. */
  readonly readable: boolean;
}

interface Place {
  readonly renewer: Renewer;
  readonly cert: string;
  readonly key: string;
}

/** The best one comes first: those that fit, the longest valid before others. */
export function findCertificates(
  machine: Machine,
  hostname: string,
  user: SystemUser | undefined,
  now: number,
): readonly FoundCertificate[] {
  return places(machine)
    .filter(({ cert, key }) => machine.info(cert) && machine.info(key))
    .map((place) => looked(machine, place, hostname, user, now))
    .toSorted((a, b) =>
      Number(a.unfit !== undefined) - Number(b.unfit !== undefined) || b.notAfter - a.notAfter
    );
}

const CADDY = "/var/lib/caddy/.local/share/caddy/certificates";
const ACME_SH = "/root/.acme.sh";

function places(machine: Machine): Place[] {
  const certbot = machine.names("/etc/letsencrypt/live").map((name) => ({
    renewer: "certbot" as const,
    cert: `/etc/letsencrypt/live/${name}/fullchain.pem`,
    key: `/etc/letsencrypt/live/${name}/privkey.pem`,
  }));
  const acmeSh = machine.names(ACME_SH).map((folder) => ({
    renewer: "acme.sh" as const,
    cert: `${ACME_SH}/${folder}/fullchain.cer`,
    key: `${ACME_SH}/${folder}/${folder.replace(/_ecc$/, "")}.key`,
  }));
  const caddy = machine.names(CADDY).flatMap((issuer) =>
    machine.names(`${CADDY}/${issuer}`).map((name) => ({
      renewer: "Caddy" as const,
      cert: `${CADDY}/${issuer}/${name}/${name}.crt`,
      key: `${CADDY}/${issuer}/${name}/${name}.key`,
    }))
  );
  return [...certbot, ...acmeSh, ...caddy];
}

function looked(
  machine: Machine,
  place: Place,
  hostname: string,
  user: SystemUser | undefined,
  now: number,
): FoundCertificate {
  let pair: Pair;
  try {
    pair = readPair({ cert: machine.real(place.cert), key: machine.real(place.key) });
  } catch (error) {
    return { ...place, names: [], notAfter: 0, unfit: reasonOf(error), readable: false };
  }
  const { names, notAfter } = pair;
  const date = new Date(notAfter).toISOString().slice(0, 10);
  const unfit = notAfter < now
    ? `it has expired on ${date}`
    : names.some((name) => isFor(name, hostname))
    ? undefined
    : `it is for ${names.join(", ")}`;
  const readable = machine.mayRead(place.cert, user) && machine.mayRead(place.key, user);
  return { ...place, names, notAfter, unfit, readable };
}
