/** Lines to standard output and standard error. */

/** Prints what was asked for. */
export function print(text: string): void {
  write(Deno.stdout, text);
}

/** Prints what went wrong. */
export function printError(text: string): void {
  write(Deno.stderr, text);
}

/** Prints octets exactly as they are. */
export function printOctets(octets: Uint8Array): void {
  for (let at = 0; at < octets.length;) at += Deno.stdout.writeSync(octets.subarray(at));
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
