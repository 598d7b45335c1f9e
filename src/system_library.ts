/** Opens libraries of the system for foreign function calls. */

/** The libraries that the program may call; nothing else is ever opened. */
export type SystemLibrary = "libc.so.6" | "libpam.so.0" | "libcrypt.so.1" | "libcrypt.so.2";

/** Where distributions keep them. */
const FOLDERS = [
  "/lib/x86_64-linux-gnu",
  "/lib/aarch64-linux-gnu",
  "/lib64",
  "/usr/lib",
];

/**
 * Whether memory may be read by its address, and functions of ours be called from elsewhere: that
 * needs the permission for foreign functions as a whole, not only for some libraries.
 */
export function mayUsePointers(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/**
 * Opens a library.
 *
 * @returns undefined where it is not installed, has other functions, or may not be opened
 */
export function openSystemLibrary<const S extends Deno.ForeignLibraryInterface>(
  library: SystemLibrary,
  symbols: S,
): Deno.DynamicLibrary<S> | undefined {
  // A narrow --allow-ffi can name paths only, so the usual ones are tried after the bare name.
  for (const name of [library, ...FOLDERS.map((folder) => `${folder}/${library}`)]) {
    try {
      return Deno.dlopen(name, symbols);
    } catch {
      // Not there or not permitted: the next.
    }
  }
  return undefined;
}

/** Text as C wants it, ended by a NUL. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}
