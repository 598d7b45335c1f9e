/** Files of the kernel, which Deno reads only where everything is allowed. */

import { cString, openSystemLibrary } from "../system_library.ts";

const O_RDONLY = 0;
const O_CLOEXEC = 0x80000;
/** Longer ones are cut. */
const MOST = 1 << 20;

/** The text of a file such as `/proc/self/limits`; undefined where it cannot be read. */
export function kernelFile(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return readByLibc(path);
  }
}

function readByLibc(path: string): string | undefined {
  const library = openSystemLibrary("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  if (library === undefined) return undefined;
  const { open, read, close } = library.symbols;
  try {
    const file = open(cString(path), O_RDONLY | O_CLOEXEC);
    if (file < 0) return undefined;
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(16_384);
    let text = "";
    while (text.length < MOST) {
      const count = Number(read(file, buffer, BigInt(buffer.length)));
      if (count <= 0) break;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
    close(file);
    return text;
  } finally {
    library.close();
  }
}
