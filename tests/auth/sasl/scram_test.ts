import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ScramHash, ScramKeys } from "../../../src/auth/auth.ts";
import { decodeBase64 } from "../../../src/auth/sasl/base64.ts";
import { scram } from "../../../src/auth/sasl/scram.ts";
import { deriveScramKeys } from "../../../src/auth/sasl/scram_keys.ts";
import { ScramClient, type ScramClientOptions } from "../../scram_client.ts";
import { refusal } from "../authenticators.ts";
import { play, type Scene } from "./exchange.ts";

async function keysOf(hash: ScramHash, password: string, salt: string): Promise<ScramKeys> {
  const octets = decodeBase64(salt);
  ok(octets);
  return await deriveScramKeys(hash, password, octets, 4096);
}

const SUCCESS = { name: "user", result: { ok: true, username: "user" } } as const;

Deno.test("scram() speaks as in RFC 7677 §3", async () => {
  const keys = { user: await keysOf("SHA-256", "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==") };
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  deepStrictEqual(
    await play(
      scram("SHA-256", false),
      { known: { keys }, nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" },
      "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
      `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
      "",
    ),
    {
      challenges: [
        `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
      ],
      end: SUCCESS,
    },
  );
});

Deno.test("scram() speaks as in RFC 5802 §5", async () => {
  const keys = { user: await keysOf("SHA-1", "pencil", "QSXCR+Q6sek8bf92") };
  const nonce = "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j";
  deepStrictEqual(
    await play(
      scram("SHA-1", false),
      { known: { keys }, nonce: "3rfcNHYJY1ZVvWVs7j" },
      undefined,
      "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
      `c=biws,r=${nonce},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=`,
      "",
    ),
    {
      challenges: [
        "",
        `r=${nonce},s=QSXCR+Q6sek8bf92,i=4096`,
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
      ],
      end: SUCCESS,
    },
  );
});

const SALT = btoa("0123456789abcdef");
const NAME = "a=b,c@d";
const END_POINT = new Uint8Array(32).fill(7);
const BINDING = { header: "p=tls-server-end-point,,", binding: END_POINT };
const KEYS = { [NAME]: await keysOf("SHA-256", "secret", SALT) };

/** A whole exchange with a client that does as `options` say. */
async function attempt(
  plus: boolean,
  channel: Scene["channel"],
  options: Partial<ScramClientOptions>,
) {
  const client = new ScramClient({ name: NAME, password: "secret", ...options });
  return await play(
    scram("SHA-256", plus),
    { known: { keys: KEYS }, channel },
    client.first,
    (challenge) => client.last(challenge),
    (challenge) => client.knows(challenge) ? "" : "the server does not know the password",
  );
}

function refused(detail: string, name = NAME) {
  return { name, result: refusal(detail) };
}

Deno.test("scram() lets in who knows the password, with the channel bound or not", async () => {
  const success = { name: NAME, result: { ok: true, username: NAME } };
  const bound = { serverEndPoint: END_POINT };
  deepStrictEqual((await attempt(false, {}, {})).end, success);
  deepStrictEqual((await attempt(false, {}, { header: "y,," })).end, success);
  deepStrictEqual((await attempt(false, {}, { header: "n,a=a=3Db=2Cc@d," })).end, success);
  deepStrictEqual((await attempt(false, bound, {})).end, success);
  deepStrictEqual((await attempt(true, bound, BINDING)).end, success);
});

Deno.test("scram() refuses a wrong password", async () => {
  deepStrictEqual(
    (await attempt(false, {}, { password: "Secret" })).end,
    refused("wrong password"),
  );
});

Deno.test("scram() looks at a proof when it is its turn, for which nobody waits who sends none", async () => {
  const busy = { ok: false, reason: "unavailable", detail: "too many" } as const;
  const client = new ScramClient({ name: NAME, password: "secret" });
  const scene = { known: { keys: KEYS }, busy };
  const silent = await play(scram("SHA-256", false), scene, client.first);
  deepStrictEqual([silent.end, silent.challenges.length], [undefined, 1]);
  const last = (challenge: string) => client.last(challenge);
  const { end } = await play(scram("SHA-256", false), scene, client.first, last);
  deepStrictEqual(end, { name: NAME, result: busy });
});

