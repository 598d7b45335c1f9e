/** Who makes tokens for tests of OAuth2. */

import {
  exportJWK,
  generateKeyPair,
  type GenerateKeyPairResult,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";

/** An authorization server on loopback, with real keys. */
export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** Requests by path. */
  readonly asked: string[];
  /** What it answers with by path. */
  readonly answers: Map<string, (request: Request) => Response | Promise<Response>>;
  /** Adds a key to those that it publishes. */
  addKey(alg: string, kid: string): Promise<void>;
  /** A token that is good but for what `claims` and `header` change. */
  sign(kid: string, claims?: JWTPayload, header?: Record<string, string>): Promise<string>;
  stop(): Promise<void>;
  start(): void;
}

export async function startIssuer(): Promise<Issuer> {
  const asked: string[] = [];
  const keys = new Map<string, { alg: string; pair: GenerateKeyPairResult; jwk: JWK }>();
  const answers: Issuer["answers"] = new Map();
  const listen = (port: number) =>
    Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, async (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      return await answers.get(pathname)?.(request) ?? new Response("no", { status: 404 });
    });
  let server = listen(0);
  const { port } = server.addr;
  const url = `http://127.0.0.1:${port}`;
  answers.set(
    "/.well-known/openid-configuration",
    () => Response.json({ issuer: url, jwks_uri: `${url}/keys` }),
  );
  answers.set("/keys", () => Response.json({ keys: [...keys.values()].map(({ jwk }) => jwk) }));
  const addKey = async (alg: string, kid: string) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    keys.set(kid, { alg, pair, jwk: { ...await exportJWK(pair.publicKey), alg, kid } });
  };
  await addKey("RS256", "rsa");
  await addKey("ES256", "ec");
  await addKey("EdDSA", "ed");
  return {
    url,
    asked,
    answers,
    addKey,
    sign(kid, claims = {}, header = {}) {
      const key = keys.get(kid);
      if (key === undefined) throw new Error(`There is no key ${kid}`);
      return new SignJWT({
        iss: url,
        aud: "imapd",
        exp: Math.floor(Date.now() / 1000) + 600,
        email: "ann@example.org",
        ...claims,
      }).setProtectedHeader({ alg: key.alg, kid, ...header }).sign(key.pair.privateKey);
    },
    stop: () => server.shutdown(),
    start() {
      server = listen(port);
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
