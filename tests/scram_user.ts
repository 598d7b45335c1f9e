/** Lines of a users file with keys of SCRAM. */

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** A line `NAME: {SCRAM-SHA-256}…`, with few iterations so that tests are fast. */
export function scramUser(name: string, password: string): string {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const salted = pbkdf2Sync(password, salt, 4096, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const server = hmac("Server Key").toString("base64");
  return `${name}: {SCRAM-SHA-256}4096,${btoa(String.fromCharCode(...salt))},${stored},${server}\n`;
}
