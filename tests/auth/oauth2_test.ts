import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { type JWTPayload, SignJWT } from "jose";
import type { ClientInfo } from "../../src/auth/auth.ts";
import { FirstOf } from "../../src/auth/first_of.ts";
import { IntrospectionCheck } from "../../src/auth/oauth2/introspection.ts";
import { JwtCheck, type JwtOptions } from "../../src/auth/oauth2/jwt.ts";
import { OAuth2, type OAuth2Options, type TokenCheck } from "../../src/auth/oauth2/oauth2.ts";
import { PlainSeparate } from "../../src/auth/plain_separate.ts";
import { memoryLog } from "../../src/log.ts";
import { NORMALIZATIONS } from "../../src/names/normalization.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

const CLIENT: ClientInfo = { remote: "192.0.2.1", secure: true, id: "1" };

function open(check: TokenCheck, options: Partial<OAuth2Options> = {}): OAuth2 {
  const log = memoryLog([]);
  return new OAuth2({ check, usernameClaim: "email", scope: [], timeout: 10_000, log, ...options });
}

function jwtCheck(issuer: Issuer, options: Partial<JwtOptions> = {}): JwtCheck {
  return new JwtCheck({
    issuer: issuer.url,
    audience: ["imapd", "mail"],
    algorithms: ["RS256", "ES256", "EdDSA"],
    leeway: 60_000,
    ...options,
  });
}

const ANN = { ok: true, username: "ann@example.org" };

/** @returns the reason for the log */
async function refusal(auth: OAuth2, token: string, username = ""): Promise<string> {
  const result = await auth.checkToken(token, username);
  ok(!result.ok, "Expected a refusal");
  strictEqual(result.reason, "bad-credentials", result.detail);
  return result.detail;
}

Deno.test("OAuth2 takes a JWT of each kind of key, and asks for the keys once", async () => {
  await using issuer = await startIssuer();
  const auth = open(jwtCheck(issuer));
  for (const kid of ["rsa", "ec", "ed"]) {
    deepStrictEqual(await auth.checkToken(await issuer.sign(kid), ""), ANN);
    deepStrictEqual(await auth.checkToken(await issuer.sign(kid), "ann@example.org"), ANN);
    deepStrictEqual(await auth.checkToken(await issuer.sign(kid, { aud: ["x", "mail"] }), ""), ANN);
  }
  deepStrictEqual(issuer.asked, ["/.well-known/openid-configuration", "/keys"]);
  deepStrictEqual(auth.can, { password: false, scram: [], token: true });
  strictEqual((await auth.checkPassword()).ok, false);
  await auth.close();
});

Deno.test("OAuth2 asks for the keys where it was told to", async () => {
  await using issuer = await startIssuer();
  const auth = open(jwtCheck(issuer, { jwksUri: `${issuer.url}/keys` }));
  const token = await issuer.sign("ec");
  const results = await Promise.all(Array.from({ length: 20 }, () => auth.checkToken(token, "")));
  deepStrictEqual(results, results.map(() => ANN));
  deepStrictEqual(issuer.asked, ["/keys"]);
  await auth.close();
});

const NOW = Math.floor(Date.now() / 1000);

for (
  const [what, claims, detail] of [
    ["another issuer", { iss: "https://evil.example" }, /"iss"/],
    ["no issuer", { iss: undefined }, /"iss"/],
    ["another audience", { aud: "shop" }, /"aud"/],
    ["no audience", { aud: undefined }, /"aud"/],
    ["the past", { exp: NOW - 120 }, /"exp"/],
    ["all times", { exp: undefined }, /"exp"/],
    ["the future", { nbf: NOW + 120 }, /"nbf"/],
    ["nobody", { email: undefined }, /names nobody/],
    ["nobody, by an empty name", { email: "" }, /names nobody/],
    ["a list of users", { email: ["ann@example.org"] }, /names nobody/],
    ["a name with a line's end", { email: "ann\r\n" }, /names nobody/],
    ["an address that nobody verified", { email_verified: false }, /not verified/],
  ] as const
) {
  Deno.test(`OAuth2 refuses a JWT of ${what}`, async () => {
    await using issuer = await startIssuer();
    const auth = open(jwtCheck(issuer));
    match(await refusal(auth, await issuer.sign("rsa", claims as JWTPayload)), detail);
    await auth.close();
  });
}

