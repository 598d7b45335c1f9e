/** Authenticators of tests: they know what they are told. */

import type { Authenticator, AuthFailure, AuthResult, ScramKeys } from "../../src/auth/auth.ts";
import type { LoginNames } from "../../src/auth/login_names.ts";

/** Names that stay as they are. */
export const SAME_NAMES: LoginNames = {
  forAuth: (name) => Promise.resolve(name),
  normalForAuth: (name) => name,
  ruledForAuth: (name) => name,
  forStorage: (name) => Promise.resolve(name),
};

/** What one of them answers. */
export interface Known {
  /** Passwords by user. */
  readonly passwords?: Readonly<Record<string, string>>;
  /** Users by token. */
  readonly tokens?: Readonly<Record<string, string>>;
  /** Keys by user. */
  readonly keys?: Readonly<Record<string, ScramKeys>>;
  /** It cannot be asked. */
  readonly down?: boolean;
}

/** An authenticator, and what it was asked. */
export interface FakeAuthenticator extends Authenticator {
  readonly asked: string[];
}

export const DOWN: AuthFailure = { ok: false, reason: "unavailable", detail: "it is down" };

export function refusal(detail: string): AuthFailure {
  return { ok: false, reason: "bad-credentials", detail };
}

/** Checks against `known`. */
export function fakeAuthenticator(known: Known): FakeAuthenticator {
  const { passwords, tokens, keys, down = false } = known;
  const asked: string[] = [];
  const answer = (result: AuthResult) => Promise.resolve(down ? DOWN : result);
  return {
    asked,
    can: {
      password: passwords !== undefined,
      scram: keys === undefined ? [] : ["SHA-256"],
      token: tokens !== undefined,
    },
    checkPassword(username, password) {
      asked.push(`password of ${username}`);
      return answer(
        passwords?.[username] === password ? { ok: true, username } : refusal("wrong password"),
      );
    },
    scramKeys(username) {
      asked.push(`keys of ${username}`);
      return down ? Promise.reject(new Error("it is down")) : Promise.resolve(keys?.[username]);
    },
    checkToken(token, username) {
      asked.push(`token of ${username}`);
      const owner = tokens?.[token];
      const fits = owner !== undefined && (username === "" || username === owner);
      return answer(fits ? { ok: true, username: owner } : refusal("wrong token"));
    },
    close: () => Promise.resolve(),
  };
}
