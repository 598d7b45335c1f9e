/** What a token says, and whether that is enough to log in. */

import type { AuthResult } from "../auth.ts";
import { refused } from "../remote_check.ts";

/** Claims by their names. @see RFC 7519 §4, RFC 7662 §2.2 */
export type Claims = Readonly<Record<string, unknown>>;

/** What a token has to say. */
export interface ClaimRules {
  /** The claim that names the user. */
  readonly usernameClaim: string;
  /** Scopes, all of which the token must have. */
  readonly scope: readonly string[];
}

/**
 * Who logs in by the claims of a token that is valid.
 *
 * @param claimed whom the client claims to be, or ""
 * @param normal the form that `claimed` has
 */
export function userOf(
  claims: Claims,
  claimed: string,
  rules: ClaimRules,
  normal: (name: string) => string | undefined = (name) => name,
): AuthResult {
  const username = claims[rules.usernameClaim];
  if (typeof username !== "string" || username === "" || /\p{Cc}/u.test(username)) {
    return refused(`the token's claim ${rules.usernameClaim} names nobody`);
  }
  if (rules.usernameClaim === "email" && claims.email_verified === false) {
    return refused("the token's e-mail address is not verified");
  }
  const granted = scopesOf(claims);
  const missing = rules.scope.filter((scope) => !granted.has(scope));
  if (missing.length > 0) return refused(`the token has no scope ${missing.join(" ")}`);
  if (claimed !== "" && claimed !== username && claimed !== normal(username)) {
    return refused("the token is of another user");
  }
  return { ok: true, username: claimed || username };
}

/** `scope` is a string with spaces; some servers write a list, or `scp`. @see RFC 8693 §4.2 */
function scopesOf({ scope, scp }: Claims): ReadonlySet<string> {
  return new Set([scope, scp].flatMap((value) => {
    const texts: unknown[] = Array.isArray(value) ? value : [value];
    return texts.flatMap((text) => typeof text === "string" ? text.split(" ") : []);
  }));
}

/** Whether `aud`, a string or a list, has one of `audience`; any will do where that is empty. */
export function isFor(audience: readonly string[], aud: unknown): boolean {
  const values: unknown[] = Array.isArray(aud) ? aud : [aud];
  return audience.length === 0 || audience.some((each) => values.includes(each));
}
