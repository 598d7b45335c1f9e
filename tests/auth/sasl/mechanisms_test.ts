import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { oauthBearer, xoauth2 } from "../../../src/auth/sasl/bearer.ts";
import { external } from "../../../src/auth/sasl/external.ts";
import type { SaslMechanism, SaslSituation } from "../../../src/auth/sasl/mechanism.ts";
import { offeredMechanisms } from "../../../src/auth/sasl/mechanisms.ts";
import { login, plain } from "../../../src/auth/sasl/plain.ts";
import { DOWN, refusal } from "../authenticators.ts";
import { play, type Response, type Scene } from "./exchange.ts";

const KNOWN = { passwords: { ann: "one" }, tokens: { "T0k.en~+/-_==": "ann" } };
const YES = { name: "ann", result: { ok: true, username: "ann" } };
const NO_PROXY = { name: "ann", result: unauthorized("acting for another user is not offered") };
const WRONG = { name: "ann", result: refusal("wrong password") };
const BEARER = '{"status":"invalid_token","schemes":"bearer"}';
const XBEARER = '{"status":"401","schemes":"bearer"}';
const TOKEN = "T0k.en~+/-_==";
const UNNAMED = { name: "", result: unauthorized("no certificate has this name") };
const CERTIFIED = { known: KNOWN, channel: { certificateNames: ["ann", "bob"] } };

/** Mechanism, initial response, responses, challenges, and what comes of it. */
type Case = readonly [
  SaslMechanism,
  string | Uint8Array | undefined,
  readonly Response[],
  readonly string[],
  unknown,
  Scene?,
];

function unauthorized(detail: string) {
  return { ok: false, reason: "not-authorized", detail };
}

const FIELDS = "Expected authzid NUL authcid NUL password in UTF-8";
const BOTH = "Expected a user name and a password, none with NUL";
const MESSAGE = "Expected OAUTHBEARER's message";
const XMESSAGE = "Expected XOAUTH2's message";

