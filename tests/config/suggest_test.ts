import { strictEqual } from "node:assert/strict";
import { didYouMean, nearestName } from "../../src/config/suggest.ts";

Deno.test("nearestName() finds what was probably meant", () => {
  const names = ["listen", "storage", "auth", "io_debug"];
  strictEqual(nearestName("lisen", names), "listen");
  strictEqual(nearestName("Storage", names), "storage");
  strictEqual(nearestName("iodebug", names), "io_debug");
  strictEqual(nearestName("aut", names), "auth");
  strictEqual(nearestName("atuh", names), "auth");
});

Deno.test("nearestName() finds nothing where nothing is near", () => {
  strictEqual(nearestName("colour", ["listen", "auth"]), undefined);
  strictEqual(nearestName("", ["listen"]), undefined);
});

Deno.test("didYouMean() is empty where nothing is near", () => {
  strictEqual(didYouMean("colour", ["listen"]), "");
  strictEqual(didYouMean("lissen", ["listen"]), ", did you mean listen?");
});
