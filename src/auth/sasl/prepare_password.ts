/** Passwords in the one form that is hashed, however a client wrote them. */

/**
 * Maps other spaces to the ASCII one, and composes characters.
 *
 * @see RFC 8265 §4.2.2
 */
export function preparePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, " ").normalize("NFC");
}
