/** Settings of TLS. */

import { list, path, range } from "../kinds.ts";
import { type Check, tlsTable } from "../modules.ts";
import { required, type Section, setting } from "../setting.ts";

const protocols = setting(range(["tls1.2", "tls1.3"]), {
  default: '["tls1.2", "tls1.3"]',
  doc: "The lowest and the highest version of TLS that is offered; one value offers only that one.",
});

/** Where certificates come from, by `loader`. */
export const tlsLoaders = {
  file: {
    certs: required(list(path(), 1), {
      doc:
        "PEM files, each with a certificate and the chain above it. The first one answers clients " +
        "that name no host or one that no certificate is for; the others are chosen by the name " +
        "that the client asks for. Changed files are loaded within seconds.",
      example: '["/etc/ssl/imapd/cert.pem"]',
    }),
    keys: required(list(path(), 1), {
      doc: "PEM files with the private keys, in the order of `certs`.",
      example: '["/etc/ssl/imapd/key.pem"]',
    }),
    protocols,
  },
  self_signed: { protocols },
} satisfies Record<string, Section>;

const asManyKeys: Check = (values, key, reading) => {
  const certs = values.entries.get("certs")?.value;
  const keys = values.entries.get("keys")?.value;
  if (certs?.type !== "list" || keys?.type !== "list") return;
  if (certs.items.length === keys.items.length) return;
  reading.fault(
    keys.at,
    `${key}.keys must have as many paths as ${key}.certs (${certs.items.length}): got ` +
      `${keys.items.length}`,
  );
};

/** `tls`, at the top and of an endpoint. */
export const tls = tlsTable(tlsLoaders, { file: asManyKeys });
