/** What TLS tells of the two ends of a connection, for SASL. */

import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { SaslChannel } from "../auth/auth.ts";
import type { Endpoint } from "./endpoint.ts";

/** Looks at the handshake when it is asked: after STARTTLS that has yet to come. */
export function tlsChannel(
  socket: Socket,
  { channelBinding }: Pick<Endpoint, "channelBinding">,
): SaslChannel {
  if (!(socket instanceof TLSSocket)) return {};
  let endPoint: { readonly hash: Uint8Array | undefined } | undefined;
  return {
    get serverEndPoint() {
      endPoint ??= { hash: channelBinding ? serverEndPoint(socket) : undefined };
      return endPoint.hash;
    },
  };
}

function serverEndPoint(socket: TLSSocket): Uint8Array | undefined {
  // Deno 2.7 cannot tell which certificate was served.
  const certificate = socket.getCertificate?.();
  return certificate && "raw" in certificate && certificate.raw !== undefined
    ? endPointHash(certificate.raw)
    : undefined;
}

/** Signature algorithms by their object identifiers in hexadecimal. */
const HASHES: ReadonlyMap<string, string> = new Map([
  // RSA with MD5, SHA-1, SHA-256, SHA-384, SHA-512
  ["2a864886f70d010104", "sha256"],
  ["2a864886f70d010105", "sha256"],
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  // ECDSA with the same but MD5
  ["2a8648ce3d0401", "sha256"],
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
]);

/**
 * The hash of a certificate by the function that its signature uses, or by SHA-256 where that is a
 * weak one. Undefined where the signature does not name one function, as that of Ed25519.
 *
 * @param certificate in DER
 * @see RFC 5929 §4.1
 */
export function endPointHash(certificate: Uint8Array): Uint8Array | undefined {
  const [signed, algorithm] = elements(contents(certificate, 0));
  const [identifier] = signed && algorithm ? elements(algorithm) : [];
  const name = identifier && HASHES.get(hexadecimal(identifier));
  if (name === undefined) return undefined;
  return new Uint8Array(createHash(name).update(certificate).digest());
}

/** Contents of the elements that follow one another in `der`, until something is malformed. */
function elements(der: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < der.length;) {
    const content = contents(der, at);
    const end = content.byteOffset - der.byteOffset + content.length;
    if (end <= at) break;
    found.push(content);
    at = end;
  }
  return found;
}

/** Contents of the element that begins at `at`; its length is in one octet, or after its count. */
function contents(der: Uint8Array, at: number): Uint8Array {
  const short = der[at + 1];
  const count = short < 0x80 ? 0 : short & 0x7f;
  let length = count === 0 ? short : 0;
  for (const octet of der.subarray(at + 2, at + 2 + count)) length = length * 256 + octet;
  const start = at + 2 + count;
  return der.subarray(start, start + length);
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("");
}