Deno.test("OAuth2 allows for clocks that differ a little", async () => {
  await using issuer = await startIssuer();
  const auth = open(jwtCheck(issuer));
  const token = await issuer.sign("rsa", { exp: NOW - 30, nbf: NOW + 30 });
  deepStrictEqual(await auth.checkToken(token, ""), ANN);
  await auth.close();
});

Deno.test("OAuth2 refuses another user than the token's", async () => {
  await using issuer = await startIssuer();
  const auth = open(jwtCheck(issuer));
  const token = await issuer.sign("rsa");
  for (const name of ["bob@example.org", "ann", "ANN@example.org", "ann@example.org "]) {
    strictEqual(await refusal(auth, token, name), "the token is of another user");
  }
  await auth.close();
});

Deno.test("OAuth2 wants all scopes, and the claim that it was told", async () => {
  await using issuer = await startIssuer();
  const check = jwtCheck(issuer);
  const auth = open(check, { scope: ["imap", "mail.read"], usernameClaim: "sub" });
  const sign = (claims: JWTPayload) => issuer.sign("ed", { sub: "u17", ...claims });
  strictEqual(await refusal(auth, await sign({})), "the token has no scope imap mail.read");
  const some = await sign({ scope: "imap mail.readwrite" });
  strictEqual(await refusal(auth, some), "the token has no scope mail.read");
  for (const claims of [{ scope: "openid mail.read imap" }, { scp: ["mail.read", "imap"] }]) {
    deepStrictEqual(await auth.checkToken(await sign(claims), ""), { ok: true, username: "u17" });
  }
  await auth.close();
});

function encode(value: unknown): string {
  return btoa(JSON.stringify(value)).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
}

Deno.test("OAuth2 refuses forged and malformed tokens", async () => {
  await using issuer = await startIssuer();
  await using evil = await startIssuer();
  const auth = open(jwtCheck(issuer));
  const good = await issuer.sign("rsa");
  const [header, payload, signature] = good.split(".");
  const published = JSON.stringify(await (await fetch(`${issuer.url}/keys`)).json());
  // The public key as the secret of an HMAC: who checks by the token's own alg would take it.
  const hmac = await new SignJWT({
    iss: issuer.url,
    aud: "imapd",
    exp: NOW + 600,
    email: "ann@example.org",
  })
    .setProtectedHeader({ alg: "HS256", kid: "rsa" }).sign(new TextEncoder().encode(published));
  const forged = [
    `${encode({ alg: "none" })}.${payload}.`,
    `${encode({ alg: "none", kid: "rsa" })}.${payload}.${signature}`,
    `${encode({ alg: "HS256", kid: "rsa" })}.${payload}.${signature}`,
    hmac,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    `${header}.${
      encode({ iss: issuer.url, aud: "imapd", exp: NOW + 600, email: "bob@x" })
    }.${signature}`,
    await evil.sign("rsa", { iss: issuer.url }),
    await evil.sign("ec", { iss: issuer.url }, { kid: "ed" }),
    "",
    "x",
    "..",
    "a b",
    "a\0",
    `${good}\n`,
    "x".repeat(20_000),
  ];
  for (const token of forged) {
    match(await refusal(auth, token), /^the token is (not valid|malformed)/);
  }
  deepStrictEqual(await auth.checkToken(good, ""), ANN);
  await auth.close();
});

Deno.test("OAuth2 takes only the algorithms that it was told", async () => {
  await using issuer = await startIssuer();
  const auth = open(jwtCheck(issuer, { algorithms: ["ES256"] }));
  deepStrictEqual(await auth.checkToken(await issuer.sign("ec"), ""), ANN);
  match(await refusal(auth, await issuer.sign("rsa")), /alg/);
  await auth.close();
});

