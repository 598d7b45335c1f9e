import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { LoginCache, type LoginCacheOptions } from "../../src/auth/login_cache.ts";

const LIFETIME = 1000;

/** A cache, its clock, and what was checked. */
function cacheOf(options: Partial<LoginCacheOptions<boolean>> = {}) {
  const clock = { now: 0 };
  const cache = new LoginCache<boolean>({
    lifetime: LIFETIME,
    isPositive: (result) => result,
    now: () => clock.now,
    ...options,
  });
  const checked: string[] = [];
  const ask = (decisive: readonly string[], result = true) =>
    cache.check(decisive, () => {
      checked.push(decisive.join());
      return Promise.resolve(result);
    });
  return { cache, clock, checked, ask };
}

Deno.test("LoginCache.check() asks again only when the time is over, however often it was asked", async () => {
  const { clock, checked, ask } = cacheOf();
  for (const now of [0, 10, LIFETIME - 1, LIFETIME, LIFETIME + 1]) {
    clock.now = now;
    strictEqual(await ask(["ann", "secret"]), true);
  }
  deepStrictEqual(checked, ["ann,secret", "ann,secret"]);
});

Deno.test("LoginCache.check() remembers nobody who was refused", async () => {
  const { cache, checked, ask } = cacheOf();
  strictEqual(await ask(["ann", "wrong"], false), false);
  strictEqual(await ask(["ann", "wrong"], false), false);
  strictEqual(cache.size, 0);
  strictEqual(await ask(["ann", "wrong"], true), true);
  strictEqual(checked.length, 3);
});

Deno.test("LoginCache.check() takes no two lists for the same", async () => {
  const { checked, ask } = cacheOf();
  const lists = [
    ["ann", "secret"],
    ["anns", "ecret"],
    ["annsecret"],
    ["ann", "secret", ""],
    ["", "ann", "secret"],
    ["ann", "Secret"],
    ["ann", "\ud800"],
    ["ann", "\ud801"],
    ["ann", "\ufffd"],
  ];
  for (const list of [...lists, ...lists]) await ask(list);
  strictEqual(checked.length, lists.length);
});

Deno.test("LoginCache.check() has those who ask the same at once share one check, also a failed one", async () => {
  const { cache, checked, ask } = cacheOf();
  const asked = ["ann", "ann", "bob", "ann"].map((name) => ask([name, "x"], false));
  deepStrictEqual(await Promise.all(asked), [false, false, false, false]);
  deepStrictEqual(checked, ["ann,x", "bob,x"]);
  const broken = () => Promise.reject(new Error("no worker"));
  const failed = [1, 2].map(() => rejects(cache.check(["ann", "x"], broken), /no worker/));
  await Promise.all(failed);
  const thrown = () => {
    throw new Error("no memory");
  };
  await rejects(cache.check(["ann", "x"], thrown), /no memory/);
  strictEqual(await ask(["ann", "x"]), true);
});

Deno.test("LoginCache forgets the oldest beyond its bound, all when told, and all that is over", async () => {
  const { cache, clock, checked, ask } = cacheOf({ most: 2 });
  for (const name of ["ann", "bob", "carol", "bob", "ann"]) await ask([name]);
  deepStrictEqual(checked, ["ann", "bob", "carol", "ann"]);
  strictEqual(cache.size, 2);
  cache.clear();
  strictEqual(cache.size, 0);
  await ask(["ann"]);
  clock.now = LIFETIME;
  strictEqual(cache.size, 0);
});

Deno.test("LoginCache remembers nothing for no time", async () => {
  const { cache, checked, ask } = cacheOf({ lifetime: 0 });
  await ask(["ann"]);
  await ask(["ann"]);
  strictEqual(checked.length, 2);
  strictEqual(cache.size, 0);
});

Deno.test("LoginCache.clear() has what is being checked not remembered", async () => {
  const { cache, checked, ask } = cacheOf();
  const answer = Promise.withResolvers<boolean>();
  const before = cache.check(["ann", "old"], () => answer.promise);
  cache.clear();
  answer.resolve(true);
  strictEqual(await before, true);
  strictEqual(cache.size, 0);
  await ask(["ann", "old"], false);
  deepStrictEqual(checked, ["ann,old"]);
});
