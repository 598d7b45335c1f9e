/**
 * Sums of the tokens that documents have, made in one pass over a search file: to ask it for each
 * token of each document takes longer with each document that it has.
 */

/** FNV-1a. */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

const BLANK = 0x20;

/** The sum of a text's tokens, whatever their order. @param tokens with a blank after each */
export function sumOf(tokens: string): number {
  let sum = 0;
  let hash = OFFSET_BASIS;
  for (let at = 0; at < tokens.length; at++) {
    const code = tokens.charCodeAt(at);
    if (code === BLANK) {
      sum += mixed(hash);
      hash = OFFSET_BASIS;
    } else hash = Math.imul(hash ^ code, PRIME);
  }
  return sum;
}

/** Spreads what differs over all bits. @see the finalizer of MurmurHash3 */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}

/** The sums of all documents of a file, which is read token by token. */
export class TokenSums {
  readonly #sums = new Map<number, number>();
  /** The token that was read last. */
  last = "";

  /** @param documents numbers with commas between them */
  add(token: string, documents: string): void {
    const sum = sumOf(`${token} `);
    for (let at = 0; at < documents.length; at++) {
      let document = 0;
      for (; at < documents.length && documents[at] !== ","; at++) {
        document = document * 10 + documents.charCodeAt(at) - 0x30;
      }
      this.#sums.set(document, (this.#sums.get(document) ?? 0) + sum);
    }
    this.last = token;
  }

  /** Whether a document has these tokens and no others. @param tokens with a blank after each */
  agree(document: number, tokens: string): boolean {
    return this.#sums.get(document) === sumOf(tokens);
  }
}