Deno.test("scram() goes on with an unknown user as with any other, up to the proof", async () => {
  const { end, challenges } = await attempt(false, {}, { name: "eve" });
  deepStrictEqual(end, refused("no keys of SCRAM-SHA-256, or unknown user", "eve"));
  match(challenges[0], /^r=[^,]+server,s=[A-Za-z0-9+/]{22}==,i=15000$/);
  const salt = /s=([^,]+)/;
  const again = (await attempt(false, {}, { name: "eve" })).challenges[0];
  strictEqual(again.match(salt)?.[1], challenges[0].match(salt)?.[1]);
});

Deno.test("scram() refuses who acts for another user", async () => {
  const detail = "acting for another user is not offered";
  deepStrictEqual((await attempt(false, {}, { header: "n,a=admin," })).end, refused(detail));
});

Deno.test("scram() finds out who takes -PLUS out of the list, or sits in between", async () => {
  const bound = { serverEndPoint: END_POINT };
  const cases: [boolean, Scene["channel"], Partial<ScramClientOptions>, string][] = [
    [
      ...[false, bound, { header: "y,," }] as const,
      "the client was not shown -PLUS, which is offered: somebody may be in between",
    ],
    [false, bound, BINDING, "channel binding without -PLUS"],
    [true, bound, {}, "-PLUS without channel binding"],
    [true, bound, { header: "y,," }, "-PLUS without channel binding"],
    [
      ...[true, bound, { ...BINDING, header: "p=tls-unique,," }] as const,
      "an unknown type of channel binding",
    ],
    [
      ...[true, bound, { ...BINDING, binding: new Uint8Array(32) }] as const,
      "the channel binding differs: somebody may be in between",
    ],
    [
      ...[true, bound, { header: BINDING.header }] as const,
      "the channel binding differs: somebody may be in between",
    ],
  ];
  for (const [plus, channel, options, detail] of cases) {
    deepStrictEqual((await attempt(plus, channel, options)).end, refused(detail));
  }
});

Deno.test("scram() takes no nonce but its own", async () => {
  const client = new ScramClient({ name: NAME, password: "secret" });
  const { end } = await play(
    scram("SHA-256", false),
    { known: { keys: KEYS } },
    client.first,
    (challenge) => client.last(challenge.replace("server,", "Server,")),
  );
  deepStrictEqual(end, refused("the nonce is not the one that was given"));
});

const MALFORMED_FIRST = [
  ...["", "n", "n,,", "n,,n=user", "n,,r=x", "x,,n=user,r=x", "p,,n=user,r=x", "p=,,n=user,r=x"],
  ...["n,n=user,r=x", "n,,n=,r=x", "n,,n=us=er,r=x", "n,,n=us=2cer,r=x", "n,,n=user,r="],
  ...["n,,m=ext,n=user,r=x", "n,user,n=user,r=x", "n,,n=us\0er,r=x", "n,,n=user,r=x y"],
];

Deno.test("scram() calls a first message malformed that is", async () => {
  for (const first of [...MALFORMED_FIRST, Uint8Array.of(0x6e, 0xff)]) {
    const { end } = await play(scram("SHA-256", false), { known: { keys: KEYS } }, first);
    match(String(end), /^Expected SCRAM's first message/);
  }
});

Deno.test("scram() calls a last message malformed that is", async () => {
  for (
    const last of ["", "c=biws", "c=biws,r=x", "c=b_ws,r=x,p=AAAA", "r=x,p=AAAA", "c=biws,r=x,p="]
  ) {
    const first = `n,,n=user,r=x`;
    const { end } = await play(scram("SHA-256", false), { known: { keys: KEYS } }, first, last);
    strictEqual(end, "Expected SCRAM's last message");
  }
});

Deno.test("scram() takes extensions that it does not know, and a proof of any length", async () => {
  const first = `n,,n=user,r=x,ext=1`;
  for (const proof of ["AA==", btoa("x".repeat(32)), btoa("x".repeat(1000))]) {
    const last = `c=biws,r=xserver,ext=2,p=${proof}`;
    const { end } = await play(scram("SHA-256", false), { known: { keys: KEYS } }, first, last);
    deepStrictEqual(end, refused("no keys of SCRAM-SHA-256, or unknown user", "user"));
  }
});

Deno.test("scram() is over only when the client has answered its end", async () => {
  const client = new ScramClient({ name: NAME, password: "secret" });
  const { end } = await play(
    scram("SHA-256", false),
    { known: { keys: KEYS } },
    client.first,
    (challenge) => client.last(challenge),
    "what?",
  );
  strictEqual(end, "Expected an empty response to SCRAM's end");
});
