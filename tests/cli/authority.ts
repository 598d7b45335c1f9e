/** An authority of certificates, made by openssl. */

import { strictEqual } from "node:assert/strict";
import { run } from "../clients/programs.ts";

/** What a certificate is to be. */
export interface Wanted {
  readonly names: string;
  /** Days until it ends; negative: it has ended. */
  readonly days?: number;
}

/** Issues certificates into a folder, whose `ca.pem` vouches for them. */
export class Authority {
  private constructor(readonly dir: string) {}

  static async make(dir: string): Promise<Authority> {
    const authority = new Authority(dir);
    await authority.#openssl(
      ...["req", "-x509", ...KEY, "-days", "30", "-subj", "/O=Test/CN=Authority"],
      ...["-keyout", "ca.key", "-out", "ca.pem"],
    );
    return authority;
  }

  /** Writes the certificate and its key to these paths. */
  async issue(cert: string, key: string, { names, days = 60 }: Wanted): Promise<void> {
    const text = `basicConstraints=CA:FALSE\nsubjectAltName=${names}\n`;
    await Deno.writeTextFile(`${this.dir}/extensions`, text);
    await this.#openssl("req", ...KEY, "-subj", "/CN=x", "-keyout", key, "-out", "request");
    await this.#openssl(
      ...["x509", "-req", "-in", "request", "-days", String(days), "-extfile", "extensions"],
      ...["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", cert],
    );
  }

  async #openssl(...args: string[]): Promise<void> {
    const { code, stderr } = await run(["openssl", ...args], { cwd: this.dir });
    strictEqual(code, 0, stderr);
  }
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
