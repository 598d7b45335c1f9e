/** What the checks of passwords by somebody else have in common. */

import type { Log } from "../log.ts";
import type { AuthResult } from "./auth.ts";

/** No name or password is longer, in octets; so a request fits every protocol's line. */
const LONGEST = { username: 1024, password: 4096 };

/** Whoever is asked cannot be: no connection, no answer in time, too many waiting. */
export class PeerUnavailable extends Error {
  override name = "PeerUnavailable";
}

/** A refusal, with the reason for the log. */
export function refused(detail: string): AuthResult {
  return { ok: false, reason: "bad-credentials", detail };
}

/**
 * Lets `check` decide. What can be no user's name or password is refused before anybody is asked,
 * and what `check` throws becomes "unavailable" and a line in the log.
 *
 * @param peer who is asked, as in "ldap"
 */
export async function checkRemotely(
  peer: string,
  log: Log,
  username: string,
  password: string,
  check: () => Promise<AuthResult>,
): Promise<AuthResult> {
  const fault = credentialFault(username, password);
  return fault === undefined ? await orUnavailable(peer, log, check) : refused(fault);
}

/** Lets `check` decide; what it throws becomes "unavailable" and a line in the log. */
export async function orUnavailable(
  peer: string,
  log: Log,
  check: () => Promise<AuthResult>,
): Promise<AuthResult> {
  try {
    return await check();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    log.error(`${peer} cannot be asked`, { error: detail });
    return { ok: false, reason: "unavailable", detail };
  }
}

/**
 * Why nobody can have this name and password. An empty password is one: LDAP takes it for a wish
 * to be anonymous and answers with success.
 *
 * @see RFC 4513 §5.1.2
 */
function credentialFault(username: string, password: string): string | undefined {
  if (username === "") return "an empty user name";
  if (/\p{Cc}/u.test(username)) return "control characters in the user name";
  if (octets(username) > LONGEST.username) return "the user name is too long";
  if (password === "") return "an empty password";
  if (password.includes("\0")) return "a NUL in the password";
  if (octets(password) > LONGEST.password) return "the password is too long";
  return undefined;
}

function octets(text: string): number {
  return new TextEncoder().encode(text).length;
}
