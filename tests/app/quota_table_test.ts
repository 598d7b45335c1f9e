import { deepStrictEqual } from "node:assert/strict";
import { quotaLimits } from "../../src/app/quota_table.ts";

Deno.test("quotaLimits: reads limits, or nothing", () => {
  deepStrictEqual(quotaLimits(""), {});
  deepStrictEqual(quotaLimits("storage=2GiB messages=1000,mailboxes=none"), {
    storage: 2 ** 31,
    messages: 1000,
    mailboxes: Infinity,
  });
  deepStrictEqual(quotaLimits(" storage=0, "), { storage: 0 });
  deepStrictEqual(quotaLimits("storage=1500"), { storage: 1500 });
  for (const text of ["2GiB", "storage", "storage=", "storage=2 GiB", "size=1", "messages=1k"]) {
    deepStrictEqual(quotaLimits(text), undefined, text);
  }
});
