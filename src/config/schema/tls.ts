/** Settings of TLS: where certificates come from, and the rules of handshakes. */

import { choice, hostname, list, range, string } from "../kinds.ts";
import { locatedPath } from "../located_path.ts";
import { type Check, optional, required, type Section, setting } from "../setting.ts";
import {
  agreement,
  base64urlKey,
  directoryUrl,
  hostAndPort,
  nameOrAddress,
  refused,
  statePath,
} from "../tls_kinds.ts";

/** Where certificates come from, by `loader`. */
export const tlsLoaders = {
  file: {
    certs: required(list(locatedPath(), 1), {
      doc:
        "PEM files, each with a certificate and the chain above it. The first one answers clients " +
        "that name no host or one that no certificate is for; the others are chosen by the name " +
        "that the client asks for. Changed files are loaded within seconds; while they are faulty " +
        "the old ones stay in force. In the short forms certificates and keys stand by turns: " +
        '`tls = ["cert.pem", "key.pem"]` or `["file", "cert.pem", "key.pem"]`.',
      example: '["/etc/ssl/imapd/cert.pem"]',
    }),
    keys: required(list(locatedPath(), 1), {
      doc:
        "PEM files with the private keys, in the order of `certs`; one that belongs to another " +
        "certificate is a fault.",
      example: '["/etc/ssl/imapd/key.pem"]',
    }),
  },
  self_signed: {
    names: optional(list(nameOrAddress(), 1), {
      sample: '["mail.example.org", "192.0.2.1"]',
      doc:
        "What the certificate is for; the default is `hostname`, `localhost`, `127.0.0.1` and `::1`. " +
        "It is kept in `{state_dir}/tls` and renewed 30 days before its end.",
      inline: "rest",
    }),
  },
  acme: {
    hostname: optional(hostname(), {
      sample: '"mail.example.org"',
      doc: "The name that the certificate is for. The default is the `hostname` of the server.",
    }),
    extra_names: setting(list(hostname()), {
      default: "[]",
      doc: "More names that the certificate is for.",
    }),
    agreed: required(agreement(), {
      sample: "true",
      doc: "`true` says that you agree to the terms of service of the CA (certificate authority).",
    }),
    ca: setting(directoryUrl(), {
      default: '"https://acme-v02.api.letsencrypt.org/directory"',
      doc: "The CA's ACME directory (RFC 8555). The default is Let's Encrypt.",
    }),
    email: optional(
      string(
        'an address such as "postmaster@example.org"',
        (text) => /^[^\s@,?]+@[^\s@,?]+$/.test(text),
      ),
      {
        sample: '"postmaster@example.org"',
        doc: "Where the CA writes to when something is wrong.",
      },
    ),
    challenge: setting(choice(["http-01", "tls-alpn-01"]), {
      default: '"http-01"',
      doc:
        "How the CA finds out that a name is yours: it asks on port 80 of the name, or on port 443.",
    }),
    http_listen: setting(hostAndPort("tcp"), {
      default: '"tcp://0.0.0.0:80"',
      doc: "Where `http-01` is answered. It is open only while the CA asks.",
    }),
    alpn_listen: setting(hostAndPort("tls"), {
      default: '"tls://0.0.0.0:443"',
      doc: "Where `tls-alpn-01` is answered. It is open only while the CA asks.",
    }),
    store_path: setting(statePath(), {
      default: '"{state_dir}/acme"',
      doc: "Folder for the keys of accounts and the certificates.",
    }),
    key_type: setting(choice(["ecdsa", "rsa"]), {
      default: '"ecdsa"',
      doc: "The certificate's key: ECDSA on P-256, or RSA with 2048 bits.",
    }),
    ca_root: optional(locatedPath(), {
      sample: '"/etc/ssl/company-ca.pem"',
      doc: "PEM file with the root of the CA's own certificate, for CAs inside a company.",
    }),
    eab_kid: optional(string(), {
      sample: '"kid-1"',
      doc: "Key id of an account that the CA knows already (external account binding).",
    }),
    eab_hmac: optional(base64urlKey(), {
      sample: '"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"',
      doc: "The key for it, as the CA gives it out.",
    }),
  },
} satisfies Record<string, Section>;

/** The rules of the handshakes of an endpoint. */
export const tlsRules = {
  protocols: setting(range(["tls1.2", "tls1.3"]), {
    default: '["tls1.2", "tls1.3"]',
    doc:
      "The lowest and the highest version of TLS that is offered; one value offers only that one.",
  }),
  client_ca: optional(list(locatedPath(), 1), {
    sample: '["/etc/imapd/users-ca.pem"]',
    doc:
      "PEM files with authorities. Clients are asked for a certificate; one that none of these has " +
      "signed is ignored. They are read at the start.",
  }),
  client_certificate: setting(choice(["optional", "required"]), {
    default: '"optional"',
    doc: "Whether clients without such a certificate are turned away. It needs `client_ca`.",
  }),
  ciphers: optional(refused("ciphers: the TLS library has only such as are safe"), {
    doc: "Cannot be chosen: only ciphers with forward secrecy and authentication are offered.",
  }),
  curves: optional(refused("curves: the TLS library has X25519, P-256 and P-384"), {
    doc: "Cannot be chosen: X25519, P-256 and P-384 are offered.",
  }),
} satisfies Section;

const asManyKeys: Check = ({ entries }, key, reading) => {
  const certs = entries.get("certs")?.value;
  const keys = entries.get("keys")?.value;
  if (certs?.type !== "list" || keys?.type !== "list") return;
  if (certs.items.length === keys.items.length) return;
  reading.fault(
    keys.at,
    `${key}.keys must have as many paths as ${key}.certs (${certs.items.length}): got ` +
      `${keys.items.length}`,
  );
};

const wholeBinding: Check = ({ entries, at }, key, reading) => {
  const [missing, other] = ["eab_kid", "eab_hmac"].toSorted((a, b) =>
    Number(entries.has(a)) - Number(entries.has(b))
  );
  if (entries.has(missing) === entries.has(other)) return;
  reading.fault(at, `${key}.${missing} is missing: it must be there where ${key}.${other} is`);
};

/** Faults between the settings of a loader. */
export const tlsChecks: Readonly<Record<string, Check>> = { file: asManyKeys, acme: wholeBinding };
