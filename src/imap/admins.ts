/** Who may do more than other users. */

import { type AuthenticatedContext, Refusal } from "./command.ts";

/** True for users that the endpoint's config names as admins. */
export function isAdmin(
  { service, user }: Pick<AuthenticatedContext, "service" | "user">,
): boolean {
  return service.admins.has(user.name);
}

/** @throws {Refusal} with NOPERM for other users @see RFC 5530 §3 */
export function requireAdmin(context: Pick<AuthenticatedContext, "service" | "user">): void {
  if (!isAdmin(context)) throw new Refusal("Only admins may do this", "NOPERM");
}
