/** PLAIN and LOGIN: the password itself goes over the wire. */

import {
  MalformedResponse,
  NO_CHALLENGE,
  NO_PROXY,
  type SaslMechanism,
  textOf,
  unauthorizedAttempt,
} from "./mechanism.ts";

const FIELDS = "authzid NUL authcid NUL password";

/** `[authzid] NUL authcid NUL passwd`, UTF-8. @see RFC 4616 §2 */
export const plain: SaslMechanism = {
  name: "PLAIN",
  offered: ({ can }) => can.password,
  async *begin(initial, { login, client }) {
    const response = textOf(initial ?? (yield NO_CHALLENGE), FIELDS);
    const [authzid, authcid, password, ...more] = response.split("\0");
    if (!authcid || !password || more.length > 0) {
      throw new MalformedResponse(`Expected ${FIELDS} in UTF-8`);
    }
    const result = await login.password(authcid, password, client);
    const proxy = authzid !== "" && authzid !== authcid;
    return result.ok && proxy ? unauthorizedAttempt(authcid, NO_PROXY) : { name: authcid, result };
  },
};

/** Asks for one after the other. There is no RFC of it; clients do as Outlook does. */
export const login: SaslMechanism = {
  name: "LOGIN",
  offered: ({ can, saslLogin }) => can.password && saslLogin,
  async *begin(initial, { login, client }) {
    const name = textOf(initial ?? (yield ask("Username:")), "a user name");
    const password = textOf(yield ask("Password:"), "a password");
    if (name === "" || password === "" || /\0/.test(name + password)) {
      throw new MalformedResponse("Expected a user name and a password, none with NUL");
    }
    return { name, result: await login.password(name, password, client) };
  },
};

function ask(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
