import assert from "node:assert/strict";
import fc from "fast-check";
import {
  baseOf,
  compareDelivery,
  deliveryTimeOf,
  FileNames,
  flagBitsOf,
  withFlags,
  withoutUid,
} from "../../src/store/maildir/file_name.ts";
import { FLAG } from "../../src/store/store.ts";

const anyBits = fc.integer({ min: 0, max: 31 });

const anyFile = fc.tuple(
  fc.string({ unit: fc.constantFrom(..."0123456789.MPQ_,=abc"), minLength: 1 }),
  fc.string({ unit: fc.constantFrom(..."PSRFTDabz") }),
  fc.constantFrom("", ",X=1", ",S"),
).map(([base, letters, tail]) => `${base}:2,${letters}${tail}`);

Deno.test("FileNames writes seconds, microseconds, process, counter and host", () => {
  const names = new FileNames({ now: () => 1700000000123.5, pid: 42, host: "mx/1:a" });
  assert.equal(names.next(), "1700000000.M123500P42Q1.mx\\0571\\072a");
  assert.equal(names.next(), "1700000000.M123500P42Q2.mx\\0571\\072a");
});

Deno.test("FileNames makes a file name of any host, and its time can be read", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", size: "+1" }), fc.nat(4e12), (host, now) => {
    const name = new FileNames({ now: () => now, pid: 1, host }).next();
    assert.match(name, /^[\x21-\x7e]{1,160}$/);
    assert.doesNotMatch(name, /[/:,]/);
    assert.equal(baseOf(name), name);
    assert.equal(deliveryTimeOf(name), Math.floor(now / 1000));
  }));
});

Deno.test("flagBitsOf reads the letters in any order and ignores others", () => {
  assert.equal(flagBitsOf("1.a.h:2,"), 0);
  assert.equal(flagBitsOf("1.a.h"), 0);
  assert.equal(flagBitsOf("1.a.h:2,TSa"), FLAG.seen | FLAG.deleted);
  assert.equal(
    flagBitsOf("1.a.h:2,DFPRST"),
    FLAG.draft | FLAG.flagged | FLAG.answered | FLAG.seen | FLAG.deleted,
  );
  assert.equal(flagBitsOf("1.a.h:2,S,X=TR"), FLAG.seen);
  assert.equal(flagBitsOf("1.a.h:1,S"), 0);
});

Deno.test("withFlags keeps base, foreign letters and fields, in ASCII order", () => {
  assert.equal(withFlags("1.a.h", 0), "1.a.h:2,");
  assert.equal(withFlags("1.a.h,S=5", FLAG.seen), "1.a.h,S=5:2,S");
  assert.equal(withFlags("1.a.h:2,zTPa", FLAG.seen | FLAG.draft), "1.a.h:2,DPSaz");
  assert.equal(withFlags("1.a.h:2,S,X=1", FLAG.flagged), "1.a.h:2,F,X=1");
});

Deno.test("withFlags is read back by flagBitsOf and changes nothing else", () => {
  fc.assert(fc.property(anyFile, anyBits, anyBits, (file, bits, others) => {
    const renamed = withFlags(file, bits);
    assert.equal(flagBitsOf(renamed), bits);
    assert.equal(baseOf(renamed), baseOf(file));
    assert.equal(withFlags(renamed, bits), renamed);
    assert.equal(withFlags(withFlags(file, others), bits), renamed);
  }));
});

Deno.test("deliveryTimeOf reads the names of other programs", () => {
  assert.equal(deliveryTimeOf("1234567890.M1P2.host"), 1234567890);
  assert.equal(deliveryTimeOf("1234567890_0.123.host,U=5,FMD5=ab"), 1234567890);
  assert.equal(deliveryTimeOf("1234567890.host"), 1234567890);
  assert.equal(deliveryTimeOf("msg.ABC"), undefined);
  assert.equal(deliveryTimeOf("1234"), undefined);
  assert.equal(deliveryTimeOf("99999999999999999999.x"), undefined);
});

Deno.test("compareDelivery orders by seconds, then microseconds, then name", () => {
  const ordered = [
    "hello",
    "9.z",
    "10.P1.h",
    "10.M2P9Q1.h",
    "10.V801I5M10P1.h",
    "10.M10P2.h",
    "11.M1P1.h",
  ];
  for (const shuffled of [ordered.toReversed(), ordered.toSorted()]) {
    assert.deepEqual(shuffled.sort(compareDelivery), [
      "hello",
      "9.z",
      "10.P1.h",
      "10.M2P9Q1.h",
      "10.M10P2.h",
      "10.V801I5M10P1.h",
      "11.M1P1.h",
    ]);
  }
});

Deno.test("compareDelivery is a total order", () => {
  const name = fc.string({ unit: fc.constantFrom(..."01.MPx") });
  fc.assert(fc.property(name, name, name, (a, b, c) => {
    assert.equal(Math.sign(compareDelivery(a, b)), -Math.sign(compareDelivery(b, a)) + 0);
    assert.equal(compareDelivery(a, b) === 0, a === b);
    if (compareDelivery(a, b) <= 0 && compareDelivery(b, c) <= 0) {
      assert.ok(compareDelivery(a, c) <= 0);
    }
  }));
});

Deno.test("baseOf stays when mbsync gives a file its number", () => {
  for (const name of ["1700000001.M1P1Q1.host", "1700000001.M1P1.host,S=19,W=22"]) {
    for (
      const file of [name, `${name}:2,FS`, `${name},U=5`, `${name},U=5:2,`, `${name},U=17:2,S`]
    ) {
      assert.equal(baseOf(file), name);
    }
  }
  assert.equal(baseOf("1.host,U=x:2,S"), "1.host,U=x");
  assert.equal(baseOf("1.host:2,,U=5"), "1.host");
  assert.equal(withFlags("1.host,U=5:2,", FLAG.seen), "1.host,U=5:2,S");
  assert.equal(withFlags("1.host,U=5", FLAG.seen), "1.host,U=5:2,S");
  assert.equal(withoutUid(",U=5:2,S"), ":2,S");
});
