/** The table of SASL mechanisms. */

import { oauthBearer, xoauth2 } from "./bearer.ts";
import { external } from "./external.ts";
import type { SaslMechanism, SaslSituation } from "./mechanism.ts";
import { login, plain } from "./plain.ts";
import { scram } from "./scram.ts";

/** Strongest first: clients may take the first that they know. */
const MECHANISMS: readonly SaslMechanism[] = [
  external,
  scram("SHA-256", true),
  scram("SHA-256", false),
  scram("SHA-1", true),
  scram("SHA-1", false),
  oauthBearer,
  xoauth2,
  plain,
  login,
];

/** Of all that can be offered. */
export const MECHANISM_NAMES: readonly string[] = MECHANISMS.map(({ name }) => name);

/** What a client may choose from, in the order in which it is told. */
export function offeredMechanisms(situation: SaslSituation): readonly SaslMechanism[] {
  return MECHANISMS.filter((mechanism) => mechanism.offered(situation));
}