Deno.test("OAuth2 learns of new keys, and cannot be made to ask for them all the time", async () => {
  await using issuer = await startIssuer();
  let now = Date.now();
  const auth = open(jwtCheck(issuer, { clock: () => now, jwksUri: `${issuer.url}/keys` }));
  deepStrictEqual(await auth.checkToken(await issuer.sign("rsa"), ""), ANN);
  await issuer.addKey("ES256", "new");
  const token = await issuer.sign("new");
  for (let i = 0; i < 5; i++) match(await refusal(auth, token), /no applicable key/);
  strictEqual(issuer.asked.length, 1);
  now += 31_000;
  deepStrictEqual(await auth.checkToken(token, ""), ANN);
  strictEqual(issuer.asked.length, 2);
  now += 31_000;
  const unknown = await issuer.sign("new", {}, { kid: "nobody's" });
  for (let i = 0; i < 5; i++) await refusal(auth, unknown);
  strictEqual(issuer.asked.length, 3);
  now += 601_000;
  match(await refusal(auth, token), /"exp"/);
  strictEqual(issuer.asked.length, 4);
  await auth.close();
});

Deno.test("OAuth2 is unavailable without its issuer, and recovers", async () => {
  await using issuer = await startIssuer();
  const token = await issuer.sign("rsa");
  await issuer.stop();
  const lines: string[] = [];
  const auth = open(jwtCheck(issuer), { log: memoryLog(lines) });
  const result = await auth.checkToken(token, "");
  strictEqual(!result.ok && result.reason, "unavailable");
  match(lines.join("\n"), /^error: oauth2 cannot be asked error="http:/);
  ok(!lines.join("\n").includes(token));
  issuer.start();
  deepStrictEqual(await auth.checkToken(token, ""), ANN);
  await auth.close();
  const closed = await auth.checkToken(token, "");
  strictEqual(!closed.ok && closed.reason, "unavailable");
});

for (
  const [what, path, answer, detail] of [
    [
      "metadata of another issuer",
      "/.well-known/openid-configuration",
      () => Response.json({ issuer: "https://evil.example", jwks_uri: "https://x" }),
      /Expected the issuer/,
    ],
    [
      "keys without TLS",
      "/.well-known/openid-configuration",
      () => Response.json({ issuer: "ISSUER", jwks_uri: "http://x.example/keys" }),
      /with https/,
    ],
    [
      "a redirect",
      "/keys",
      () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } }),
      /redirect/i,
    ],
    ["no JSON", "/keys", () => new Response("<html>"), /JSON/],
    ["no keys", "/keys", () => Response.json({}), /Web Key Set/],
    ["an error", "/keys", () => new Response("{}", { status: 500 }), /HTTP status 500/],
    ["too much", "/keys", () => new Response("x".repeat(2 << 20)), /too long/],
  ] as const
) {
  Deno.test(`OAuth2 is unavailable where the issuer has ${what}`, async () => {
    await using issuer = await startIssuer();
    issuer.answers.set(path, async () => {
      const response = answer();
      const text = (await response.text()).replace("ISSUER", issuer.url);
      return new Response(response.status === 302 ? null : text, response);
    });
    const auth = open(jwtCheck(issuer));
    const result = await auth.checkToken(await issuer.sign("rsa"), "");
    ok(!result.ok);
    strictEqual(result.reason, "unavailable");
    match(result.detail, detail);
    await auth.close();
  });
}

Deno.test("OAuth2 gives up on an issuer that does not answer", async () => {
  await using issuer = await startIssuer();
  const held = Promise.withResolvers<Response>();
  issuer.answers.set("/keys", () => held.promise);
  const late = open(jwtCheck(issuer), { timeout: 50 });
  const result = await late.checkToken(await issuer.sign("rsa"), "");
  strictEqual(!result.ok && result.reason, "unavailable");
  await late.close();
  // The end of the server waits for nobody.
  const closing = open(jwtCheck(issuer));
  const under = closing.checkToken(await issuer.sign("rsa"), "");
  await closing.close();
  strictEqual((await under).ok, false);
  held.resolve(Response.json({ keys: [] }));
});

