/**
 * The server's half of a TLS 1.3 handshake that shows one certificate and says nothing after it.
 *
 * TLS-ALPN-01 wants a certificate with a critical extension that Deno's TLS does not know and
 * therefore does not serve. No secret depends on this handshake: the certificate is the answer to
 * a public question, its key is used for nothing else, and no data follows.
 *
 * @see RFC 8446 §2, RFC 8737 §3
 */

import {
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import {
  type ClientHello,
  EXTENSION,
  keyShares,
  offersProtocol,
  offersVersion,
  serverName,
} from "./client_hello.ts";
import { base64url } from "./jws.ts";

/** The protocol that this handshake is for. @see RFC 8737 §6.2 */
export const ACME_TLS = "acme-tls/1";

export interface Shown {
  /** The DNS name that it is for. */
  readonly name: string;
  /** In DER. */
  readonly certificate: Uint8Array;
  /** On P-256. */
  readonly key: KeyObject;
}

const TLS_1_3 = 0x0304;
const TLS_AES_128_GCM_SHA256 = 0x1301;
const ECDSA_SECP256R1_SHA256 = 0x0403;

/** Numbers of alerts. @see RFC 8446 §6 */
const ALERT = {
  handshakeFailure: 40,
  protocolVersion: 70,
  unrecognizedName: 112,
  noApplicationProtocol: 120,
} as const;

/** All that the server sends: its flight, or an alert when the client wants something else. */
export function answerHello(hello: ClientHello, shown: Shown): Uint8Array {
  const { extensions } = hello;
  if (!offersVersion(extensions.get(EXTENSION.supportedVersions), TLS_1_3)) {
    return alert(ALERT.protocolVersion);
  }
  if (!offersProtocol(extensions.get(EXTENSION.alpn), ACME_TLS)) {
    return alert(ALERT.noApplicationProtocol);
  }
  if (serverName(extensions.get(EXTENSION.serverName)) !== shown.name.toLowerCase()) {
    return alert(ALERT.unrecognizedName);
  }
  const agreed = agree(keyShares(extensions.get(EXTENSION.keyShare)));
  if (agreed === undefined || !hello.cipherSuites.includes(TLS_AES_128_GCM_SHA256)) {
    return alert(ALERT.handshakeFailure);
  }
  return flight(hello, shown, agreed);
}

interface Agreed {
  readonly group: number;
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
}

const SECP256R1 = 0x0017;
const X25519 = 0x001d;

/** The secret that both sides know after this. @see RFC 8446 §7.4 */
function agree(shares: ReadonlyMap<number, Uint8Array>): Agreed | undefined {
  const montgomery = shares.get(X25519);
  if (montgomery?.length === 32) {
    const own = generateKeyPairSync("x25519");
    const jwk = { kty: "OKP", crv: "X25519", x: base64url(montgomery) };
    const theirs = createPublicKey({ key: jwk, format: "jwk" });
    return {
      group: X25519,
      publicKey: own.publicKey.export({ type: "spki", format: "der" }).subarray(-32),
      secret: diffieHellman({ privateKey: own.privateKey, publicKey: theirs }),
    };
  }
  const prime = shares.get(SECP256R1);
  if (prime === undefined) return undefined;
  const own = createECDH("prime256v1");
  const publicKey = own.generateKeys();
  return { group: SECP256R1, publicKey, secret: own.computeSecret(prime) };
}

function flight(hello: ClientHello, shown: Shown, { group, publicKey, secret }: Agreed) {
  const serverHello = message(
    2,
    join(
      number(0x0303, 2),
      randomBytes(32),
      vector(1, hello.sessionId),
      number(TLS_AES_128_GCM_SHA256, 2),
      number(0, 1),
      vector(
        2,
        extension(EXTENSION.supportedVersions, number(TLS_1_3, 2)),
        extension(EXTENSION.keyShare, join(number(group, 2), vector(2, publicKey))),
      ),
    ),
  );
  const traffic = trafficSecret(secret, hash(hello.message, serverHello));
  const protocols = vector(2, vector(1, new TextEncoder().encode(ACME_TLS)));
  const said = [
    hello.message,
    serverHello,
    message(8, vector(2, extension(EXTENSION.alpn, protocols))),
    message(11, join(vector(1), vector(3, vector(3, shown.certificate), vector(2)))),
  ];
  said.push(message(15, certificateVerify(shown.key, hash(...said))));
  const finished = createHmac("sha256", expand(traffic, "finished", 32)).update(hash(...said));
  said.push(message(20, finished.digest()));
  return join(
    record(22, serverHello),
    // What looks like TLS 1.2 passes more middleboxes. @see RFC 8446 §D.4
    record(20, number(1, 1)),
    sealed(traffic, join(...said.slice(2))),
  );
}

/** @see RFC 8446 §4.4.3 */
function certificateVerify(key: KeyObject, transcript: Uint8Array): Uint8Array {
  const context = new TextEncoder().encode("TLS 1.3, server CertificateVerify\0");
  const text = join(new Uint8Array(64).fill(0x20), context, transcript);
  const signature = sign("sha256", text, { key, dsaEncoding: "der" });
  return join(number(ECDSA_SECP256R1_SHA256, 2), vector(2, signature));
}

/** "server_handshake_traffic_secret" without a pre-shared key. @see RFC 8446 §7.1 */
function trafficSecret(shared: Uint8Array, transcript: Uint8Array): Uint8Array {
  const none = new Uint8Array(32);
  const derived = expand(extract(none, none), "derived", 32, hash());
  return expand(extract(derived, shared), "s hs traffic", 32, transcript);
}

/** One encrypted record of handshake messages. @see RFC 8446 §5.2 */
function sealed(traffic: Uint8Array, messages: Uint8Array): Uint8Array {
  const inner = join(messages, number(22, 1));
  const header = join(number(23, 1), number(0x0303, 2), number(inner.length + 16, 2));
  // The first record's number is 0, which leaves the nonce as it is.
  const cipher = createCipheriv(
    "aes-128-gcm",
    expand(traffic, "key", 16),
    expand(traffic, "iv", 12),
  );
  cipher.setAAD(header);
  const text = join(cipher.update(inner), cipher.final());
  return join(header, text, cipher.getAuthTag());
}

function extract(salt: Uint8Array, secret: Uint8Array): Uint8Array {
  return createHmac("sha256", salt).update(secret).digest();
}

/** HKDF-Expand-Label for at most 32 octets. @see RFC 8446 §7.1, RFC 5869 §2.3 */
function expand(
  secret: Uint8Array,
  label: string,
  length: number,
  context: Uint8Array = new Uint8Array(),
) {
  const name = new TextEncoder().encode(`tls13 ${label}`);
  const info = join(number(length, 2), vector(1, name), vector(1, context), number(1, 1));
  return createHmac("sha256", secret).update(info).digest().subarray(0, length);
}

function hash(...parts: readonly Uint8Array[]): Uint8Array {
  return createHash("sha256").update(join(...parts)).digest();
}

function alert(description: number): Uint8Array {
  const fatal = 2;
  return record(21, join(number(fatal, 1), number(description, 1)));
}

function record(type: number, content: Uint8Array): Uint8Array {
  return join(number(type, 1), number(0x0303, 2), vector(2, content));
}

function message(type: number, content: Uint8Array): Uint8Array {
  return join(number(type, 1), vector(3, content));
}

function extension(type: number, content: Uint8Array): Uint8Array {
  return join(number(type, 2), vector(2, content));
}

function vector(octets: number, ...content: readonly Uint8Array[]): Uint8Array {
  const bytes = join(...content);
  return join(number(bytes.length, octets), bytes);
}

function number(value: number, octets: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, i) => value >> 8 * (octets - 1 - i) & 0xff);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
