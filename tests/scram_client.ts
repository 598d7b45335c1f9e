/** The client's side of SCRAM, for tests. */

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** How a client of SCRAM behaves. */
export interface ScramClientOptions {
  readonly name: string;
  readonly password: string;
  readonly hash?: "sha1" | "sha256";
  /** `n,,`, `y,,` or `p=TYPE,,` and what is bound. */
  readonly header?: string;
  readonly binding?: Uint8Array;
  readonly nonce?: string;
}

/** One exchange. */
export class ScramClient {
  readonly #options: Required<ScramClientOptions>;
  readonly #bare: string;
  #signature = "";

  constructor(options: ScramClientOptions) {
    const nonce = btoa(crypto.randomUUID());
    const binding = new Uint8Array(0);
    this.#options = { hash: "sha256", header: "n,,", binding, nonce, ...options };
    const name = options.name.replaceAll("=", "=3D").replaceAll(",", "=2C");
    this.#bare = `n=${name},r=${this.#options.nonce}`;
  }

  get first(): string {
    return this.#options.header + this.#bare;
  }

  /** The answer to the server's first message. */
  last(told: string): string {
    const { hash, password, header, binding } = this.#options;
    const match = told.match(/^r=(.*),s=(.*),i=(\d+)$/);
    if (!match) throw new Error(`Expected SCRAM's first message of a server: got "${told}"`);
    const [, nonce, salt, iterations] = match;
    const length = hash === "sha1" ? 20 : 32;
    const salted = pbkdf2Sync(password, fromBase64(salt), Number(iterations), length, hash);
    const bound = btoa(header + String.fromCharCode(...binding));
    const withoutProof = `c=${bound},r=${nonce}`;
    const message = `${this.#bare},${told},${withoutProof}`;
    const hmac = (key: Uint8Array, text: string) => createHmac(hash, key).update(text).digest();
    const clientKey = hmac(salted, "Client Key");
    const signature = hmac(createHash(hash).update(clientKey).digest(), message);
    this.#signature = `v=${hmac(hmac(salted, "Server Key"), message).toString("base64")}`;
    return `${withoutProof},p=${
      btoa(String.fromCharCode(...clientKey.map((o, i) => o ^ signature[i])))
    }`;
  }

  /** Whether the server's last message shows that it knows the password, too. */
  knows(end: string): boolean {
    return end === this.#signature;
  }
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
