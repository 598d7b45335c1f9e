// Settings of authentication, as who gets in.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import tls from "node:tls";
import { type Issuer, startIssuer } from "../auth/issuer.ts";
import { missingForSlapd, PEOPLE, person, startSlapd } from "../auth/slapd.ts";
import { ImapClient } from "../client.ts";
import { userCertificates } from "../clients/certificates.ts";
import { clientTest } from "../clients/programs.ts";
import { startServer } from "../harness.ts";
import { until } from "../until.ts";
import { accounts, authenticate, FAILED, login } from "./logins.ts";

for (const scheme of ["PLAIN", "CLEARTEXT"]) {
  Deno.test(`allow_plain: {${scheme}} in a table counts only if it is true`, async () => {
    const users = `ann: {${scheme}}Ann's own\n`;
    await using allowed = await startServer({ users, auth: "allow_plain = true\n" });
    strictEqual(await login(allowed, "ann", "Ann's own"), "OK");
    strictEqual(await login(allowed, "ann", "ann's own"), FAILED);
    await using strict = await startServer({ users });
    strictEqual(await login(strict, "ann", "Ann's own"), FAILED);
    await until(() => /allow_plain = true/.test(strict.log()), "a line that tells why");
    strictEqual(await login(strict, "u1"), "OK");
  });
}

/** A `certificate_name`; the names of the certificate by which its owner gets in. */
const CERTIFICATES: Readonly<Record<string, readonly string[]>> = {
  email: ["mail@example.org"],
  dns: ["ann.example", "bob.example"],
  cn: ["ann"],
};

for (const [kind, names] of Object.entries(CERTIFICATES)) {
  clientTest(["openssl"], `certificate_name = "${kind}": EXTERNAL takes ${names}`, async () => {
    await using users = await userCertificates({
      ann: "email:mail@example.org,DNS:ann.example,DNS:bob.example",
    });
    await using server = await startServer({
      imap: `certificate_name = "${kind}"\n` +
        `tls = { loader = "self_signed", client_ca = ["${users.dir}/ca.pem"] }\n`,
    });
    const [cert, key] = await Promise.all(
      ["pem", "key"].map((end) => Deno.readTextFile(`${users.dir}/ann.${end}`)),
    );
    const external = async (name: string): Promise<string> => {
      const socket = tls.connect({
        ...{ host: "127.0.0.1", port: server.tlsPort, rejectUnauthorized: false },
        ...{ cert, key },
      });
      let heard = "";
      for await (const bytes of socket) {
        heard += new TextDecoder().decode(bytes);
        if (/^\* OK .*\r\n$/.test(heard)) socket.write(`a AUTHENTICATE EXTERNAL ${btoa(name)}\r\n`);
        else if (/^a .*\r\n$/m.test(heard)) break;
      }
      return /^a OK /m.test(heard) ? "OK" : /^a NO \[(\w+)\]/m.exec(heard)?.[1] ?? heard;
    };
    const taken: string[] = [];
    for (const name of [...Object.values(CERTIFICATES).flat(), "eve"]) {
      const end = await external(name);
      if (end === "OK") taken.push(name);
      else strictEqual(end, "AUTHORIZATIONFAILED", name);
    }
    deepStrictEqual(taken, names);
    deepStrictEqual(await accounts(server), [...names].sort());
  });
}

const missing = missingForSlapd();
Deno.test({
  name: "dn_template: users bind as the DN that their name makes, with what is special escaped" +
    (missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : ""),
  ignore: missing.length > 0,
  async fn() {
    await using slapd = await startSlapd({
      ldif: person("uid=smith\\, joe\\+x", "smith, joe+x", "Joe's own"),
    });
    const module = (template: string) =>
      `{ module = "ldap", urls = ["${slapd.ldap}"], dn_template = "${template}" }`;
    const imap = 'auth_map_normalize = "noop"\nstorage_map_normalize = "noop"\n';
    await using server = await startServer({
      authReference: module(`uid={username},${PEOPLE}`),
      imap,
    });
    strictEqual(await login(server, "ann", "Ann's own"), "OK");
    strictEqual(await login(server, "ann", "Bob's own"), FAILED);
    strictEqual(await login(server, "smith, joe+x", "Joe's own"), "OK");
    strictEqual(await login(server, `ann,${PEOPLE}`, "Ann's own"), FAILED);
    await using elsewhere = await startServer({
      authReference: module(`uid={username},ou=robots,dc=example,dc=org`),
      imap,
    });
    strictEqual(await login(elsewhere, "ann", "Ann's own"), FAILED);
  },
});

