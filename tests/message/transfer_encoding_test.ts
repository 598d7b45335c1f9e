import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";
import { transferReader } from "../../src/message/transfer_encoding.ts";
import { chunked } from "./mail_arbitrary.ts";

type Encoding = "base64" | "quoted-printable";

function decode(encoding: Encoding, ...pieces: readonly Uint8Array[]): string {
  const reader = transferReader(encoding);
  return pieces.map((piece, i) => latin1FromBytes(reader.read(piece, i === pieces.length - 1)))
    .join("");
}

const CASES: Readonly<Record<Encoding, Readonly<Record<string, string>>>> = {
  "base64": {
    "SGVsbG8=": "Hello",
    "SGVs\r\nbG8=\r\n": "Hello",
    "SGVsbG8": "Hello",
    "SGVsb": "Hel",
    "SG!V*s-bG8=": "Hello",
    "SGVsbG8=IFdvcmxk": "Hello World",
    "SGVsbG8==\r\n--\r\n": "Hello",
    "====": "",
    "": "",
  },
  "quoted-printable": {
    "a=C3=a9b": "a\xc3\xa9b",
    "soft=\r\nbreak": "softbreak",
    "soft= \t\r\nbreak": "softbreak",
    "open=": "open",
    "open= ": "open",
    "no=ZZ code": "no=ZZ code",
    "a=b": "a=b",
    "==3D": "==",
    "hard\r\nbreak": "hard\r\nbreak",
    "\xe9=E9": "\xe9\xe9",
    "": "",
  },
};

for (const encoding of ["base64", "quoted-printable"] as const) {
  for (const [encoded, octets] of Object.entries(CASES[encoding])) {
    Deno.test(`transferReader undoes ${encoding}: ${JSON.stringify(encoded)}`, () => {
      equal(decode(encoding, bytesFromLatin1(encoded)), octets);
      equal(decode(encoding, ...Array.from(encoded, bytesFromLatin1), new Uint8Array()), octets);
    });
  }

  Deno.test(`transferReader undoes ${encoding} alike in any pieces`, () => {
    const piece = fc.constantFrom(
      "=",
      "\r",
      "\n",
      "\r\n",
      " ",
      "=4",
      "=41",
      "QUJD",
      "R",
      "!",
      "=\r\n",
    );
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
    fc.assert(fc.property(text, fc.array(fc.nat()), (encoded, cuts) => {
      equal(
        decode(encoding, ...chunked(encoded, cuts)),
        decode(encoding, bytesFromLatin1(encoded)),
      );
    }));
  });
}

Deno.test("transferReader reads back any octets", () => {
  fc.assert(fc.property(fc.uint8Array(), fc.array(fc.nat()), (octets, cuts) => {
    const latin1 = latin1FromBytes(octets);
    const base64 = btoa(latin1).replace(/(.{8})/g, "$1\r\n");
    equal(decode("base64", ...chunked(base64, cuts)), latin1);
    const quoted = Array.from(octets, (octet) => `=${octet.toString(16).padStart(2, "0")}`).join(
      "=\r\n",
    );
    equal(decode("quoted-printable", ...chunked(quoted, cuts)), latin1);
  }));
});

Deno.test("transferReader leaves other encodings as they are", () => {
  const bytes = bytesFromLatin1("=41\xff");
  equal(transferReader(undefined).read(bytes, true), bytes);
});

Deno.test("transferReader takes linear time for hostile text", () => {
  for (const piece of ["=", "= ", "=\r", " ", "=4"]) {
    const text = bytesFromLatin1(piece.repeat(500_000));
    ok(decode("quoted-printable", text).length <= text.length);
    ok(decode("base64", text).length <= text.length);
  }
});

Deno.test("transferReader reads many short groups of base64 as it does each of them", () => {
  const groups = ["QUJD", "QQ==", "QUI=", "A=", "=", "QUJDRA==", "Q U\r\nI=", "QUJDRE=", "/+8="];
  const alone = groups.map((group) => decode("base64", ...chunked(group, []))).join("");
  equal(decode("base64", ...chunked(groups.join("").repeat(20), [])), alone.repeat(20));
});
