import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { Authenticator } from "../../src/auth/auth.ts";
import { Ldap, type LdapOptions, type LdapUsers } from "../../src/auth/ldap/ldap.ts";
import { memoryLog } from "../../src/log.ts";
import { authenticatorContract, CLIENT } from "../contracts/authenticator_contract.ts";
import { startServer } from "../harness.ts";
import { logged, loginReply } from "./login.ts";
import {
  BASE,
  MANAGER,
  MANAGER_PASSWORD,
  missingForSlapd,
  PEOPLE,
  person,
  startSlapd,
} from "./slapd.ts";

const missing = missingForSlapd();
const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `${name}${reason}`, ignore: missing.length > 0, fn });

const TEMPLATE: LdapUsers = { dnTemplate: `uid={username},${PEOPLE}` };
const SEARCH: LdapUsers = {
  baseDn: BASE,
  filter: "(&(objectClass=inetOrgPerson)(uid={username}))",
};

function openLdap(
  options: Partial<LdapOptions> & Pick<LdapOptions, "urls">,
): Promise<Authenticator> {
  return Ldap.open({
    starttls: false,
    tls: {},
    connectTimeout: 10_000,
    requestTimeout: 10_000,
    bind: { method: "off" },
    users: TEMPLATE,
    log: memoryLog([]),
    ...options,
  });
}

for (
  const [how, users] of [["by a template", TEMPLATE], ["by a search", SEARCH]] as const
) {
  authenticatorContract(`Ldap ${how}`, missing, async () => {
    const slapd = await startSlapd();
    const lines: string[] = [];
    const auth = await openLdap({ urls: [slapd.ldap], users, log: memoryLog(lines) });
    return {
      auth,
      lines,
      username: "ann",
      password: "Ann's own",
      stopPeer: () => slapd.stop(),
      startPeer: () => slapd.start(),
      async [Symbol.asyncDispose]() {
        await auth.close();
        await slapd[Symbol.asyncDispose]();
      },
    };
  });
}

/** Whether ann gets in by her password and not by another. */
async function works(options: Partial<LdapOptions> & Pick<LdapOptions, "urls">): Promise<boolean> {
  const auth = await openLdap(options);
  try {
    const wrong = await auth.checkPassword("ann", "Bob's own", CLIENT);
    strictEqual(!wrong.ok && wrong.reason, "bad-credentials");
    for (let i = 0; i < 3; i++) {
      const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
      if (!result.ok) throw new Error(result.detail);
    }
    return true;
  } finally {
    await auth.close();
  }
}

test("Ldap speaks TLS from the start and by StartTLS, to whom it can trust", async () => {
  await using slapd = await startSlapd({ database: "security simple_bind=64" });
  const tls = { rootCa: [slapd.ca] };
  // This slapd takes passwords over TLS only.
  await rejects(works({ urls: [slapd.ldap] }));
  ok(await works({ urls: [slapd.ldaps], tls }));
  ok(await works({ urls: [slapd.ldap], starttls: true, tls }));
  ok(await works({ urls: [slapd.ldap], starttls: true, tls, users: SEARCH }));
  for (const starttls of [false, true]) {
    const url = starttls ? slapd.ldap : slapd.ldaps;
    const auth = await openLdap({ urls: [url], starttls });
    const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
    strictEqual(!result.ok && result.reason, "unavailable");
    match(result.ok ? "" : result.detail, /certificate|UnknownIssuer/i);
    await auth.close();
  }
  // Another name than the certificate has.
  const auth = await openLdap({ urls: [slapd.ldaps.replace("localhost", "127.0.0.2")], tls });
  strictEqual((await auth.checkPassword("ann", "Ann's own", CLIENT)).ok, false);
  await auth.close();
});

test("Ldap asks over a unix socket, and the first URL that answers", async () => {
  await using slapd = await startSlapd();
  ok(await works({ urls: [slapd.ldapi] }));
  ok(await works({ urls: ["ldap://127.0.0.1:1", `${slapd.ldapi}-not`, slapd.ldap] }));
  const auth = await openLdap({ urls: ["ldap://127.0.0.1:1", `${slapd.ldapi}-not`] });
  const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
  ok(!result.ok);
  match(result.detail, /^ldap:\/\/127\.0\.0\.1:1: .+; ldapi:\/\/.+-not: .+$/);
  await auth.close();
});

test("Ldap searches as whom it was told to", async () => {
  const acl = "access to attrs=userPassword by anonymous auth by * none\n" +
    `access to * by dn.exact="uid=bob,${PEOPLE}" read by anonymous auth by * none`;
  await using slapd = await startSlapd({ database: acl });
  const { ldap, ldapi } = slapd;
  const bob = { method: "plain", dn: `uid=bob,${PEOPLE}`, password: "Bob's own" } as const;
  const manager = { method: "plain", dn: MANAGER, password: MANAGER_PASSWORD } as const;
  ok(await works({ urls: [ldap], users: SEARCH, bind: bob }));
  ok(await works({ urls: [ldap], users: SEARCH, bind: manager }));
  ok(await works({ urls: [ldapi], users: SEARCH, bind: { method: "external" } }));
  await rejects(works({ urls: [ldap], users: SEARCH, bind: { method: "off" } }));
  const auth = await openLdap({ urls: [ldap], users: SEARCH, bind: { ...bob, password: "no" } });
  const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
  ok(!result.ok && result.reason === "unavailable");
  match(result.detail, /^The server refuses our own bind: /);
  await auth.close();
});