const MECHANISMS: Readonly<Record<string, (name: string, token: string) => string>> = {
  OAUTHBEARER: (name, token) => `n,${name && `a=${name}`},\x01auth=Bearer ${token}\x01\x01`,
  XOAUTH2: (name, token) => `user=${name}\x01auth=Bearer ${token}\x01\x01`,
};

/** What the tokens of `ann@example.org` say. */
const CLAIMS = { sub: "u17", preferred_username: "ann", email: "ann@example.org" };

/** A claim that may be told to be the name, and the claim that is one if nothing is told. */
const USERNAME_CLAIMS: Readonly<Record<string, string>> = {
  "": CLAIMS.email,
  'username_claim = "sub"': CLAIMS.sub,
  'username_claim = "preferred_username"': CLAIMS.preferred_username,
};

/** Ways to check a token: settings, a good token, and where the issuer is asked. */
const CHECKS: Readonly<
  Record<string, {
    readonly settings: (issuer: Issuer) => string;
    readonly token: (issuer: Issuer) => Promise<string>;
    readonly asked: readonly string[];
  }>
> = {
  "issuer": {
    settings: ({ url }) => `issuer = "${url}", audience = ["imapd"]`,
    token: (issuer) => issuer.sign("rsa", CLAIMS),
    asked: ["/.well-known/openid-configuration", "/keys"],
  },
  "jwks_uri": {
    settings: ({ url }) => `issuer = "${url}", jwks_uri = "${url}/keys", audience = ["imapd"]`,
    token: (issuer) => issuer.sign("ec", CLAIMS),
    asked: ["/keys"],
  },
  "introspection_uri": {
    settings: ({ url }) =>
      `introspection_uri = "${url}/introspect", client_id = "imapd", client_secret = "own", ` +
      `audience = ["imapd"]`,
    token: () => Promise.resolve("opaque"),
    asked: ["/introspect"],
  },
};

for (const [check, { settings, token, asked }] of Object.entries(CHECKS)) {
  for (const [claim, user] of Object.entries(USERNAME_CLAIMS)) {
    Deno.test(`oauth2 by ${check}, ${claim || "by default"}: a token opens ${user}`, async () => {
      await using issuer = await startIssuer();
      issuer.answers.set("/introspect", async (request) => {
        const known = request.headers.get("authorization") === `Basic ${btoa("imapd:own")}`;
        const active = known &&
          new URLSearchParams(await request.text()).get("token") === "opaque";
        return Response.json(active ? { active, aud: "imapd", ...CLAIMS } : { active });
      });
      const more = claim && `, ${claim}`;
      await using server = await startServer({
        authReference: `{ module = "oauth2", ${settings(issuer)}${more} }`,
      });
      const good = await token(issuer);
      const others = Object.values(CLAIMS).filter((name) => name !== user);
      for (const [mechanism, message] of Object.entries(MECHANISMS)) {
        strictEqual(await authenticate(server, mechanism, message(user, good)), "OK");
        for (const other of others) {
          strictEqual(await authenticate(server, mechanism, message(other, good)), FAILED, other);
        }
        strictEqual(await authenticate(server, mechanism, message(user, `${good}x`)), FAILED);
      }
      deepStrictEqual(await accounts(server), [user]);
      deepStrictEqual([...new Set(issuer.asked)], asked);
      await using client = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
      const greeting = await client.response() ?? "";
      match(greeting, / AUTH=OAUTHBEARER AUTH=XOAUTH2/);
      ok(!greeting.includes("AUTH=PLAIN"));
    });
  }
}
