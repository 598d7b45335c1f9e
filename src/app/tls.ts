/** Makes TLS contexts from their configs. */

import { createHash } from "node:crypto";
import type { Config } from "../config/load.ts";
import type { LoaderConfig, TlsConfig } from "../config/tls_setting.ts";
import type { Log } from "../log.ts";
import type { ShownCertificate } from "../monitoring/gauges.ts";
import type { TlsContext } from "../net/endpoint.ts";
import { acmeCertificate } from "../tls/acme.ts";
import { alpnResponder, httpResponder } from "../tls/acme_challenge.ts";
import type { Certificates } from "../tls/certificate_set.ts";
import { tlsContext } from "../tls/context.ts";
import { fileCertificates } from "../tls/files.ts";
import { readAuthorities } from "../tls/pair.ts";
import { selfSignedCertificate } from "../tls/self_signed.ts";

type AcmeConfig = Extract<LoaderConfig, { readonly module: "acme" }>;

/** Makes the certificates of each loader once, however many endpoints refer to it. */
export class TlsContexts {
  /** By all settings: two that are written alike would work on the same files. */
  readonly #loaded = new Map<string, Certificates>();

  /**
   * @param stateDir where certificates are kept that the server makes itself
   * @param hostname what certificates are for where the config names nothing
   */
  constructor(
    readonly stateDir: string,
    readonly hostname: string,
    readonly log: Log,
  ) {}

  /** @throws {Error} when a certificate cannot be loaded or made */
  context({ loader, protocols, clientCa, clientCertificate }: TlsConfig): TlsContext {
    const settings = settingsOf(loader);
    const certificates = this.#loaded.get(settings) ?? this.#load(loader);
    // Their end is to be announced also where there is only STARTTLS, and no client.
    if (!this.#loaded.has(settings)) certificates.watch(() => {});
    this.#loaded.set(settings, certificates);
    const clients = clientCa && {
      authorities: clientCa.flatMap(({ path }) => readAuthorities(path)),
      required: clientCertificate === "required",
    };
    return tlsContext(certificates, { protocols, clients });
  }

  /** The certificates that clients are shown now. */
  certificates(): ShownCertificate[] {
    return [...this.#loaded.values()].flatMap(({ current }) =>
      current.map(({ names, path, notAfter }) => ({ name: names[0] ?? "", path, notAfter }))
    );
  }

  /** Stops the renewals of what none of these configs refers to. */
  async keepOnly(configs: readonly Config[]): Promise<void> {
    const used = new Set(
      configs.flatMap(tlsOf).map(({ loader }) => settingsOf(loader)),
    );
    for (const [settings, certificates] of this.#loaded) {
      if (used.has(settings)) continue;
      this.#loaded.delete(settings);
      await certificates.close();
    }
  }

  /** Stops all renewals. */
  async close(): Promise<void> {
    for (const certificates of this.#loaded.values()) await certificates.close();
  }

  #load(loader: LoaderConfig): Certificates {
    const { log } = this;
    switch (loader.module) {
      case "file": {
        const { certs, keys } = loader;
        const files = certs.map((cert, i) => ({ cert: cert.path, key: keys[i].path }));
        return fileCertificates(files, { log });
      }
      case "self_signed": {
        const names = loader.names ?? [this.hostname, "localhost", "127.0.0.1", "::1"];
        // Others than the default ones have files of their own, so that loaders may differ.
        const file = loader.names === undefined ? "self_signed" : `self_signed-${digest(names)}`;
        const settings = { dir: `${this.stateDir}/tls`, file, names: [...new Set(names)] };
        return selfSignedCertificate(settings, { log });
      }
      case "acme":
        return acmeCertificate(this.#acmeSettings(loader), { log });
    }
  }

  #acmeSettings(loader: AcmeConfig) {
    const { challenge, httpListen, alpnListen, caRoot, eabKid, eabHmac } = loader;
    const names = [loader.hostname ?? this.hostname, ...loader.extraNames];
    return {
      names: [...new Set(names.map((name) => name.toLowerCase()))],
      email: loader.email,
      directory: loader.ca,
      caRoots: caRoot && readAuthorities(caRoot.path),
      external: eabKid === undefined || eabHmac === undefined
        ? undefined
        : { kid: eabKid, hmacKey: eabHmac },
      responder: challenge === "http-01" ? httpResponder(httpListen) : alpnResponder(alpnListen),
      keyType: loader.keyType,
      storePath: loader.storePath,
    };
  }
}

/** The TLS settings of all endpoints, each as often as it is referred to. */
export function tlsOf({ imap, autoconfig }: Config): TlsConfig[] {
  const used = imap.flatMap(({ tls, proxyProtocol }) => [tls, proxyProtocol?.tls]);
  return [...used, autoconfig?.tls].filter((tls) => tls !== undefined);
}

function settingsOf(loader: LoaderConfig): string {
  return JSON.stringify(loader, withoutPlaces);
}

/** Leaves out where in the config a value stands. */
function withoutPlaces(key: string, value: unknown): unknown {
  return ["at", "key", "blockName"].includes(key) ? undefined : value;
}

function digest(names: readonly string[]): string {
  return createHash("sha256").update([...names].sort().join()).digest("hex").slice(0, 8);
}
