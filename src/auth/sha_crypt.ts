/** SHA-crypt: the `$5$` and `$6$` hashes of crypt(3). @see https://www.akkadia.org/drepper/SHA-crypt.txt */

import { createSHA256, createSHA512, type IHasher } from "hash-wasm";

/** What a SHA-crypt hash is made with. */
export interface ShaCryptSettings {
  readonly bits: 256 | 512;
  readonly rounds: number;
  /** At most 16 octets. */
  readonly salt: Uint8Array;
}

const DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The last part of a SHA-crypt string: 43 digits for `$5$`, 86 for `$6$`. */
export async function shaCrypt(
  { bits, rounds, salt }: ShaCryptSettings,
  password: Uint8Array,
): Promise<string> {
  const hasher = await (bits === 256 ? createSHA256() : createSHA512());
  const hash = (...parts: readonly Uint8Array[]) => digest(hasher, parts);
  const { length } = password;
  const alternate = hash(password, salt, password);
  const parts = [password, salt, stretched(alternate, length)];
  for (let left = length; left > 0; left >>= 1) parts.push(left & 1 ? alternate : password);
  let result = hash(...parts);
  const p = stretched(hash(...Array<Uint8Array>(length).fill(password)), length);
  const s = stretched(hash(...Array<Uint8Array>(16 + result[0]).fill(salt)), salt.length);
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    hasher.init().update(odd ? p : result);
    if (round % 3 !== 0) hasher.update(s);
    if (round % 7 !== 0) hasher.update(p);
    result = hasher.update(odd ? result : p).digest("binary");
  }
  return encode(result);
}

function digest(hasher: IHasher, parts: readonly Uint8Array[]): Uint8Array {
  hasher.init();
  for (const part of parts) hasher.update(part);
  return hasher.digest("binary");
}

/** `block` again and again, up to `length` octets. */
function stretched(block: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => block[i % block.length]);
}

/** Three octets, of three thirds of the hash in turn, become four digits, lowest bits first. */
function encode(bytes: Uint8Array): string {
  const third = Math.floor(bytes.length / 3);
  let [a, b, c] = [0, third, 2 * third];
  let text = "";
  for (let i = 0; i < third; i++) {
    text += digits((bytes[a] << 16) | (bytes[b] << 8) | bytes[c], 4);
    // The order in which the thirds take turns differs.
    [a, b, c] = bytes.length === 64 ? [b + 1, c + 1, a + 1] : [c + 1, a + 1, b + 1];
  }
  return text +
    (bytes.length === 64 ? digits(bytes[63], 2) : digits((bytes[31] << 8) | bytes[30], 3));
}

function digits(bits: number, count: number): string {
  let text = "";
  for (let i = 0; i < count; i++) text += DIGITS[(bits >> (6 * i)) & 63];
  return text;
}
