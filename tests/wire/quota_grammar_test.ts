import { getQuotaArgs, setQuotaArgs } from "../../src/wire/quota_grammar.ts";
import { refuses, table } from "./scan.ts";

Deno.test("getQuotaArgs: has a root", () => {
  table(getQuotaArgs, [[' ""', { root: "" }], [" #user/ann", { root: "#user/ann" }]]);
  refuses(getQuotaArgs, ["", " ", " a b", " (a)"]);
});

Deno.test("setQuotaArgs: has limits by their resources", () => {
  table(setQuotaArgs, [
    [" a ()", { root: "a", limits: new Map() }],
    [' "a b" (storage 510 MESSAGE 0)', {
      root: "a b",
      limits: new Map([["STORAGE", 510], ["MESSAGE", 0]]),
    }],
    [" a (X 9223372036854775807)", {
      root: "a",
      limits: new Map([["X", Number.MAX_SAFE_INTEGER]]),
    }],
  ]);
  refuses(setQuotaArgs, [
    "",
    " a",
    " a (X)",
    " a (X -1)",
    " a (X 1 Y)",
    " a (X 9223372036854775808)",
    " a X 1",
    " a (X 1) b",
  ]);
});
