/** Password hashes as tables hold them: `argon2:…` and `bcrypt:…`. */

/** Argon2id, version 19. */
export interface Argon2Hash {
  readonly algorithm: "argon2";
  /** Passes. */
  readonly time: number;
  /** KiB. */
  readonly memory: number;
  readonly threads: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

export interface BcryptHash {
  readonly algorithm: "bcrypt";
  /** Binary logarithm of the rounds. */
  readonly cost: number;
  /** 16 octets. */
  readonly salt: Uint8Array;
  /** 23 octets. */
  readonly hash: Uint8Array;
}

export type PasswordHash = Argon2Hash | BcryptHash;
export type HashAlgorithm = PasswordHash["algorithm"];

/** More than any sane setting; a slip of a digit must not take the machine down. */
const MOST = { time: 100, memory: 1 << 20, threads: 64, argon2Hash: 128 };
const BCRYPT_DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Reads a table's value; undefined when it is no hash that can be checked. */
export function parsePasswordHash(value: string): PasswordHash | undefined {
  const colon = value.indexOf(":");
  const rest = value.slice(colon + 1);
  switch (value.slice(0, colon)) {
    case "argon2":
      return parseArgon2(rest);
    case "bcrypt":
      return parseBcrypt(rest);
    default:
      return undefined;
  }
}

/** `TIME:MEMORY:THREADS:SALT:HASH`, the last two in base64. */
function parseArgon2(text: string): Argon2Hash | undefined {
  const match = text.match(/^(\d{1,3}):(\d{1,7}):(\d{1,2}):([\w+/=]+):([\w+/=]+)$/);
  if (match === null) return undefined;
  const [time, memory, threads] = match.slice(1, 4).map(Number);
  const salt = decodeBase64(match[4]);
  const hash = decodeBase64(match[5]);
  if (salt === undefined || hash === undefined) return undefined;
  const fits = time >= 1 && time <= MOST.time && threads >= 1 && threads <= MOST.threads &&
    memory >= 8 * threads && memory <= MOST.memory &&
    salt.length >= 8 && hash.length >= 16 && hash.length <= MOST.argon2Hash;
  return fits ? { algorithm: "argon2", time, memory, threads, salt, hash } : undefined;
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** `$2b$COST$` and 53 digits. The variants a, b, x and y differ only where old programs had bugs. */
function parseBcrypt(text: string): BcryptHash | undefined {
  const match = text.match(/^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/);
  if (match === null) return undefined;
  const cost = Number(match[1]);
  if (cost < 4 || cost > 20) return undefined;
  return {
    algorithm: "bcrypt",
    cost,
    salt: decodeBcrypt(match[2], 16),
    hash: decodeBcrypt(match[3], 23),
  };
}

/** bcrypt's own base64, most significant bits first. */
function decodeBcrypt(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let bits = 0;
  let count = 0;
  let at = 0;
  for (const char of text) {
    bits = ((bits << 6) | BCRYPT_DIGITS.indexOf(char)) & 0xffff;
    count += 6;
    if (count >= 8 && at < length) {
      count -= 8;
      bytes[at++] = (bits >> count) & 0xff;
    }
  }
  return bytes;
}

function encodeBcrypt(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += BCRYPT_DIGITS[(bits >> count) & 63];
    }
  }
  return count > 0 ? text + BCRYPT_DIGITS[(bits << (6 - count)) & 63] : text;
}

/** The value to put into a table. */
export function formatPasswordHash(hash: PasswordHash): string {
  if (hash.algorithm === "bcrypt") {
    const cost = String(hash.cost).padStart(2, "0");
    return `bcrypt:$2b$${cost}$${encodeBcrypt(hash.salt)}${encodeBcrypt(hash.hash)}`;
  }
  const { time, memory, threads, salt } = hash;
  return `argon2:${time}:${memory}:${threads}:${encodeBase64(salt)}:${encodeBase64(hash.hash)}`;
}

/** Hashes of equal cost take equally long to check. */
export function costOf(hash: PasswordHash): string {
  return hash.algorithm === "bcrypt"
    ? `bcrypt:${hash.cost}`
    : `argon2:${hash.time}:${hash.memory}:${hash.threads}:${hash.hash.length}`;
}

/** A hash with new settings: what `imapd hash` makes unless told otherwise. */
export function blankHash(algorithm: HashAlgorithm, salt: Uint8Array): PasswordHash {
  return algorithm === "bcrypt"
    ? { algorithm, cost: 12, salt, hash: new Uint8Array(23) }
    : { algorithm, time: 2, memory: 19 * 1024, threads: 1, salt, hash: new Uint8Array(32) };
}

/** Compares without telling by the time taken where the first difference is. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i % b.length];
  return difference === 0;
}