Deno.test("OAuth2 asks about opaque tokens", async () => {
  await using issuer = await startIssuer();
  let now = NOW * 1000;
  const seen: string[] = [];
  const tokens: Record<string, unknown> = {
    good: { active: true, username: "ann", aud: "imapd", scope: "imap", exp: NOW + 3600 },
    brief: { active: true, username: "ann", aud: ["imapd"], exp: NOW + 5 },
    elsewhere: { active: true, username: "ann", aud: "shop" },
    evil: { active: true, username: "ann", aud: "imapd", iss: "https://evil.example" },
    expired: { active: true, username: "ann", aud: "imapd", exp: NOW - 1 },
    truthy: { active: "true", username: "ann", aud: "imapd" },
    dead: { active: false },
  };
  issuer.answers.set("/introspect", async (request) => {
    const form = new URLSearchParams(await request.text());
    seen.push(`${request.method} ${request.headers.get("authorization")} ${form}`);
    return Response.json(tokens[form.get("token") ?? ""] ?? { active: false });
  });
  const check = new IntrospectionCheck({
    uri: `${issuer.url}/introspect`,
    clientId: "imapd:1",
    clientSecret: "a b&ü",
    issuer: issuer.url,
    audience: ["imapd"],
    cache: 10_000,
    clock: () => now,
  });
  const auth = open(check, { usernameClaim: "username" });
  const ann = { ok: true, username: "ann" };
  deepStrictEqual(await auth.checkToken("good", "ann"), ann);
  deepStrictEqual(seen, [
    `POST Basic ${btoa("imapd%3A1:a+b%26%C3%BC")} token=good&token_type_hint=access_token`,
  ]);
  strictEqual(await refusal(auth, "elsewhere"), "the token is for somebody else");
  strictEqual(await refusal(auth, "evil"), "the token is of another issuer");
  strictEqual(await refusal(auth, "expired"), "the token is expired");
  strictEqual(await refusal(auth, "truthy"), "the token is not active");
  strictEqual(await refusal(auth, "dead"), "the token is not active");
  strictEqual(await refusal(auth, "unknown"), "the token is not active");
  strictEqual(await refusal(auth, "good", "bob"), "the token is of another user");

  // Good answers are kept for a while, and never longer than the token is good.
  deepStrictEqual(await auth.checkToken("brief", ""), ann);
  const count = seen.length;
  deepStrictEqual(await auth.checkToken("good", ""), ann);
  deepStrictEqual(await auth.checkToken("brief", ""), ann);
  strictEqual(seen.length, count);
  now += 6_000;
  strictEqual(await refusal(auth, "brief"), "the token is expired");
  tokens.good = { active: false };
  now += 5_000;
  strictEqual(await refusal(auth, "good"), "the token is not active");

  issuer.answers.set("/introspect", () => Response.json({}, { status: 401 }));
  const result = await auth.checkToken("good", "");
  strictEqual(!result.ok && result.reason, "unavailable");
  await auth.close();
});

Deno.test("OAuth2: a client may spell the name in its normal form, the issuer as it likes", async () => {
  const claims = () => Promise.resolve({ email: "Ann@Example.org" });
  const auth = open({ claimsOf: claims }, { usernameClaim: "email" });
  const users = [{
    lookup: (name: string) => Promise.resolve(/^(ann@e|Ann@E)xample\.org$/.exec(name)?.[0]),
  }];
  const both = new FirstOf([new PlainSeparate({ users, passwords: auth, log: memoryLog([]) })]);
  const { auto, noop } = NORMALIZATIONS;
  for (
    const [name, normal, is] of [
      ["ann@example.org", auto, true],
      ["bob@example.org", auto, false],
      ["ann@example.org", noop, false],
      ["Ann@Example.org", noop, true],
    ] as const
  ) {
    strictEqual((await both.checkToken("t", name, CLIENT, normal)).ok, is, name);
  }
});
