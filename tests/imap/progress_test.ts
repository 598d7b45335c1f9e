import assert from "node:assert/strict";
import type { Dialogue } from "../../src/imap/command.ts";
import { type Progress, tellingProgress } from "../../src/imap/progress.ts";

/** A dialogue that keeps what is interjected; `said` settles with the first of it. */
function listening(progress?: Progress) {
  const { promise: said, resolve } = Promise.withResolvers<string>();
  const dialogue: Dialogue = {
    prompt: () => Promise.reject(new Error("Expected no prompt")),
    line: () => Promise.reject(new Error("Expected no line")),
    interject: resolve,
    progress,
    assertOpen() {},
    pause: () => Promise.reject(new Error("Expected no pause")),
    end: () => {},
    compress() {},
  };
  return { said, dialogue };
}

Deno.test("tellingProgress: says that the command goes on, and how far it is", async () => {
  const { said, dialogue } = listening();
  await tellingProgress({ tag: "a1", dialogue }, () => said, 1);
  assert.equal(await said, '* OK [INPROGRESS ("a1" NIL NIL)] Still working\r\n');
  const far = listening({ done: 7, total: 20 });
  await tellingProgress({ tag: "b]", dialogue: far.dialogue }, () => far.said, 1);
  assert.equal(await far.said, '* OK [INPROGRESS ("b]" 7 20)] Still working\r\n');
});

Deno.test("tellingProgress: ends with the work, also where that fails", async () => {
  const { dialogue } = listening();
  assert.equal(await tellingProgress({ tag: "a", dialogue }, () => 3), 3);
  await assert.rejects(
    tellingProgress({ tag: "a", dialogue }, () => Promise.reject(new Error("no"))),
    /no/,
  );
});
