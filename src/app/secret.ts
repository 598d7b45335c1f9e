/** What must stay the same over restarts and be known to nobody else. */

import { join } from "node:path";
import { replaceFile } from "../durable_file.ts";

const OCTETS = 32;

/**
 * The secret of the server, kept in `state_dir`: made from it are the salts that clients are told
 * for users who do not exist, which would otherwise change with a restart where others stay.
 *
 * @throws {Error} when it can be neither read nor made
 */
export async function readSecret(stateDir: string): Promise<Uint8Array> {
  const path = join(stateDir, "secret");
  const secret = await Deno.readFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (secret?.length === OCTETS) return secret;
  const made = crypto.getRandomValues(new Uint8Array(OCTETS));
  await replaceFile(path, made, 0o600);
  return made;
}
