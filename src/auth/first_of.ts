/** Several authenticators, tried in order. */

import type {
  Authenticator,
  AuthFailure,
  AuthResult,
  Checks,
  ClientInfo,
  ScramHash,
  ScramKeys,
  ScramSettings,
} from "./auth.ts";

/**
 * Lets in whom any of `members` lets in. Who is refused by all is told "unavailable" if one of them
 * was, since that one might have said yes. Closing it leaves its members open: they may be shared.
 */
export class FirstOf implements Authenticator {
  readonly #members: readonly Authenticator[];

  constructor(members: readonly Authenticator[]) {
    this.#members = members;
  }

  get can(): Checks {
    const all = this.#members.map(({ can }) => can);
    const scramAnyway = all.some((each) => each.scramAnyway);
    // Many clients take SCRAM wherever it is offered: users without keys could not log in.
    const suits = (hash: ScramHash) =>
      scramAnyway || all.every(({ password, scram }) => !password || scram.includes(hash));
    return {
      password: all.some(({ password }) => password),
      scram: [...new Set(all.flatMap(({ scram }) => scram))].filter(suits),
      scramAnyway,
      token: all.some(({ token }) => token),
    };
  }

  get scramSettings(): readonly ScramSettings[] {
    return this.#members.flatMap(({ can, scramSettings = [] }) =>
      scramSettings.filter(({ hash }) => can.scram.includes(hash))
    );
  }

  checkPassword(username: string, password: string, client: ClientInfo): Promise<AuthResult> {
    return firstSuccess(
      this.#members.filter(({ can }) => can.password),
      (member) => member.checkPassword(username, password, client),
    );
  }

  /** The keys of the first member that has some. @throws {Error} as the last one that failed, if none has */
  async scramKeys(username: string, hash: ScramHash): Promise<ScramKeys | undefined> {
    let failure: { readonly error: unknown } | undefined;
    for (const member of this.#members) {
      if (!member.can.scram.includes(hash)) continue;
      try {
        const keys = await member.scramKeys?.(username, hash);
        if (keys !== undefined) return keys;
      } catch (error) {
        failure = { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return undefined;
  }

  checkToken(...args: Parameters<TokenChecking>): Promise<AuthResult> {
    return firstSuccess(
      this.#members.filter(({ can }) => can.token),
      (member) => member.checkToken?.(...args),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

type TokenChecking = NonNullable<Authenticator["checkToken"]>;

/** What says most comes first. */
const REASONS = ["unavailable", "expired", "not-authorized"] as const;

async function firstSuccess(
  members: readonly Authenticator[],
  check: (member: Authenticator) => Promise<AuthResult> | undefined,
): Promise<AuthResult> {
  const failures: AuthFailure[] = [];
  for (const member of members) {
    const result = await check(member);
    if (result?.ok) return result;
    if (result !== undefined) failures.push(result);
  }
  return {
    ok: false,
    reason: REASONS.find((each) => failures.some(({ reason }) => reason === each)) ??
      "bad-credentials",
    detail: [...new Set(failures.map(({ detail }) => detail))].join("; ") ||
      "no module checks this",
  };
}
