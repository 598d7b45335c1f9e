/** EXTERNAL: the client's certificate tells who it is. @see RFC 4422 appendix A */

import { NO_CHALLENGE, NO_PROXY, refusedAttempt, type SaslMechanism, textOf } from "./mechanism.ts";

/** `[authzid]`; an empty one means whom the certificate names. */
export const external: SaslMechanism = {
  name: "EXTERNAL",
  offered: ({ channel }) => channel.certificateName !== undefined,
  async *begin(initial, { login, channel }) {
    const authzid = textOf(initial ?? (yield NO_CHALLENGE), "a user name");
    const name = channel.certificateName;
    if (name === undefined) return refusedAttempt(authzid, "no certificate that is trusted");
    if (authzid !== "" && authzid !== name) return refusedAttempt(name, NO_PROXY);
    return { name, result: await login.proven(name) };
  },
};
