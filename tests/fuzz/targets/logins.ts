/** Targets of `src/auth`: what clients and other servers say when somebody logs in. */

import assert from "node:assert/strict";
import { FilterParser } from "ldapts";
import {
  type AuthResult,
  type Login,
  NO_PENALTIES,
  type ScramKeys,
} from "../../../src/auth/auth.ts";
import { authLine, LONGEST_LINE, parseReply } from "../../../src/auth/dovecot/auth_protocol.ts";
import { fillDn, fillFilter } from "../../../src/auth/ldap/escaping.ts";
import {
  formatPasswordHash,
  parsePasswordHash,
  schemeOf,
} from "../../../src/auth/password_hash.ts";
import { external } from "../../../src/auth/sasl/external.ts";
import { oauthBearer, xoauth2 } from "../../../src/auth/sasl/bearer.ts";
import { MalformedResponse, type SaslMechanism } from "../../../src/auth/sasl/mechanism.ts";
import { login, plain } from "../../../src/auth/sasl/plain.ts";
import { scram } from "../../../src/auth/sasl/scram.ts";
import { deriveScramKeys } from "../../../src/auth/sasl/scram_keys.ts";
import {
  opaqueString,
  usernameCaseMapped,
  usernameCasePreserved,
} from "../../../src/names/precis.ts";
import {
  normalDomain,
  quoteLocal,
  splitEmail,
  unquoteLocal,
} from "../../../src/names/email_address.ts";
import { bytesFromLatin1, latin1FromBytes } from "../../../src/message/latin1.ts";
import { type FuzzTarget, pureTarget } from "../engine/target.ts";

const MECHANISMS: readonly SaslMechanism[] = [
  plain,
  login,
  scram("SHA-256", false),
  scram("SHA-256", true),
  oauthBearer,
  xoauth2,
  external,
];

const END_POINT = Uint8Array.of(1, 2, 3);
const NONCE = "server";

/** Only this name with this secret may log in. */
const NAME = "user";
const SECRET = "pencil";

function loginOf(keys: ScramKeys): Login {
  const result = (good: boolean): AuthResult =>
    good ? { ok: true, username: NAME } : { ok: false, reason: "bad-credentials", detail: "wrong" };
  return {
    penalties: NO_PENALTIES,
    can: { password: true, scram: ["SHA-256"], token: true },
    password: (name, password) => Promise.resolve(result(name === NAME && password === SECRET)),
    token: (token, name) =>
      Promise.resolve(result(token === SECRET && (name === NAME || name === ""))),
    scramKeys: (name) => Promise.resolve({ ok: true, keys, known: name === NAME }),
    proven: (name) => Promise.resolve(result(name === NAME)),
  };
}

/**
 * The first octet chooses the mechanism, the rest are responses with LF between them.
 */
export const sasl: FuzzTarget = {
  name: "sasl",
  seeds: [
    `0\0${NAME}\0${SECRET}`,
    `0other\0${NAME}\0${SECRET}`,
    `1${NAME}\n${SECRET}`,
    `2n,,n=${NAME},r=client\nc=biws,r=clientserver,p=AAAA\n`,
    "2n,a=us=2Cer,n=us=3Der,r=abc,x=y\nc=biws,r=abcserver,x=y,p=AAAA\n",
    `2y,,n=${NAME},r=client\nc=eSws,r=clientserver,p=AAAA\n`,
    `3p=tls-server-end-point,,n=${NAME},r=client\nc=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAQID,r=clientserver,p=AAAA\n`,
    `4n,a=${NAME},\x01host=h\x01port=143\x01auth=Bearer ${SECRET}\x01\x01`,
    `4n,,\x01auth=Bearer x\x01\x01\n\x01`,
    `5user=${NAME}\x01auth=Bearer ${SECRET}\x01\x01`,
    `6${NAME}`,
    "6\n",
  ],
  sources: ["plain", "scram", "bearer", "external"].map((file) => `auth/sasl/${file}.ts`),
  tokens: [
    "\n",
    "\0",
    "\x01",
    ",",
    "n=",
    "r=",
    "a=",
    "c=biws",
    "p=",
    "=2C",
    "=3D",
    NAME,
    SECRET,
    "\xc3\xa9",
  ],
  longest: 2000,
  async begin() {
    const keys = await deriveScramKeys("SHA-256", SECRET, bytesFromLatin1("saltsalt"), 1);
    const server = {
      login: loginOf(keys),
      client: { remote: "192.0.2.1", secure: true, id: "c" },
      channel: { serverEndPoint: END_POINT, certificateNames: [NAME] },
      turn: () => Promise.resolve(undefined),
      nonce: () => NONCE,
    };
    return {
      async run(input) {
        const mechanism = MECHANISMS[(input[0] ?? 0) % MECHANISMS.length];
        const text = latin1FromBytes(input.subarray(1));
        const responses = text.split("\n");
        const exchange = mechanism.begin(bytesFromLatin1(responses.shift() ?? ""), server);
        let sent: Uint8Array | undefined;
        try {
          for (let steps = 0;; steps++) {
            assert.ok(steps < 5, "it asks on and on");
            const step = await (sent === undefined ? exchange.next() : exchange.next(sent));
            if (step.done) {
              const { name, result } = step.value;
              assert.equal(typeof name, "string");
              // Only who said the secret is in, or whom the certificate names.
              if (result.ok) assert.ok(text.includes(SECRET) || mechanism === external);
              return;
            }
            assert.ok(step.value.length < input.length + 1000);
            sent = bytesFromLatin1(responses.shift() ?? "");
          }
        } catch (error) {
          if (!(error instanceof MalformedResponse)) throw error;
          assert.match(error.message, /^Expected [ -~]+$/);
        }
      },
    };
  },
};