test("Ldap binds unauthenticated only for itself", async () => {
  await using slapd = await startSlapd({ global: "allow bind_anon_cred bind_anon_dn" });
  const bind = { method: "unauth", dn: `uid=bob,${PEOPLE}` } as const;
  ok(await works({ urls: [slapd.ldap], users: SEARCH, bind }));
  const auth = await openLdap({ urls: [slapd.ldap] });
  // This slapd would say yes to an empty password.
  deepStrictEqual(await auth.checkPassword("ann", "", CLIENT), {
    ok: false,
    reason: "bad-credentials",
    detail: "an empty password",
  });
  await auth.close();
});

const ODD = [
  ["uid=a\\2cb", "a,b"],
  ["uid=a\\2bb\\3dc", "a+b=c"],
  ["uid=\\23hash", "#hash"],
  ['uid=q\\22uo"te'.replace('"', "\\22"), 'q"uo"te'],
  ["uid=back\\5cslash", "back\\slash"],
  ["uid=par(ens)*", "par(ens)*"],
  ["uid=<less>;".replace(/[<>;]/g, "\\$&"), "<less>;"],
  ["uid=jürgen", "jürgen"],
  ["uid=two words", "two words"],
] as const;

test("Ldap takes odd names for what they are", async () => {
  await using slapd = await startSlapd({
    ldif: ODD.map(([rdn, uid]) => person(rdn, uid, `of ${uid}`)).join(""),
  });
  for (const users of [TEMPLATE, SEARCH]) {
    const auth = await openLdap({ urls: [slapd.ldap], users });
    for (const [, uid] of ODD) {
      deepStrictEqual(await auth.checkPassword(uid, `of ${uid}`, CLIENT), {
        ok: true,
        username: uid,
      });
      strictEqual((await auth.checkPassword(uid, "Ann's own", CLIENT)).ok, false);
    }
    await auth.close();
  }
});

test("Ldap lets no name become a part of the DN or of the filter", async () => {
  await using slapd = await startSlapd();
  const names = [
    "*",
    "a*",
    "ann)(uid=*",
    "ann)(|(uid=*)",
    "nobody)(|(uid=ann)",
    "*)(uid=ann))(|(uid=*",
    "ann))(&(objectClass=*",
    `ann,${PEOPLE}`,
    "nobody,uid=ann",
    "nobody+uid=ann",
    "ann\\",
    "\\2a",
    "\\61nn",
    "#616e6e",
    "{username}",
    "EXTERNAL",
    "PLAIN",
    "ann\u0000",
  ];
  for (const users of [TEMPLATE, SEARCH]) {
    const auth = await openLdap({ urls: [slapd.ldap], users });
    for (const name of names) {
      const result = await auth.checkPassword(name, "Ann's own", CLIENT);
      strictEqual(!result.ok && result.reason, "bad-credentials", JSON.stringify([name, result]));
    }
    await auth.close();
  }
});

test("Ldap refuses a name that several entries have, and says so", async () => {
  await using slapd = await startSlapd({ ldif: person("cn=second", "ann", "Ann's own") });
  const lines: string[] = [];
  const auth = await openLdap({ urls: [slapd.ldap], users: SEARCH, log: memoryLog(lines) });
  const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
  strictEqual(!result.ok && result.detail, "more than one entry");
  deepStrictEqual(lines, [
    "warning: more than one entry of the directory fits a name username=ann",
  ]);
  await auth.close();
});

test("Ldap gives up on a server that does not answer", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of silent) held.push(connection);
  })();
  const url = `ldap://127.0.0.1:${silent.addr.port}`;
  const secure = url.replace("ldap:", "ldaps:");
  for (const options of [{ urls: [url] }, { urls: [url], starttls: true }, { urls: [secure] }]) {
    const auth = await openLdap({ ...options, connectTimeout: 50, requestTimeout: 50 });
    const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
    strictEqual(!result.ok && result.reason, "unavailable");
    await auth.close();
  }
  // The end of the server waits for nobody.
  for (const urls of [[url], [secure]]) {
    const auth = await openLdap({ urls });
    const known = held.length;
    const result = auth.checkPassword("ann", "Ann's own", CLIENT);
    while (held.length === known) await new Promise((resolve) => setTimeout(resolve, 1));
    await auth.close();
    strictEqual((await result).ok, false);
  }
  for (const connection of held) connection.close();
  silent.close();
  await accepting;
});

test("imapd lets in whom the directory knows, and tells when it cannot ask it", async () => {
  await using slapd = await startSlapd();
  await using server = await startServer({
    authReference:
      `{ module = "ldap", urls = ["${slapd.ldap}"], starttls = true, base_dn = "${BASE}", ` +
      `filter = "(uid={username})", tls_client = { root_ca = ["${slapd.ca}"] } }`,
  });
  const reply = (username: string, password: string) => loginReply(server, username, password);
  match(await reply("ann", "Ann's own"), /^OK /);
  match(await reply("ann", "Bob's own"), /^NO \[AUTHENTICATIONFAILED\]/);
  match(await reply("ann", ""), /^NO \[AUTHENTICATIONFAILED\]/);
  match(await reply("a*", "Ann's own"), /^NO \[AUTHENTICATIONFAILED\]/);
  await slapd.stop();
  match(await reply("ann", "Ann's own"), /^NO \[UNAVAILABLE\]/);
  await logged(server, /^error: ldap cannot be asked error="ldap:.*ECONNREFUSED/m);
  await slapd.start();
  match(await reply("ann", "Ann's own"), /^OK /);
});

Deno.test("Ldap.open() fails where a PEM file cannot be read", async () => {
  await rejects(
    openLdap({ urls: ["ldap://x"], tls: { rootCa: ["/nonexistent.pem"] } }),
    /nonexistent/,
  );
});
