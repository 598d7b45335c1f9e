/** The real program: anything in each state of a session, and it serves as before. */

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { CORPUS, dictionaryOf, readCorpus } from "./engine/corpus.ts";
import { mutated } from "./engine/mutation.ts";
import { Random } from "./engine/random.ts";
import { converse, prepare, STATES } from "./targets/conversation.ts";
import { BAD_LINES, MAIL, server as target } from "./targets/server.ts";

/** IMAPD_FUZZ_SEED repeats a run. */
const SEED = Number(Deno.env.get("IMAPD_FUZZ_SEED") ?? Date.now() % 1_000_000);
/** Inputs of each state that are kept nowhere. */
const NEW_INPUTS = 20;
/** Conversations at the same time. */
const CLIENTS = 8;
/** Kilobytes that all of it together may add to the program. */
const MOST_GROWTH = 300_000;

function inputs(): Uint8Array[] {
  const random = new Random(SEED);
  const known = [
    ...target.seeds.map((seed) => Uint8Array.from(seed, (char) => char.charCodeAt(0))),
    ...readCorpus(CORPUS, target.name),
  ].map((input) => input.subarray(1));
  const sources = {
    random,
    tokens: dictionaryOf(target),
    other: () => random.of(known),
    longest: 2000,
  };
  return [
    ...known,
    ...Array.from({ length: NEW_INPUTS }, () => mutated(random.of(known), sources)),
  ];
}

/** Resident memory in kilobytes. */
function residentOf(pid: number): number {
  return Number(/VmRSS:\s*(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]);
}

Deno.test("the program: goes on serving whatever comes in whichever state", async () => {
  await using server = await startServer({ top: '[limits]\npenalty = "0s"\n' });
  const before = residentOf(server.pid);
  const waiting = inputs().flatMap((input) => STATES.map((state) => ({ state, input })));
  assert.ok(waiting.length > 400);
  const client = async () => {
    let peer = { port: server.port, user: server.freshUser(), password: PASSWORD };
    await prepare(peer, MAIL);
    for (let next = waiting.pop(), i = 1; next !== undefined; next = waiting.pop(), i++) {
      if (i % 50 === 0) {
        peer = { ...peer, user: server.freshUser() };
        await prepare(peer, MAIL);
      }
      try {
        await converse(peer, next.state, next.input);
      } catch (error) {
        const input = new TextDecoder("latin1").decode(next.input);
        throw new Error(
          `IMAPD_FUZZ_SEED=${SEED}, ${next.state}: ${JSON.stringify(input)}`,
          { cause: error },
        );
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const peer = { port: server.port, user: server.freshUser(), password: PASSWORD };
  await prepare(peer, [...MAIL, "SELECT INBOX", "FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)"]);
  const growth = residentOf(server.pid) - before;
  assert.ok(growth < MOST_GROWTH, `${growth} KB more`);
  assert.deepEqual(server.log().split("\n").filter((line) => BAD_LINES.test(line)), []);
  assert.equal(await server.stop(), 0);
});
