/** Passwords in the one form that is hashed, however a client wrote them. */

import { opaqueString } from "../../names/precis.ts";

/** The form that RFC 8265 §4.2 gives a password; one that has none stays as it is. */
export function preparePassword(password: string): string {
  return opaqueString(password) ?? password;
}
