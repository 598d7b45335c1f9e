/** Reads what SASL wants to know of a certificate in DER. @see RFC 5280 §4.1 */

import { createHash } from "node:crypto";

/** Which names of a client's certificate are names of users. */
export type CertificateName = "email" | "dns" | "cn";

/** One element: its tag, and what it contains. */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Signature algorithms by their object identifiers in hexadecimal, with the hash to use. */
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
 * @see RFC 5929 §4.1
 */
export function endPointHash(certificate: Uint8Array): Uint8Array | undefined {
  const [, algorithm] = partsOf(elements(certificate)[0]);
  const [identifier] = partsOf(algorithm);
  const name = identifier && HASHES.get(hexadecimal(identifier.content));
  if (name === undefined) return undefined;
  return new Uint8Array(createHash(name).update(certificate).digest());
}

const COMMON_NAME = "550403";
const SUBJECT_ALTERNATIVE_NAME = "551d11";
/** Tags in the alternative names. */
const ALTERNATIVES = { email: 0x81, dns: 0x82 } as const;
/** The one explicit tag of a certificate's extensions. */
const EXTENSIONS = 0xa3;
/** UTF8String, PrintableString and IA5String: the others are not UTF-8. */
const TEXTS = [0x0c, 0x13, 0x16];
const VERSION = 0xa0;

/** The names of one kind in a certificate, in its order. */
export function certificateNames(certificate: Uint8Array, kind: CertificateName): string[] {
  const [signed] = partsOf(elements(certificate)[0]);
  const fields = partsOf(signed).filter(({ tag }) => tag !== VERSION);
  if (kind === "cn") return commonNames(fields[4]);
  const extensions = partsOf(fields.find(({ tag }) => tag === EXTENSIONS)).flatMap(partsOf);
  const alternatives = extensions.map(partsOf).find(([identifier]) =>
    identifier && hexadecimal(identifier.content) === SUBJECT_ALTERNATIVE_NAME
  );
  return partsOf(elements(alternatives?.at(-1)?.content)[0])
    .filter(({ tag }) => tag === ALTERNATIVES[kind]).flatMap(({ content }) => textOf(content));
}

/** A subject is a sequence of sets of pairs of an identifier and a value. */
function commonNames(subject: Element | undefined): string[] {
  return partsOf(subject).flatMap(partsOf).map(partsOf).flatMap(([identifier, value]) =>
    value && hexadecimal(identifier.content) === COMMON_NAME && TEXTS.includes(value.tag)
      ? textOf(value.content)
      : []
  );
}

function textOf(bytes: Uint8Array): string[] {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text === "" || /\p{Cc}/u.test(text) ? [] : [text];
  } catch {
    return [];
  }
}

function partsOf(element: Element | undefined): Element[] {
  return elements(element?.content);
}

/** The elements that follow one another in `der`, until something is malformed. */
function elements(der: Uint8Array = new Uint8Array(0)): Element[] {
  const found: Element[] = [];
  for (let at = 0; at + 2 <= der.length;) {
    // A length from 128 on has its own octets, which are counted first.
    const short = der[at + 1];
    const count = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + count;
    const length = count === 0
      ? short
      : der.subarray(at + 2, start).reduce((sum, octet) => sum * 256 + octet, 0);
    if (start + length > der.length) break;
    found.push({ tag: der[at], content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("");
}
