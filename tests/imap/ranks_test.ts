import assert from "node:assert/strict";
import { ranksOfTexts } from "../../src/imap/ranks.ts";
import { Pace } from "../../src/pace.ts";

/** Counts how often somebody looks whether a turn is due, which never is. */
class CountingPace extends Pace {
  looks = 0;

  override due(): boolean {
    this.looks++;
    return false;
  }
}

Deno.test("ranksOfTexts: looks at the clock more often, the longer the texts are", async () => {
  const looks: number[] = [];
  for (const length of [10, 10_000, 100_000]) {
    const pace = new CountingPace();
    const texts = Array.from({ length: 64 }, (_, i) => "x".repeat(length) + (i * 29 % 64 + 100));
    texts.push(texts[0]);
    const ranks = await ranksOfTexts(texts, pace);
    assert.deepEqual([...ranks], [...texts.keys()].map((i) => (i % 64) * 29 % 64));
    looks.push(pace.looks);
  }
  const [few, more, most] = looks;
  assert.ok(few <= 2, `${few}`);
  assert.ok(more > 20, `${more}`);
  // Six levels of merging, each step of which takes long.
  assert.ok(most >= 6 * 64, `${most}`);
});