export const dovecotReply = pureTarget({
  name: "dovecot-auth",
  seeds: [
    "VERSION\t1\t2",
    "MECH\tPLAIN\tplaintext",
    "DONE",
    "OK\t1\tuser=ann\textra=\x01t\x010",
    "FAIL\t2\tuser=a\ttemp\tcode=temp_fail\treason=a=b",
    "CONT\t3\tAAAA",
  ],
  sources: ["auth/dovecot/auth_protocol.ts"],
  tokens: ["\t", "=", "\x01", "\x011", "OK", "FAIL", "user=", "\n"],
  run(input) {
    const text = latin1FromBytes(input);
    const reply = parseReply(text.split("\n")[0]);
    if (reply.type === "ok") {
      for (const [name, value] of reply.fields) {
        assert.ok(!name.includes("\t") && !value.includes("\n\t\n"));
      }
    }
    // A name cannot bring fields of its own.
    const [username, password = ""] = text.slice(0, 2000).split("\n");
    const line = authLine({ id: 7, username, password, secured: true, remoteIp: "192.0.2.1" });
    assert.ok(line.endsWith("\n") && line.indexOf("\n") === line.length - 1);
    assert.ok(line.length < 2 * LONGEST_LINE);
    assert.equal(line.split("\t").length, 8);
    const sent = atob(line.trimEnd().slice(line.indexOf("resp=") + 5));
    assert.equal(new TextDecoder().decode(bytesFromLatin1(sent)), `\0${username}\0${password}`);
  },
});

/** A name within a search filter stays a value. A second reading is that of the library. */
export const ldapName = pureTarget({
  name: "ldap-name",
  seeds: ["ann", "a*b", ")(uid=*", "\\2a", "\0", "a,b=c+d", "\xc3\xa9", " x "],
  sources: ["auth/ldap/escaping.ts"],
  tokens: ["*", "(", ")", "\\", "\0", "=", "|", "&", "!", ",", "+", "\\28", " ", "#", "{username}"],
  longest: 300,
  run(input) {
    const name = new TextDecoder().decode(input);
    const filter = fillFilter("(&(objectClass=person)(uid={username}))", name);
    assert.match(filter, /^\(&\(objectClass=person\)\(uid=[^()*]*\)\)$/);
    if (name !== "" && name.length < 2000) {
      const read = JSON.stringify(FilterParser.parseString(filter));
      assert.equal(read.match(/"attribute"/g)?.length, 2, read);
    }
    const dn = fillDn("uid={username},dc=example", name);
    assert.match(dn, /^uid=(?:[^,+"<>;=#\\]|\\[0-9a-f]{2})*,dc=example$/);
  },
});

export const passwordHash = pureTarget({
  name: "password-hash",
  seeds: [
    "bcrypt:$2a$04$p9YIi8TXWWDhzmsLRraC.OqTYO05Xe1pTcHzxt11Y6HHRLWpjbwvq",
    "{PLAIN}secret",
    "$6$rounds=5000$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "argon2:2:19456:1:c2FsdHNhbHQ=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "{SCRAM-SHA-256}15000,c2FsdA==,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "sha256:c2FsdHNhbHQ=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "{SHA512-CRYPT}$6$x$y",
  ],
  sources: ["auth/password_hash.ts", "auth/crypt_hash.ts", "auth/sasl/scram_keys.ts"],
  tokens: [":", "$", ",", "{", "}", "=", "__proto__", "constructor"],
  longest: 500,
  run(input) {
    const text = latin1FromBytes(input);
    const hash = parsePasswordHash(text);
    schemeOf(text);
    if (hash === undefined) return;
    if (hash.algorithm === "argon2" || hash.algorithm === "bcrypt" || hash.algorithm === "scram") {
      assert.deepEqual(parsePasswordHash(formatPasswordHash(hash)), hash);
    }
  },
});

/** Names of users and domains: a form that has been made is its own form. */
export const userName = pureTarget({
  name: "user-name",
  seeds: [
    "Ann",
    "ann@example.org",
    '"a b"@example.org',
    "\xef\xbc\xa1nn",
    "J\xc3\xb6",
    "\xd7\x90b",
    "a@xn--bcher-kva.example",
    "l\xc2\xb7l",
  ],
  sources: ["names/precis.ts", "names/email_address.ts", "names/context_rules.ts", "names/bidi.ts"],
  tokens: [
    "@",
    '"',
    "\\",
    ".",
    "xn--",
    "\xc2\xb7",
    "\xe2\x80\x8d",
    "\xd7\x90",
    "\xef\xbc\xa1",
    "\xe3\x83\xbb",
    "\xd9\xa0",
    "\xc3\x9f",
  ],
  longest: 300,
  run(input) {
    const text = new TextDecoder().decode(input);
    for (const normal of [usernameCaseMapped, usernameCasePreserved, opaqueString]) {
      const once = normal(text);
      if (once === undefined) continue;
      assert.ok(once.isWellFormed() && once !== "");
      assert.equal(normal(once), once, "another form of a form");
    }
    const domain = normalDomain(text);
    if (domain !== undefined) {
      assert.equal(normalDomain(domain), domain);
      assert.equal(
        normalDomain(domain.replace(/[a-z]/g, (letter) => letter.toUpperCase())),
        domain,
      );
      assert.doesNotMatch(domain, /[\s/@:]/);
    }
    const parts = splitEmail(text);
    const local = unquoteLocal(parts?.local ?? text);
    if (local === undefined) return;
    const quoted = quoteLocal(local);
    assert.ok(quoted !== undefined);
    assert.equal(unquoteLocal(quoted), local);
  },
});