const CASES: readonly Case[] = [
  [plain, "\0ann\0one", [], [], YES],
  [plain, undefined, ["\0ann\0one"], [""], YES],
  [plain, "ann\0ann\0one", [], [], YES],
  [plain, "bob\0ann\0one", [], [], NO_PROXY],
  [plain, "bob\0ann\0two", [], [], WRONG],
  [plain, "\0ann\0two", [], [], WRONG],
  [plain, "", [], [], FIELDS],
  [plain, "\0ann", [], [], FIELDS],
  [plain, "\0ann\0", [], [], FIELDS],
  [plain, "\0\0one", [], [], FIELDS],
  [plain, "\0ann\0one\0", [], [], FIELDS],
  [plain, Uint8Array.of(0, 0x61, 0, 0xff), [], [], FIELDS],

  [login, undefined, ["ann", "one"], ["Username:", "Password:"], YES],
  [login, "ann", ["one"], ["Password:"], YES],
  [login, undefined, ["ann", "two"], ["Username:", "Password:"], WRONG],
  [login, undefined, ["", "two"], ["Username:", "Password:"], BOTH],
  [login, "ann", [""], ["Password:"], BOTH],
  [login, "a\0nn", ["one"], ["Password:"], BOTH],

  [oauthBearer, `n,a=ann,\x01host=mail\x01port=993\x01auth=Bearer ${TOKEN}\x01\x01`, [], [], YES],
  [oauthBearer, undefined, [`y,,\x01auth=bearer ${TOKEN}\x01\x01`], [""], { ...YES, name: "" }],
  [
    ...[oauthBearer, `n,a=bob,\x01auth=Bearer ${TOKEN}\x01\x01`, ["\x01"], [BEARER]] as const,
    { name: "bob", result: refusal("wrong token") },
  ],
  [
    ...[oauthBearer, "n,a=a=2Cb,\x01auth=Bearer x\x01\x01", ["\x01"], [BEARER]] as const,
    { name: "a,b", result: refusal("wrong token") },
  ],
  [
    ...[oauthBearer, "n,a=ann,\x01auth=Basic x\x01\x01", ["\x01"], [BEARER]] as const,
    { name: "ann", result: refusal("no bearer token") },
  ],
  [
    ...[oauthBearer, "n,a=ann,\x01auth=\x01\x01", ["anything"], [BEARER]] as const,
    { name: "ann", result: refusal("no bearer token") },
  ],
  [
    ...[oauthBearer, `n,,\x01auth=Bearer ${TOKEN}\x01\x01`, [], []] as const,
    { name: "", result: DOWN },
    { known: { ...KNOWN, down: true } },
  ],
  [oauthBearer, "", [], [], MESSAGE],
  [oauthBearer, `n,,\x01auth=Bearer ${TOKEN}\x01`, [], [], MESSAGE],
  [oauthBearer, `n,,\x01host=x\x01\x01`, [], [], MESSAGE],
  [oauthBearer, `p=x,,\x01auth=Bearer ${TOKEN}\x01\x01`, [], [], MESSAGE],
  [oauthBearer, `n,,\x01auth\x01\x01`, [], [], MESSAGE],
  [oauthBearer, `n,,\x01auth=Bearer \0\x01\x01`, [], [], MESSAGE],

  [xoauth2, `user=ann\x01auth=Bearer ${TOKEN}\x01\x01`, [], [], YES],
  [xoauth2, undefined, [`user=ann\x01auth=Bearer ${TOKEN}\x01\x01`], [""], YES],
  [
    ...[xoauth2, "user=ann\x01auth=Bearer x\x01\x01", [""], [XBEARER]] as const,
    { name: "ann", result: refusal("wrong token") },
  ],
  [xoauth2, "user=ann\x01\x01", [], [], XMESSAGE],
  [xoauth2, `ann\x01auth=Bearer ${TOKEN}\x01\x01`, [], [], XMESSAGE],

  [external, "", [], [], YES, CERTIFIED],
  [external, undefined, [""], [""], YES, CERTIFIED],
  [external, "ann", [], [], YES, CERTIFIED],
  [external, "bob", [], [], { name: "bob", result: { ok: true, username: "bob" } }, CERTIFIED],
  [external, "eve", [], [], { ...UNNAMED, name: "eve" }, CERTIFIED],
  [external, "", [], [], UNNAMED],
];

CASES.forEach(([mechanism, initial, responses, challenges, end, scene], i) => {
  const shown = JSON.stringify(initial instanceof Uint8Array ? "not UTF-8" : initial ?? "none");
  Deno.test(`${mechanism.name} ${i}: ${shown} then ${JSON.stringify(responses)}`, async () => {
    deepStrictEqual(await play(mechanism, scene ?? { known: KNOWN }, initial, ...responses), {
      challenges,
      end,
    });
  });
});

const NOTHING: SaslSituation = {
  can: { password: false, scram: [], token: false },
  channel: {},
  saslLogin: false,
};

Deno.test("offeredMechanisms() follow from what can be checked and what the connection tells", () => {
  const names = (situation: Partial<SaslSituation>) =>
    offeredMechanisms({ ...NOTHING, ...situation }).map(({ name }) => name).join(" ");
  const { can } = NOTHING;
  const serverEndPoint = new Uint8Array(32);
  strictEqual(names({}), "");
  strictEqual(names({ saslLogin: true, channel: { serverEndPoint } }), "");
  strictEqual(names({ can: { ...can, password: true } }), "PLAIN");
  strictEqual(names({ can: { ...can, password: true }, saslLogin: true }), "PLAIN LOGIN");
  strictEqual(names({ can: { ...can, token: true } }), "OAUTHBEARER XOAUTH2");
  strictEqual(names({ can: { ...can, scram: ["SHA-256"] } }), "SCRAM-SHA-256");
  strictEqual(
    names({ can: { ...can, scram: ["SHA-1", "SHA-256"] }, channel: { serverEndPoint } }),
    "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1",
  );
  strictEqual(names({ channel: { certificateNames: ["ann"] } }), "EXTERNAL");
  strictEqual(names({ channel: { certificateNames: [] } }), "");
});
