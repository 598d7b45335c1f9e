/** Reads the first message of a TLS client. @see RFC 8446 §4.1.2 */

/** What the answer to a challenge depends on. */
export interface ClientHello {
  /** The whole message, which the handshake's hash begins with. */
  readonly message: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuites: readonly number[];
  /** Contents of extensions by their number. */
  readonly extensions: ReadonlyMap<number, Uint8Array>;
}

/** Numbers of extensions. @see RFC 8446 §4.2 */
export const EXTENSION = { serverName: 0, alpn: 16, supportedVersions: 43, keyShare: 51 } as const;

/** The bytes are no ClientHello. */
export class HelloFault extends Error {
  override name = "HelloFault";
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;

/**
 * Takes the message out of what a client has sent so far.
 *
 * @returns undefined while there is more to come
 * @throws {HelloFault}
 */
export function readClientHello(received: Uint8Array): ClientHello | undefined {
  const message = firstMessage(received);
  if (message === undefined) return undefined;
  const reader = new Reader(message.subarray(4));
  reader.take(2 + 32); // version and random
  const sessionId = reader.vector(1);
  const cipherSuites = reader.inside(2).numbers();
  reader.vector(1); // compression
  const extensions = new Map<number, Uint8Array>();
  const list = reader.inside(2);
  while (!list.done) {
    const type = list.number(2);
    extensions.set(type, list.vector(2));
  }
  return { message, sessionId, cipherSuites, extensions };
}

/** A message may be cut into several records. @see RFC 8446 §5.1 */
function firstMessage(received: Uint8Array): Uint8Array | undefined {
  const parts: number[] = [];
  for (let at = 0; at + 5 <= received.length;) {
    if (received[at] !== HANDSHAKE) throw new HelloFault("Expected a handshake");
    const end = at + 5 + (received[at + 3] << 8 | received[at + 4]);
    if (end > received.length) return undefined;
    parts.push(...received.subarray(at + 5, end));
    if (parts[0] !== CLIENT_HELLO) throw new HelloFault("Expected a ClientHello");
    const length = 4 + (parts[1] << 16 | parts[2] << 8 | parts[3]);
    if (parts.length >= length) return Uint8Array.from(parts.slice(0, length));
    at = end;
  }
  return undefined;
}

/** Whether a list of protocols has `name`. @see RFC 7301 §3.1 */
export function offersProtocol(extension: Uint8Array | undefined, name: string): boolean {
  if (extension === undefined) return false;
  const list = new Reader(extension).inside(2);
  while (!list.done) if (new TextDecoder().decode(list.vector(1)) === name) return true;
  return false;
}

/** The host name that the client asks for. @see RFC 6066 §3 */
export function serverName(extension: Uint8Array | undefined): string | undefined {
  if (extension === undefined) return undefined;
  const list = new Reader(extension).inside(2);
  list.take(1); // the only type of name
  return new TextDecoder().decode(list.vector(2)).toLowerCase();
}

/** Whether a list of versions has `version`. @see RFC 8446 §4.2.1 */
export function offersVersion(extension: Uint8Array | undefined, version: number): boolean {
  return extension !== undefined && new Reader(extension).inside(1).numbers().includes(version);
}

/** Public keys by the number of their group. @see RFC 8446 §4.2.8 */
export function keyShares(extension: Uint8Array | undefined): ReadonlyMap<number, Uint8Array> {
  const shares = new Map<number, Uint8Array>();
  if (extension === undefined) return shares;
  const list = new Reader(extension).inside(2);
  while (!list.done) {
    const group = list.number(2);
    shares.set(group, list.vector(2));
  }
  return shares;
}

class Reader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.#at === this.bytes.length;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.bytes.length) throw new HelloFault("Expected a longer message");
    const taken = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(octets: number): number {
    return this.take(octets).reduce((sum, octet) => sum * 256 + octet, 0);
  }

  /** Bytes after their length, which has so many octets. */
  vector(octets: number): Uint8Array {
    return this.take(this.number(octets));
  }

  inside(octets: number): Reader {
    return new Reader(this.vector(octets));
  }

  /** All that is left as numbers of two octets. */
  numbers(): number[] {
    const numbers: number[] = [];
    while (!this.done) numbers.push(this.number(2));
    return numbers;
  }
}
