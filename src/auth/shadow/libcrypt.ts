/** Password hashes of the system, by foreign function calls. @see crypt(5) */

import { cString, mayUsePointers, openSystemLibrary } from "../../system_library.ts";

const CALLS = {
  // Off the main thread: hashes are slow by design.
  crypt_r: { parameters: ["buffer", "buffer", "buffer"], result: "pointer", nonblocking: true },
} as const;

/** Octets of `struct crypt_data`, of the library that has the largest. */
const CRYPT_DATA = 131_328;

/** libcrypt: all schemes that the system's own passwords may have. */
export class LibCrypt {
  readonly #library: Deno.DynamicLibrary<typeof CALLS>;

  private constructor(library: Deno.DynamicLibrary<typeof CALLS>) {
    this.#library = library;
  }

  /** @throws {Error} where there is none, or it may not be called */
  static open(): LibCrypt {
    if (!mayUsePointers()) throw new Error("shadow: needs --allow-ffi without a list of libraries");
    const library = openSystemLibrary("libcrypt.so.1", CALLS) ??
      openSystemLibrary("libcrypt.so.2", CALLS);
    if (library !== undefined) return new LibCrypt(library);
    throw new Error("shadow: cannot open libcrypt.so.1: is it installed, and may it be called?");
  }

  /** Only when no hash is being computed. */
  close(): void {
    this.#library.close();
  }

  /**
   * Hashes `password` as `like`, a whole hash, was made.
   *
   * @returns undefined where the library cannot: it does not know the scheme, or the password has
   * more than 511 octets
   */
  async hash(password: string, like: string): Promise<string | undefined> {
    const data = new Uint8Array(CRYPT_DATA);
    const octets = cString(password);
    const result = await this.#library.symbols.crypt_r(octets, cString(like), data);
    const hash = result === null ? "*0" : Deno.UnsafePointerView.getCString(result);
    // The result was in there, and so was the password.
    data.fill(0);
    octets.fill(0);
    return hash.startsWith("*") ? undefined : hash;
  }
}
