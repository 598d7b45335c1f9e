/** Certificates: readable, for this host, and not about to expire. */

import { X509Certificate } from "node:crypto";
import type { Finding } from "../../admin/operation.ts";
import type { Config } from "../../config/load.ts";
import { type Pair, PairFault, readPair } from "../../tls/pair.ts";
import { tlsOf } from "../tls.ts";

const DAY = 86_400_000;

/** One finding or more for each certificate that the config names. */
export function* certificateFindings(config: Config): Generator<Finding, void> {
  const subject = "certificate";
  const hostname = config.hostname ?? Deno.hostname();
  for (const loader of new Set(tlsOf(config).map((tls) => tls.loader))) {
    switch (loader.module) {
      case "self_signed":
        yield {
          level: "warning",
          subject,
          text: "self-signed: clients warn of it",
          advice: "use the loader acme, or file",
        };
        break;
      case "acme":
        yield { level: "ok", subject, text: `issued and renewed by ${loader.ca}` };
        break;
      case "file":
        for (const [i, cert] of loader.certs.entries()) {
          yield* pairFindings({ cert: cert.path, key: loader.keys[i].path }, hostname);
        }
    }
  }
}

function* pairFindings(
  files: { readonly cert: string; readonly key: string },
  hostname: string,
): Generator<Finding, void> {
  const subject = "certificate";
  let pair: Pair;
  try {
    pair = readPair(files);
  } catch (error) {
    if (!(error instanceof PairFault)) throw error;
    const advice = "let the config name a certificate and its key";
    yield { level: "failed", subject, text: error.message, advice };
    return;
  }
  const days = Math.floor((pair.notAfter - Date.now()) / DAY);
  const until = new Date(pair.notAfter).toISOString().slice(0, 10);
  const advice = "renew it; the server reads it anew by itself";
  if (days < 0) {
    yield { level: "failed", subject, text: `${files.cert} expired on ${until}`, advice };
  } else if (days < 14) {
    yield { level: "warning", subject, text: `${files.cert} expires on ${until}`, advice };
  } else yield { level: "ok", subject, text: `${files.cert} until ${until}` };
  if (new X509Certificate(pair.cert).checkHost(hostname) === undefined) {
    yield {
      level: "warning",
      subject,
      text: `${files.cert} is for ${pair.names.join(", ") || "no name"}, not for ${hostname}`,
      advice: "set hostname, or have a certificate issued for it",
    };
  }
}
