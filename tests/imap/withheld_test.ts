import { deepStrictEqual, ok } from "node:assert/strict";
import { CLIENT_QUIRKS, quirksOf } from "../../src/imap/client_quirks.ts";
import { Session } from "../../src/imap/session.ts";
import { isOffered, withDependents } from "../../src/imap/withheld.ts";

Deno.test("withDependents: takes along what cannot be without a capability, over several steps", () => {
  deepStrictEqual(withDependents([]), new Set());
  deepStrictEqual(withDependents(["condstore"]), new Set(["CONDSTORE", "QRESYNC"]));
  deepStrictEqual(
    withDependents(["Sort"]),
    new Set(["SORT", "ESORT", "SORT=DISPLAY", "CONTEXT=SORT"]),
  );
  ok(withDependents(["UIDPLUS"]).has("IMAP4REV2"));
});

Deno.test("isOffered: a family is all that begin with its name", () => {
  const session = new Session("1", "127.0.0.1", true);
  session.withheld = withDependents(["THREAD", "APPENDLIMIT"]);
  const offered = (capability: string) =>
    isOffered(capability, { session, service: {} as Parameters<typeof isOffered>[1]["service"] });
  deepStrictEqual(["THREAD=REFS", "APPENDLIMIT=1000", "SORT"].map(offered), [false, false, true]);
});

Deno.test("quirksOf: knows clients by the name that they give", () => {
  const of = (name: string) => quirksOf(new Map([["name", name]]));
  deepStrictEqual(of("Microsoft Office 365"), ["UIDONLY"]);
  deepStrictEqual(of("iPhone Mail"), ["IMAP4rev2"]);
  deepStrictEqual(of("com.apple.email.maild"), ["IMAP4rev2"]);
  deepStrictEqual(of("Thunderbird"), []);
  deepStrictEqual(quirksOf(new Map()), []);
});

Deno.test("CLIENT_QUIRKS: each row says why, and where it was seen", () => {
  for (const { why, source, disable } of CLIENT_QUIRKS) {
    ok(why.length > 20 && source.startsWith("https://") && disable.length > 0);
  }
});
