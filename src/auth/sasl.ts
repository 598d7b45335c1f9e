/** SASL mechanisms as pure state machines. @see RFC 4422 */

import type { AuthResult } from "./auth.ts";

/** What a mechanism wants next. */
export type SaslStep =
  | { readonly type: "challenge"; readonly data: Uint8Array }
  | {
    readonly type: "credentials";
    readonly check: (verifier: PasswordVerifier) => Promise<AuthResult>;
  }
  | { readonly type: "malformed"; /** Sentence case, no period. */ readonly detail: string };

/** Checks a name and a password; the only thing that PLAIN needs. */
export type PasswordVerifier = (username: string, password: string) => Promise<AuthResult>;

/** One exchange of one mechanism. */
export interface SaslExchange {
  /** Gives the client's response (undefined: there was no initial response yet). */
  respond(response: Uint8Array | undefined): SaslStep;
}

export interface SaslMechanism {
  readonly name: string;
  begin(): SaslExchange;
}

/** PLAIN: `[authzid] NUL authcid NUL passwd`, UTF-8. @see RFC 4616 §2 */
export const plain: SaslMechanism = {
  name: "PLAIN",
  begin: () => ({
    respond(response) {
      if (response === undefined) return { type: "challenge", data: new Uint8Array(0) };
      const fields = decodeFields(response);
      if (fields === undefined) {
        return { type: "malformed", detail: "Expected authzid NUL authcid NUL password in UTF-8" };
      }
      const [authzid, authcid, password] = fields;
      return {
        type: "credentials",
        check: (verify) =>
          authzid !== "" && authzid !== authcid
            ? Promise.resolve({
              ok: false,
              reason: "bad-credentials",
              detail: "Acting for another user is not offered",
            })
            : verify(authcid, password),
      };
    },
  }),
};

function decodeFields(response: Uint8Array): [string, string, string] | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(response);
  } catch {
    return undefined;
  }
  const fields = text.split("\0");
  if (fields.length !== 3 || fields[1] === "" || fields[2] === "") return undefined;
  return [fields[0], fields[1], fields[2]];
}
