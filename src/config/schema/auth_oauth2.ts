/** Settings of the `oauth2` module. */

import { choice, duration, list, secret, string } from "../kinds.ts";
import { type Check, type Kind, optional, type Section, setting } from "../setting.ts";

/** Asymmetric ones: whoever can check a token must not be able to make one. @see RFC 8725 §2.1 */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

/** Tokens and keys must not be read or changed on their way. */
function secureUrl(): Kind<string> {
  const expected = "a URL with https:// (or http:// of this machine)";
  return {
    ...string(expected, (text) => {
      if (!URL.canParse(text)) return false;
      const { protocol, hostname, username, hash } = new URL(text);
      const local = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
      const plain = username === "" && hash === "" && text.startsWith(`${protocol}//`);
      return plain && (protocol === "https:" || (protocol === "http:" && local));
    }),
    name: "URL",
  };
}

const oneWayToCheck: Check = ({ at, entries }, key, reading) => {
  const has = (name: string) => entries.has(name);
  const introspected = entries.get("introspection_uri");
  if (introspected === undefined) {
    for (const name of ["issuer", "audience"]) {
      if (has(name)) continue;
      reading.fault(at, `${key} must have ${name}, or introspection_uri: got neither`);
    }
    for (const name of ["client_id", "client_secret"]) {
      const entry = entries.get(name);
      if (entry) reading.fault(entry.keyAt, `${key}.${name} must stand beside introspection_uri`);
    }
    return;
  }
  for (const name of ["client_id", "client_secret"]) {
    if (!has(name)) reading.fault(at, `${key} must have ${name} beside introspection_uri`);
  }
  const keys = entries.get("jwks_uri");
  if (keys) {
    reading.fault(keys.keyAt, `${key} must have either jwks_uri or introspection_uri: got both`);
  }
};

const anyText = string("a string that is not empty");

export const oauth2Module = {
  issuer: optional(secureUrl(), {
    doc: "Who makes the tokens: their claim `iss`, letter by letter. Needed for JWTs.",
    example: '"https://id.example.org"',
    check: oneWayToCheck,
  }),
  jwks_uri: optional(secureUrl(), {
    doc: "Where the issuer's keys are. The default is what the issuer's " +
      "`/.well-known/openid-configuration` says. They are kept for ten minutes, and had again when " +
      "a token has a key that is not among them, though not twice within 30 seconds.",
    example: '"https://id.example.org/keys"',
  }),
  audience: optional(list(anyText, 1), {
    doc: "For whom a token has to be, by its claim `aud`: one of these. Needed for JWTs, because " +
      "tokens that users give to other services must not open their mail.",
    example: '["imapd"]',
  }),
  algorithms: setting(list(choice(ALGORITHMS), 1), {
    default: '["RS256", "ES256", "EdDSA"]',
    doc: "Signatures of JWTs that are taken.",
  }),
  leeway: setting(duration({ atLeast: "0s", atMost: "10m" }), {
    default: '"1m"',
    doc: "How far the clocks of the issuer and of this machine may be apart.",
  }),
  introspection_uri: optional(secureUrl(), {
    doc: "Where to ask about each token (RFC 7662), instead of reading it as a JWT.",
    example: '"https://id.example.org/introspect"',
  }),
  client_id: optional(anyText, {
    doc: "As whom to ask at `introspection_uri`.",
    example: '"imapd"',
  }),
  client_secret: optional(secret(), {
    doc: "The secret of `client_id`.",
    example: '"secret"',
  }),
  cache: setting(duration({ atLeast: "0s", atMost: "1h" }), {
    default: '"10s"',
    doc:
      "Time that an answer of `introspection_uri` is used again for the same token, for clients " +
      "that open many connections at once. A token that is taken back works so much longer.",
  }),
  scope: setting(list(anyText), {
    default: "[]",
    doc: "Scopes that a token must have, all of them.",
  }),
  username_claim: setting(anyText, {
    default: '"email"',
    doc:
      'The claim with the name of the account, such as "email", "preferred_username", "username" ' +
      'or "sub". An `email` that the issuer calls unverified is refused. A client that claims a ' +
      "name has to claim this one.",
  }),
  timeout: setting(duration({ atLeast: "1ms", atMost: "10m" }), {
    default: '"10s"',
    doc: "Time that the authorization server has for all that one login asks it.",
  }),
} satisfies Section;
